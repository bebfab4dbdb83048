"""What image tasks tell people."""

from __future__ import annotations

from collections.abc import Sequence

from ftbuild.console import columns, duration, size
from ftbuild.images.assembling.assemble import Assembled
from ftbuild.images.engine import Engine
from ftbuild.images.making.build import Built
from ftbuild.images.making.dockerfiles import Written
from ftbuild.images.verifying.layers import Layers
from ftbuild.model.versions import Variant, series_of

_WHAT = {
    None: "both builds",
    Variant.GIL: "the GIL build",
    Variant.FREE_THREADED: "the free-threaded build",
}


def built_text(built: Sequence[Built], engine: Engine) -> str:
    """The images that were built, and what to do with them."""
    rows = [
        (
            item.reference,
            "pushed" if item.pushed else "built",
            duration(item.seconds),
            size(item.size) if item.size else "",
            f"{item.cached} of {item.steps} steps from the cache" if item.cached else "",
            f"{item.image.release}, {_WHAT[item.image.variant]}, on {item.image.base.image}",
        )
        for item in built
    ]
    first = built[0]
    variant = first.image.variant or Variant.FREE_THREADED
    python = f"python{series_of(first.image.release)}{variant.suffix}"
    runner = "podman" if engine.kind == "buildah" else engine.kind
    following = [
        f"  {runner} run --rm -it {first.reference} {python}",
        f"  ftbuild image verify {first.reference}",
    ]
    return "\n".join((columns(rows), "", "Next:", *following))


def assembled_text(found: Assembled) -> str:
    """What was laid out, and what it needs."""
    rows = [
        ("prefixes", ", ".join(found.prefixes)),
        ("size", f"{size(found.size)}, of which {size(found.bytecode)} are bytecode"),
        ("left out", ", ".join(found.left_out) or "nothing"),
        ("packages", ", ".join(found.packages)),
    ]
    return columns(rows)


def layers_text(found: Layers) -> str:
    """The layers of an image that add anything, the base's as one, and what they come to."""
    below = sum(layer.size for layer in found.layers if layer.base)
    rows = [(size(below), f"base: {found.base}")] if found.base else []
    rows += [
        (size(layer.size), layer.created_by)
        for layer in found.layers
        if layer.size and not layer.base
    ]
    above = f", {size(found.above)} above its base" if found.above is not None else ""
    return f"{columns(rows)}\n{size(found.total)} in all{above}"


def written_text(written: Written, *, check: bool) -> str:
    """The repository's files that were, or are to be, written anew."""
    verb = "out of date" if check else "written"
    lines = [f"{path}: {verb}" for path in written.changed]
    lines += [f"{path}: {'not wanted any more' if check else 'removed'}" for path in written.stale]
    rest = written.files - len(written.changed)
    return "\n".join((*lines, f"{rest} of {written.files} files are up to date"))
