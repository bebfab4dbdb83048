"""What is audited: words, files, locks and environments become requirements, pins and notes."""

from ftbuild.audit.inputs.locks import Root
from ftbuild.audit.inputs.words import Inputs, Line, read_inputs

__all__ = ["Inputs", "Line", "Root", "read_inputs"]
