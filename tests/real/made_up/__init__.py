"""Packages with something wrong, as real wheels with real extension modules, for a built Python."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import zipfile
from pathlib import Path

import msgspec

from ftbuild.model.manifest import Installation

_HERE = Path(__file__).parent


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """An extension module: C code that runs when it is imported, and what it says of the GIL."""

    path: str
    body: str = ""
    unused: bool = True
    single: bool = False
    needs: bool = False


class MadeUp(msgspec.Struct, frozen=True, kw_only=True):
    """A package: its Python files by path, its extension modules, its wheel's tag."""

    name: str
    python: dict[str, str] = {}
    extensions: tuple[Extension, ...] = ()
    tag: str | None = None


CRASH = "volatile int *nowhere = 0; *nowhere = 1;"
DAEMON = """\
import os, time
if not os.fork():
    os.setsid()
    if not os.fork():
        time.sleep(600)
    os._exit(0)
"""

FILTER = "import warnings\nwarnings.simplefilter({!r})\nfrom {} import _core"
IMPORT = (
    'PyObject *other = PyImport_ImportModule("NAME"); '
    "if (other == NULL) return ERROR; "
    "Py_DECREF(other); "
)

PACKAGES = (
    MadeUp(name="pure", python={"pure.py": ""}, tag="py3-none-any"),
    MadeUp(
        name="good",
        python={"good/__init__.py": "from good import _fine", "good/tests/__init__.py": "1 / 0"},
        extensions=(Extension(path="good/_fine"), Extension(path="good/inner/_other")),
    ),
    MadeUp(name="crash_null", extensions=(Extension(path="crash_null", body=CRASH),)),
    MadeUp(
        name="crash_abort",
        python={"crash_abort/__init__.py": "def load():\n    import crash_abort._core\nload()"},
        extensions=(Extension(path="crash_abort/_core", body="abort();"),),
    ),
    MadeUp(name="crash_fatal", extensions=(
        Extension(path="crash_fatal", body='Py_FatalError("it is all over");'),
    )),
    MadeUp(name="single", extensions=(Extension(path="single", single=True, unused=False),)),
    MadeUp(name="multi", extensions=(Extension(path="multi", unused=False),)),
    MadeUp(
        name="quiet",
        python={"quiet/__init__.py": FILTER.format("ignore", "quiet")},
        extensions=(Extension(path="quiet/_core", unused=False),),
    ),
    MadeUp(
        name="strict",
        python={"strict/__init__.py": FILTER.format("error", "strict")},
        extensions=(Extension(path="strict/_core", unused=False),),
    ),
    MadeUp(
        name="nested",
        extensions=(
            Extension(path="nested", body=IMPORT.replace("NAME", "multi"), single=True),
        ),
    ),
    MadeUp(
        name="lazy",
        python={"lazy/__init__.py": "def late():\n    import lazy._late"},
        extensions=(Extension(path="lazy/_late", unused=False),),
    ),
    MadeUp(
        name="tagged_none",
        python={"tagged_none/__init__.py": ""},
        extensions=(Extension(path="tagged_none/_core", unused=False),),
        tag="py3-none-any",
    ),
    MadeUp(name="hang_c", extensions=(Extension(path="hang_c", body="for (;;) {}"),)),
    MadeUp(
        name="hang_python",
        python={"hang_python.py": "def spin():\n    while True:\n        pass\nspin()"},
    ),
    MadeUp(
        name="hang_package",
        python={"hang_package/__init__.py": "import time\ntime.sleep(600)"},
        extensions=tuple(Extension(path=f"hang_package/_part{n}") for n in range(4)),
    ),
    MadeUp(
        name="loud",
        python={
            "loud.py": "import os, sys\nfor _ in range(64):\n    os.write(1, b'x' * 2**20)\n"
            "    os.write(2, b'y' * 2**20)\nprint('z' * 2**22)\nsys.stdout = sys.stderr = None"
        },
    ),
    MadeUp(name="forks", python={"forks.py": "import os\nos.fork()"}),
    MadeUp(name="daemon", python={"daemon.py": DAEMON}),
    MadeUp(name="lost", extensions=(Extension(path="lost", needs=True),)),
    MadeUp(name="leaves", python={"leaves.py": "import os\nos._exit(0)"}),
    MadeUp(name="exits", python={"exits.py": "raise SystemExit('enough')"}),
    MadeUp(name="closes", python={"closes.py": "import os\nos.closerange(0, 256)"}),
    MadeUp(
        name="lingers",
        python={
            "lingers.py": "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(600,)).start()"
        },
    ),
    MadeUp(name="optional", python={"optional.py": "import nowhere_to_be_found.part"}),
    MadeUp(name="outdated", python={"outdated.py": "import imp"}),
    MadeUp(name="chain_a", python={"chain_a.py": "import chain_b"}),
    MadeUp(
        name="chain_b",
        python={
            "chain_b/__init__.py": "from chain_b import inner",
            "chain_b/inner.py": "import chain_c._core",
        },
    ),
    MadeUp(
        name="chain_c",
        python={"chain_c/__init__.py": ""},
        extensions=(Extension(path="chain_c/_core", unused=False),),
    ),
    MadeUp(
        name="many",
        python={"many/__init__.py": "", "many/way.py": "from many._circle import name"},
        extensions=(
            Extension(path="many/_a"),
            Extension(path="many/_b"),
            Extension(path="many/_crash", body=CRASH),
            Extension(path="many/_switch", unused=False),
            # Only who comes by way of `many.way` can import it.
            Extension(
                path="many/_circle",
                body=IMPORT.replace("NAME", "many.way")
                + 'PyModule_AddIntConstant(module, "name", 1);',
            ),
        ),
    ),
    MadeUp(name="races", extensions=(Extension(path="races"),)),
)  # fmt: skip


def wheels(build: Installation, folder: Path) -> Path:
    """A directory with a wheel of each package, for a built Python."""
    store = folder / "wheels"
    store.mkdir()
    for package in PACKAGES:
        tree = folder / package.name
        for path, text in package.python.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        for extension in package.extensions:
            _compile(extension, build, tree)
        short = "cp" + "".join(build.spec.version.split(".")[:2])
        _zip(package.name, package.tag or f"{short}-{short}t-linux_x86_64", tree, store)
    return store


def _compile(extension: Extension, build: Installation, tree: Path) -> None:
    series = ".".join(build.spec.version.split(".")[:2])
    name = extension.path.rpartition("/")[2]
    target = tree / f"{extension.path}.cpython-{series.replace('.', '')}t-x86_64-linux-gnu.so"
    target.parent.mkdir(parents=True, exist_ok=True)
    compiler = shutil.which("cc")
    assert compiler is not None
    words = [compiler, "-shared", "-fPIC", "-g0", "-O0", "-Wl,--no-as-needed"]
    if extension.needs:
        library = tree.parent / "libgone.so"
        # By its name, and nowhere to be found: it is in no wheel.
        named = ["-Wl,-soname,libgone.so", "-o", str(library)]
        subprocess.run([*words, "-x", "c", "/dev/null", *named], check=True)
    (header,) = build.prefix.glob(f"include/python{series}*")
    subprocess.run(
        [
            *words,
            f"-I{header}",
            f"-DNAME={name}",
            f"-DBODY={extension.body}",
            f"-DUNUSED={int(extension.unused)}",
            f"-DSINGLE={int(extension.single)}",
            str(_HERE / "extension.c"),
            *([str(tree.parent / "libgone.so")] if extension.needs else []),
            "-o",
            str(target),
        ],
        check=True,
    )


def _zip(name: str, tag: str, tree: Path, store: Path) -> None:
    files = {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file()}
    info = f"{name}-1.0.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    pure = str(tag.endswith("-any")).lower()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode()
    )
    rows = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    with zipfile.ZipFile(store / f"{name}-1.0-{tag}.whl", "w") as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
