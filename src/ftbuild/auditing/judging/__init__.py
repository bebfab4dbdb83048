"""What follows from that: a verdict on each package, who is to blame, and what to do."""

from ftbuild.auditing.judging.advise import Answer, Questions, advised, plainly
from ftbuild.auditing.judging.judge import findings_of

__all__ = ["Answer", "Questions", "advised", "findings_of", "plainly"]
