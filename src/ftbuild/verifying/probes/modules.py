"""Import the modules named on the command line and let the well-known ones do real work.

Prints one JSON object: the outcome of each module in order, an empty string where it works, and
`switched`, the module that switched the GIL on. It stops there: the GIL stays on for the rest of
the process, and of the modules that follow nothing could be said.
"""

import importlib
import json
import sys
from types import ModuleType


def need(true: bool, what: str) -> None:
    """Fail with `what` unless it is so."""
    if not true:
        raise AssertionError(what)


def ssl(module: ModuleType) -> None:
    """A client context as programs make it, with something to negotiate."""
    need(module.create_default_context().get_ciphers(), "the default context has no ciphers")


def sqlite3(module: ModuleType) -> None:
    """A query on a database in memory."""
    with module.connect(":memory:") as database:
        row = database.execute("select sum(value) from (select 40 as value union select 2)")
        need(row.fetchone() == (42,), "a query gives a wrong result")
    database.close()


def codec(module: ModuleType) -> None:
    """A round trip that makes data smaller."""
    text = b"free-threaded " * 1000
    packed = module.compress(text)
    need(len(packed) < len(text), "it does not compress")
    need(module.decompress(packed) == text, "a round trip changes the data")


def ctypes(module: ModuleType) -> None:
    """A call into the C library."""
    need(module.CDLL(None).strlen(b"four") == len(b"four"), "strlen gives a wrong result")


def uuid(module: ModuleType) -> None:
    """An identifier made from time and host."""
    need(module.uuid1().version == 1, "uuid1 gives another version")


def hashlib(module: ModuleType) -> None:
    """The test vectors of FIPS 180-4 and RFC 7693 for the message `abc`, by their first bytes."""
    need(module.sha256(b"abc").hexdigest().startswith("ba7816bf8f01cfea"), "SHA-256 is wrong")
    need(module.blake2b(b"abc").hexdigest().startswith("ba80a53f981c4d0d"), "BLAKE2b is wrong")


def database(module: ModuleType) -> None:
    """A key written to a file and read back."""
    # Imported here: what it needs of the standard library may be what is broken.
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        with module.open(f"{folder}/probe", "c") as file:
            file[b"key"] = b"value"
        with module.open(f"{folder}/probe", "r") as file:
            need(file[b"key"] == b"value", "a key is lost")


WORK = {
    "bz2": codec,
    "compression.zstd": codec,
    "ctypes": ctypes,
    "dbm.gnu": database,
    "dbm.ndbm": database,
    "hashlib": hashlib,
    "lzma": codec,
    "sqlite3": sqlite3,
    "ssl": ssl,
    "uuid": uuid,
    "zlib": codec,
}

outcomes = {}
switched = None
before = sys._is_gil_enabled()  # noqa: SLF001 - the documented name
for name in sys.argv[1:]:
    try:
        module = importlib.import_module(name)
        if name in WORK:
            WORK[name](module)
        outcomes[name] = ""
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is this module's outcome
        outcomes[name] = f"{type(error).__name__}: {error}"
    if sys._is_gil_enabled() and not before:  # noqa: SLF001
        switched = name
        break
print(json.dumps({"outcomes": outcomes, "switched": switched}))
