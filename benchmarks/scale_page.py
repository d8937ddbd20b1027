"""What ``scale.py`` measured, as tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import numpy as np
import scale_jobs
from scale_jobs import Assumptions, Content, duration, table
from scale_measure import service
from scale_simulation import Cluster, Plan, durations, make_parts, simulate

COLLECTIONS = (1_000_000, 100_000_000, 10_000_000_000)
CORES = (100, 1000, 10_000)
BYTES_A_CHARACTER = 3  # Chinese in UTF-8


def tables(content: Content, assumed: Assumptions) -> dict[str, list[str]]:
    """Lines of the page by the name of their marks."""
    setting = scale_jobs.setting_of(content, assumed)
    return {
        "measured": list(_measured(content)),
        "validation": list(_validation(content)),
        "costs": list(_costs(content, assumed)),
        "assumptions": list(scale_jobs.describe(setting)),
        "workers": list(scale_jobs.by_workers(setting)),
        "parts": list(scale_jobs.by_size(setting)),
        "failures": list(scale_jobs.by_failures(setting)),
        "speeds": list(scale_jobs.by_speeds(setting)),
    }


def _measured(content: Content) -> Iterator[str]:
    machine, fit, lengths = content["machine"], content["fit"], content["lengths"]
    names = ("python", "zhengling", "spacy", "numpy", "onnxruntime")
    versions = ", ".join(
        f"{name} {content['versions'][name]}" for name in names if name in content["versions"]
    )
    mean = statistics.mean(lengths)
    each = fit["document"] + fit["character"] * mean + fit["row"]
    load = [one["wall"] for one in content["load"]]
    errors = [
        (fit["document"] * one["documents"] + fit["character"] * one["characters"]) / one["cpu"] - 1
        for one in content["read"]
    ]
    yield (
        f"{content['date'][:10]}, {machine['processor']}, {machine['cores']} cores, one thread; {versions}; "
        f"`{content['model']}`."
    )
    yield ""
    yield from table(
        ("what", "measured"),
        [
            ("bulletins", f"{len(lengths):,}, {sum(lengths):,} characters"),
            (
                "characters of a bulletin: mean, median, longest",
                f"{mean:,.0f}, {statistics.median(lengths):,.0f}, {max(lengths):,}",
            ),
            ("a worker from its start to its first part", f"{fit['load']:.2f} CPU-s"),
            ("the same by the wall clock", f"{min(load):.1f} to {max(load):.1f} s"),
            ("reading a document, whatever its length", f"{1e3 * fit['document']:.2f} CPU-ms"),
            ("reading 1,000 characters", f"{1e6 * fit['character']:.0f} CPU-ms"),
            ("characters per CPU-second in long texts", f"{1 / fit['character']:,.0f}"),
            ("writing a part, whatever its rows", f"{1e3 * fit['part']:.1f} CPU-ms"),
            ("writing a row", f"{1e3 * fit['row']:.2f} CPU-ms"),
            ("bytes of a row in the part", f"{fit['row_bytes']:,.0f}"),
            ("a mean bulletin, all together", f"{1e3 * each:.0f} CPU-ms"),
            (
                "error of these times over groups of texts: mean, largest",
                f"{statistics.mean(map(abs, errors)):.0%}, {max(map(abs, errors)):.0%}",
            ),
        ],
    )


def _validation(content: Content) -> Iterator[str]:
    job, times = content["job"], service(content["fit"])
    parts = make_parts(np.array(job["lengths"]), Plan(documents=job["documents"]))
    rows = []
    for run in job["runs"]:
        spent = [sum(part["cpu"] for part in process["parts"]) for process in run["processes"]]
        measured = max(p["load"] + seconds for p, seconds in zip(run["processes"], spent, strict=True))
        predicted = simulate(durations(parts, times), Cluster(run["workers"]), load=times.load)
        rows.append(
            (
                str(run["workers"]),
                f"{sum(spent):.1f}",
                f"{predicted.busy:.1f}",
                f"{measured:.1f}",
                f"{predicted.makespan:.1f}",
                f"{predicted.makespan / measured - 1:+.0%}",
                f"{run['wall']:.1f}",
            )
        )
    yield (
        f"{len(job['lengths'])} bulletins, {sum(job['lengths']):,} characters, "
        f"{len(parts.documents)} parts of {job['documents']}:"
    )
    yield ""
    head = (
        "processes",
        "all parts, CPU-s",
        "simulated",
        "busiest process, CPU-s",
        "simulated",
        "difference",
        "wall clock, s",
    )
    yield from table(head, rows)


def _costs(content: Content, assumed: Assumptions) -> Iterator[str]:
    times, mean = service(content["fit"]), statistics.mean(content["lengths"])
    each = times.document + times.character * mean + times.row
    rows = []
    for count in COLLECTIONS:
        hours = count * each / 3600
        rows.append(
            (
                f"{count:,}",
                f"{hours:,.0f}",
                f"{hours * assumed.price:,.0f}",
                *(duration(3600 * hours / cores) for cores in CORES),
                f"{count * mean * BYTES_A_CHARACTER / 1e9:,.1f}",
                f"{count * content['fit']['row_bytes'] / 1e9:,.1f}",
            )
        )
    head = (
        "bulletins",
        "core-hours",
        f"money at {assumed.price:g} a core-hour",
        *(f"{cores:,} cores" for cores in CORES),
        "text read, GB",
        "Parquet written, GB",
    )
    yield from table(head, rows)
