"""Archives and an index from which uv installs the builds as Pythons that it manages.

`contents` says what is in such an archive, `index` is what uv reads first, `choice` which builds
there is a place for in it; `export` writes both.
"""

from ftbuild.export.uv.choice import LeftOut
from ftbuild.export.uv.export import Done, Exported, export, write_archive
from ftbuild.export.uv.index import Entry

__all__ = ["Done", "Entry", "Exported", "LeftOut", "export", "write_archive"]
