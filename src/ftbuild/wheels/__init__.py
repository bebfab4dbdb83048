"""Which wheels requirements get, asked of uv, and the one place that knows uv.

`uv` runs it, `indexes` and `options` tell it which indexes the user has, `complaints` makes errors
of what it says, `tags` knows which wheels an interpreter accepts. `collect` brings the wheels for
an interpreter that need not be here.
"""
