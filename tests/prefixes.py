"""Made-up libraries in prefixes of their own, compiled by the real compiler."""

from __future__ import annotations

import os
from pathlib import Path

from ftbuild.model.spec import Compiler
from ftbuild.process import capture

REAL = dict(os.environ)


class Prefix:
    """A prefix with a library of its own and a pkg-config that knows it."""

    def __init__(self, folder: Path, compiler: Compiler, name: str = "ftdemo") -> None:
        self.name = name
        self.lib = folder / "lib"
        self.bin = folder / "bin"
        self.lib.mkdir(parents=True)
        self.bin.mkdir()
        self.source = f"int {name}_open(void) {{ return 1; }}\n"
        self._cc = compiler.path

    def share(self, *flags: str) -> Path:
        """Make it a shared library."""
        file = self.lib / f"lib{self.name}.so.7"
        self._compile("-shared", "-fPIC", f"-Wl,-soname,{file.name}", "-o", str(file), *flags)
        file.with_suffix("").symlink_to(file.name)
        return file

    def archive(self) -> None:
        """Make it a static library."""
        self._compile("-c", "-o", str(self.lib / "demo.o"))
        archive = self.lib / f"lib{self.name}.a"
        done = capture(["ar", "rc", archive, self.lib / "demo.o"], env=REAL)
        assert done.ok, done.stderr

    def _compile(self, *words: str) -> None:
        argv = [self._cc, "-x", "c", "-", "-x", "none", *words]
        done = capture(argv, env=REAL, stdin=self.source)
        assert done.ok, done.stderr

    def tell(self, libs: str = "", name: str = "") -> dict[str, str]:
        """The environment with a pkg-config that has these words for the linker."""
        name = name or self.name
        libs = libs or f"-L{self.lib} -l{self.name}"
        program = self.bin / "pkg-config"
        program.write_text(
            f"""#!/bin/sh
            case "$1" in
            --list-all) echo "{name}   Demo - a demonstration";;
            --libs-only-L) for w in {libs}; do case $w in -L*) echo "$w";; esac; done;;
            --libs) echo "{libs}";;
            --print-provides) echo "{name} = 1.2.3";;
            --version) echo 1.8.1;;
            esac
            """
        )
        program.chmod(0o755)
        return {"PATH": f"{self.bin}:{REAL['PATH']}"}
