"""A project's dependencies against an installed free-threaded build.

The flow is that of the packages: `inputs` are resolved (`resolving`, with uv), what each package
ships is graded (`grading`), its modules are imported in processes of their own (`probing`, with
the scripts in `probes/`), a verdict and advice follow (`judging`), and `reports` show them.
`findings` is the data they hand on; `steps` sequences them.
"""

from ftbuild.auditing.findings import Audit, Finding
from ftbuild.auditing.inputs import read_inputs
from ftbuild.auditing.reports import reporting
from ftbuild.auditing.steps import How, audit
from ftbuild.auditing.target import builds, target_of

__all__ = ["Audit", "Finding", "How", "audit", "builds", "read_inputs", "reporting", "target_of"]
