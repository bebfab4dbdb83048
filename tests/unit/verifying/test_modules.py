from __future__ import annotations

from pathlib import Path

from ftbuild.model.manifest import Installation
from ftbuild.model.report import Status
from ftbuild.verifying.modules import extensions, promised

from .builds import build, changed, context, failing, named, with_python

# Goes through the names as the real probe does, in shell: `_crash` kills the process, `_gil`
# switches the GIL on and ends the batch, `_broken` fails to import.
PROBE = """
case "$3" in *extensions.py) echo '["_a", "_b", "_broken", "_crash", "_gil", "_z"]'; exit ;; esac
shift 3
outcomes= switched=null
for name; do
  outcome=
  case "$name" in
    _crash) kill -SEGV $$ ;;
    _broken) outcome="ImportError: no" ;;
    _gil) switched='"_gil"' ;;
  esac
  outcomes="$outcomes${outcomes:+,}\\"$name\\": \\"$outcome\\""
  [ $switched = null ] || break
done
echo "{\\"outcomes\\": {$outcomes}, \\"switched\\": $switched}"
"""


def without(installation: Installation, *names: str) -> Installation:
    script = PROBE
    for name in names:
        script = script.replace(f', "{name}"', "")
    return with_python(installation, script)


def test_all_import(tmp_path: Path) -> None:
    python = without(build(tmp_path), "_broken", "_crash", "_gil")
    (check,) = extensions(python, context(tmp_path))
    assert check.status is Status.PASSED
    assert check.found == "3 modules import, the GIL as it was"


def test_an_import_error_names_the_module(tmp_path: Path) -> None:
    checks = extensions(without(build(tmp_path), "_crash", "_gil"), context(tmp_path))
    assert failing(checks) == {"imports.extensions", "imports._broken"}
    assert named(checks)["imports._broken"].found == "ImportError: no"


def test_the_module_that_switches_the_gil_on_is_named_and_no_other(tmp_path: Path) -> None:
    checks = extensions(without(build(tmp_path), "_crash", "_broken"), context(tmp_path))
    assert failing(checks) == {"imports.extensions", "imports._gil"}
    assert named(checks)["imports._gil"].found == "switches the GIL on"
    assert named(checks)["imports.extensions"].found.startswith("3 modules")


def test_the_module_that_crashes_is_named_and_no_other(tmp_path: Path) -> None:
    checks = extensions(without(build(tmp_path)), context(tmp_path))
    assert failing(checks) == {
        "imports.extensions",
        "imports._broken",
        "imports._crash",
        "imports._gil",
    }
    assert named(checks)["imports._crash"].found == "signal SIGSEGV"


def test_a_crash_that_needs_several_modules_is_still_a_failure(tmp_path: Path) -> None:
    script = f"""
        case "$3:$#" in
          *extensions.py:*) echo '["_a", "_b"]' ;;
          *modules.py:5) kill -ABRT $$ ;;
          *) {PROBE} ;;
        esac"""
    checks = extensions(with_python(build(tmp_path), script), context(tmp_path))
    assert failing(checks) == {"imports.extensions", "imports.all-together"}
    assert named(checks)["imports.all-together"].found == "signal SIGABRT"


def test_no_list_of_modules(tmp_path: Path) -> None:
    checks = extensions(with_python(build(tmp_path), "exit 1"), context(tmp_path))
    assert failing(checks) == {"imports.extensions"}


def test_promised_modules_work_and_missing_ones_are_skipped(tmp_path: Path) -> None:
    installation = changed(build(tmp_path), "used", promised=("ssl", "_broken"))
    checks = named(promised(with_python(installation, PROBE), context(tmp_path)))
    assert checks["modules.ssl"].status is Status.PASSED
    assert checks["modules.hashlib"].status is Status.PASSED
    assert checks["modules._broken"].status is Status.FAILED
    assert checks["modules.tkinter"].status is Status.SKIPPED
    assert "no library" in checks["modules.tkinter"].reason


def test_what_an_image_leaves_out_is_not_asked_for(tmp_path: Path) -> None:
    installation = changed(build(tmp_path), "used", promised=("ssl", "tkinter"))
    left_out = ("_broken", "_crash", "_gil", "test", "tkinter")
    image = changed(installation, "result", left_out=left_out, missing=())
    image = with_python(image, PROBE)
    (check,) = extensions(image, context(tmp_path))
    assert check.found == "3 modules import, the GIL as it was"
    checks = named(promised(image, context(tmp_path)))
    assert checks["modules.ssl"].status is Status.PASSED
    assert checks["modules.tkinter"].status is Status.SKIPPED
    assert checks["modules.tkinter"].reason == "this image leaves it out"
    assert "modules.test" not in checks
