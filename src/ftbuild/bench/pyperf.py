"""The form in which pyperf keeps measurements, so that its tools read ours.

`pyperf show`, `stats`, `hist`, `check` and `compare_to` take a results file of ours as one of their
own: the keys that they read stand beside those that we read, and each passes over the others'.
"""

from __future__ import annotations

from typing import Any

from ftbuild.bench.results import Results, Sample, Series
from ftbuild.model.versions import Variant

VERSION = "1.0"
"""Version of pyperf's format, read by pyperf 1.0 and later."""


def pyperf_document(results: Results) -> dict[str, Any]:
    """The keys of a pyperf file: `version`, `metadata` and `benchmarks`; none is a key of ours.

    A series is a benchmark under its own name, a process is a run, times are in seconds. A series
    without a value is not there: pyperf knows no benchmark that failed, and cannot read a file
    without any benchmark.
    """
    machine = results.machine
    common = {
        "unit": "second",
        "date": results.created,
        "cpu_model_name": machine.cpu,
        "cpu_count": machine.cpus,
        "platform": f"{machine.system}-{machine.kernel}-{machine.architecture}",
        "load_avg_1min": machine.load,
        "ftbuild_version": results.ftbuild,
    }
    benchmarks = (_benchmark(results, series) for series in results.series)
    return {
        "version": VERSION,
        "metadata": _told(common),
        "benchmarks": [benchmark for benchmark in benchmarks if benchmark["runs"]],
    }


def _benchmark(results: Results, series: Series) -> dict[str, Any]:
    pair = results.pair
    free = series.arm.variant is Variant.FREE_THREADED
    build = pair.free_threaded if free else pair.gil
    metadata = {
        "name": series.name,
        "python_implementation": "cpython",
        "python_version": build.version,
        "ftbuild_build": build.name,
        "ftbuild_workload": series.workload,
        "ftbuild_arm": series.arm.value,
        "ftbuild_workers": series.workers,
    }
    runs = [_run(sample) for sample in series.samples if sample.values]
    return {"metadata": _told(metadata), "runs": runs}


def _run(sample: Sample) -> dict[str, Any]:
    return {
        "metadata": _told({"mem_max_rss": sample.rss or None, "ftbuild_round": sample.round}),
        # A warm-up is told with its number of loops, which here is always one.
        "warmups": [[1, seconds] for seconds in sample.warmups],
        "values": list(sample.values),
    }


def _told(metadata: dict[str, Any]) -> dict[str, Any]:
    """What pyperf takes: nothing unknown, no empty text, one line each."""
    lines = {
        key: " ".join(value.split()) if isinstance(value, str) else value
        for key, value in metadata.items()
    }
    return {key: value for key, value in lines.items() if value not in {None, ""}}
