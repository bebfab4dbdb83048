"""On the host: a Dockerfile from the catalogue, a context with all it needs, an engine that builds.

`beforehand` refuses what cannot come to anything; `base` is there or pulled; `context` takes the
Dockerfile of `dockerfiles`, ftbuild's `ownwheel` and its `provisions`; `command` is what the engine
is given, `progress` what it says, `failure` what that means. `build` has it all done.
"""
