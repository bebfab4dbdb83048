"""From the outside: what an image's interpreters answer in containers; what its layers weigh.

`inside` has the checks of `verify` made in `containers`, and those of `promises` and `trial`, which
are an image's own. `prove` adds the `layers`.
"""
