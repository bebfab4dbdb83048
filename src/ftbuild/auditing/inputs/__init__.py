"""What is audited: words, files, locks and environments become requirements, pins and notes."""

from ftbuild.auditing.inputs.locks import Root
from ftbuild.auditing.inputs.words import Inputs, Line, read_inputs

__all__ = ["Inputs", "Line", "Root", "read_inputs"]
