"""Container images with builds of CPython, made by ftbuild inside a multi-stage build.

`names` says which image is meant. `making` renders its Dockerfile from the catalogue, gathers what
the build needs and has an `engine` run it. `assembling` is done inside the build, where installed
builds are laid out as the image's file tree; `places` says where. `verifying` asks the builds in an
image what `verify` asks those on a host.
"""

from ftbuild.images.assembling.assemble import assemble
from ftbuild.images.engine import engine_of
from ftbuild.images.making.build import build_images, wanted
from ftbuild.images.making.dockerfiles import write_files
from ftbuild.images.making.options import How, platforms_of
from ftbuild.images.names import image_of
from ftbuild.images.verifying.prove import prove

__all__ = [
    "How",
    "assemble",
    "build_images",
    "engine_of",
    "image_of",
    "platforms_of",
    "prove",
    "wanted",
    "write_files",
]
