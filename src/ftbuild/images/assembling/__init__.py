"""In the builder stage: installed builds become the file tree of an image.

`contents` says what is left out and under which names the rest goes, `bytecode` what both builds
can share, `needs` which of the distribution's packages that takes.
"""
