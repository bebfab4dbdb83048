"""An audit as text, JSON, Markdown, SARIF or annotations; what fails it, and what is known."""

from ftbuild.auditing.reports.document import document
from ftbuild.auditing.reports.report import Reporting, rendered, reporting, settled

__all__ = ["Reporting", "document", "rendered", "reporting", "settled"]
