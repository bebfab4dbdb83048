"""An audit as text, JSON, Markdown, SARIF or annotations; what fails it, and what is known."""

from ftbuild.audit.reports.document import document
from ftbuild.audit.reports.report import Reporting, rendered, reporting, settled

__all__ = ["Reporting", "document", "rendered", "reporting", "settled"]
