"""Results of measurements, audits and images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ftbuild.console import pass_on, report_text, say
from ftbuild.errors import Interrupted, Refused
from ftbuild.render.documents import plain, print_json, refuse, report_fields

if TYPE_CHECKING:
    from ftbuild.auditing.findings import Audit
    from ftbuild.auditing.reports import Reporting
    from ftbuild.bench.comparison import Comparison
    from ftbuild.bench.outputs import Outputs
    from ftbuild.bench.results import Results
    from ftbuild.images.assembling.assemble import Assembled
    from ftbuild.images.engine import Engine
    from ftbuild.images.making.build import Built
    from ftbuild.images.making.dockerfiles import Written
    from ftbuild.images.verifying.prove import Proven


def measured(results: Results, files: Outputs, *, json: bool) -> None:
    """What a measurement found; writes its files. Raises `Refused` where something failed."""
    from ftbuild.bench import text  # noqa: PLC0415 - 30 ms that other tasks need not wait
    from ftbuild.bench.document import document  # noqa: PLC0415

    if json:
        print_json(**document(results))
    else:
        say(text.measurement(results))
    # Last: what cannot be written has at least been shown.
    written = files.write(results)
    if written and not json:
        say("\n" + "\n".join(f"written: {path}" for path in written))
    if results.interrupted:
        kept = f"; what was measured is in {files.document}" if files.document else ""
        raise Interrupted(f"interrupted{kept}")
    failed = [series for series in results.series if series.failure]
    # What no build can run is told in the table; here what one of them can, and another cannot.
    rows = (row for suite in results.suites for row in suite.rows)
    failed_rows = [row for row in rows if row.failures and row.values]
    if failed or failed_rows:
        raise Refused(
            "\n".join(
                (
                    "not everything could be measured",
                    *(f"  {series.name}: {series.failure}" for series in failed),
                    *(
                        f"  {row.name} {arm}: {why}"
                        for row in failed_rows
                        for arm, why in row.failures.items()
                    ),
                )
            )
        )


def compared(found: Comparison, *, json: bool) -> None:
    """Two measurements beside each other."""
    from ftbuild.bench import text  # noqa: PLC0415 - as above

    if json:
        print_json(**msgspec.to_builtins(found))
    else:
        say(text.comparison(found))


def audited(found: Sequence[Audit], how: Reporting) -> None:
    """What audits found, side by side where they are several. Raises `Refused` where one fails."""
    from ftbuild.auditing.reports import document, rendered, settled  # noqa: PLC0415 - as above

    if how.format == "json":
        print_json(**document(found))
    else:
        say(rendered(found, how))
    # Last: what cannot be written has at least been shown.
    failed = settled(found, how)
    if how.update:
        pass_on(f"written: {how.path}")
    if failed:
        raise Refused(failed)


def images_built(built: Sequence[Built], engine: Engine, *, json: bool) -> None:
    """The images that were built."""
    from ftbuild.images.text import built_text  # noqa: PLC0415 - with it come templates

    if json:
        print_json(images=msgspec.to_builtins(built, enc_hook=plain))
    else:
        say(built_text(built, engine))


def images_proven(found: Sequence[Proven], *, json: bool, everything: bool) -> None:
    """What was found inside images. Raises `Refused` if a check failed."""
    from ftbuild.images.text import layers_text  # noqa: PLC0415 - as above

    if json:
        print_json(
            images=[
                {
                    "reference": each.reference,
                    "reports": [report_fields(report) for report in each.reports],
                    "layers": each.layers.layers,
                    "base": each.layers.base,
                    "size": each.layers.total,
                    "above_base": each.layers.above,
                }
                for each in found
            ]
        )
    else:
        for each in found:
            say("\n".join(report_text(report, everything=everything) for report in each.reports))
            say(f"\n{layers_text(each.layers)}")
    refuse([report for each in found for report in each.reports], "checks failed")


def assembled(found: Assembled, *, json: bool) -> None:
    """The file tree of an image that was laid out."""
    from ftbuild.images.text import assembled_text  # noqa: PLC0415 - as above

    if json:
        print_json(**msgspec.to_builtins(found))
    else:
        say(assembled_text(found))


def images_rendered(written: Written, *, check: bool, json: bool) -> None:
    """The Dockerfiles that were written. Raises `Refused` if they only ought to have been."""
    from ftbuild.images.text import written_text  # noqa: PLC0415 - as above

    if json:
        print_json(**msgspec.to_builtins(written))
    else:
        say(written_text(written, check=check))
    if check and (written.changed or written.stale):
        raise Refused(
            "Dockerfiles are not what the catalogue gives",
            hint="`ftbuild image render` writes them again.",
        )
