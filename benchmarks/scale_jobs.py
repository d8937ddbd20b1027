"""Jobs of ``scale.py``: what is assumed of them, and tables of what the simulation says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scale_measure import service
from scale_simulation import (
    Cluster,
    Lengths,
    Parts,
    Plan,
    Run,
    durations,
    make_parts,
    sample_lengths,
    simulate,
    work,
)

Content = Mapping[str, Any]
WORKERS = (1, 10, 100, 1000)
SIZES = (10_000, 100_000, 300_000, 1_000_000)
FAILURES = (0.0, 0.05, 0.5, 5.0)
SPREADS = (0.0, 0.1, 0.3, 0.6)
PART, PIECE = 100_000, 50_000
CUT = "the same, long ones cut"


def cut_plan(size: int) -> Plan:
    """Parts of about so many characters, long ones first, long documents cut."""
    return Plan(characters=size, longest_first=True, split=min(size, PIECE))


# The first goes by documents: as many as have about the characters of the others' parts, were none long.
PLANS = {
    "by documents": Plan(documents=PART // 600),
    "by characters": Plan(characters=PART),
    "by characters, longest first": Plan(characters=PART, longest_first=True),
    CUT: cut_plan(PART),
}


@dataclass(frozen=True)
class Assumptions:
    """What wasn't measured; see the options of ``scale.py simulate``."""

    price: float
    bulletins: int
    long_share: float
    longest: int
    commit: float
    replacement: float
    spread: float
    seed: int


@dataclass(frozen=True)
class Setting:
    """A collection with the seconds that it takes."""

    content: Content
    assumed: Assumptions
    lengths: Lengths

    def work(self) -> float:
        """Seconds of one worker for documents that aren't cut."""
        whole = Parts(np.array([len(self.lengths)]), np.array([self.lengths.sum()]))
        return float(work(whole, service(self.content["fit"]))[0])

    def run(self, parts: Parts, *, workers: int, failures: float = 0.0, spread: float | None = None) -> Run:
        """A job over the collection's parts; speeds vary as assumed if ``spread`` is None."""
        times = service(self.content["fit"])
        cluster = Cluster(
            workers=workers,
            failures=failures,
            replacement=self.assumed.replacement,
            spread=self.assumed.spread if spread is None else spread,
        )
        seconds = durations(parts, times, commit=self.assumed.commit)
        return simulate(seconds, cluster, load=times.load, seed=self.assumed.seed)


def setting_of(content: Content, assumed: Assumptions) -> Setting:
    """The collection of the simulated jobs."""
    lengths = sample_lengths(
        content["lengths"],
        assumed.bulletins,
        long_share=assumed.long_share,
        longest=assumed.longest,
        seed=assumed.seed,
    )
    return Setting(content, assumed, lengths)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Lines of a table in Markdown."""
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def duration(seconds: float) -> str:
    """A time in the unit that suits it."""
    units = ((86_400 * 3, 86_400, "days"), (7200, 3600, "h"), (120, 60, "min"))
    for least, size, name in units:
        if seconds >= least:
            return f"{seconds / size:,.1f} {name}"
    return f"{seconds:.0f} s"


def describe(setting: Setting) -> Iterator[str]:
    """What is simulated, and what was assumed."""
    assumed, lengths = setting.assumed, setting.lengths
    long = lengths >= assumed.longest / 100
    yield (
        f"The simulated job has {len(lengths):,} bulletins: lengths drawn from the measured ones, and "
        f"{assumed.long_share:.2%} long documents of {assumed.longest // 100:,} to {assumed.longest:,} "
        "characters, evenly on a logarithmic scale. These hold "
        f"{lengths[long].sum() / lengths.sum():.0%} of all {lengths.sum():,} characters. "
        f"It is {duration(setting.work())} of work for one core. Assumed, not "
        f"measured: {assumed.commit:g} s to claim a part and to commit it to a store, "
        f"{assumed.replacement:g} s until a lost worker is replaced, workers' speeds that vary by "
        f"{assumed.spread:.0%}."
    )


def by_workers(setting: Setting) -> Iterator[str]:
    """Time of the job, efficiency and idle tail by number of workers, for each way of making parts."""
    needed = setting.work()
    rows = []
    for name, plan in PLANS.items():
        parts = make_parts(setting.lengths, plan)
        cells = []
        for workers in WORKERS:
            run = setting.run(parts, workers=workers)
            cells.append(f"{duration(run.makespan)}, {run.efficiency(needed):.0%} ({run.tail:.0%})")
        rows.append((name, f"{len(parts.documents):,}", *cells))
    head = (
        "parts",
        "number",
        *(f"{workers:,} {'worker' if workers == 1 else 'workers'}" for workers in WORKERS),
    )
    yield from table(head, rows)


def by_size(setting: Setting) -> Iterator[str]:
    """Efficiency and idle tail by size of the parts."""
    needed, most = setting.work(), WORKERS[-1]
    rows = []
    for size in SIZES:
        parts = make_parts(setting.lengths, cut_plan(size))
        documents = len(setting.lengths) / len(parts.documents)
        runs = [setting.run(parts, workers=workers) for workers in (WORKERS[-2], most)]
        output = documents * setting.content["fit"]["row_bytes"] / 1e6
        rows.append(
            (
                f"{size:,}",
                f"{len(parts.documents):,}",
                f"{len(parts.documents) / most:,.1f}",
                f"{output:,.2f}",
                *(f"{run.efficiency(needed):.0%} ({run.tail:.0%})" for run in runs),
            )
        )
    head = (
        "characters a part",
        "parts",
        f"a worker of {most:,}",
        "MB of a part",
        f"{WORKERS[-2]:,} workers",
        f"{most:,} workers",
    )
    yield from table(head, rows)


def by_failures(setting: Setting) -> Iterator[str]:
    """Parts begun again, work lost and efficiency by rate of failure and size of the parts."""
    needed, workers = setting.work(), WORKERS[-2]
    sized = [make_parts(setting.lengths, cut_plan(size)) for size in SIZES]
    rows = []
    for rate in FAILURES:
        cells = []
        for parts in sized:
            run = setting.run(parts, workers=workers, failures=rate)
            lost = run.lost / (run.busy + run.lost)
            cells.append(f"{run.retries:,} ({lost:.1%}), {run.efficiency(needed):.0%}")
        rows.append((f"{rate:g}", *cells))
    head = (f"failures of a worker in an hour, {workers:,} workers", *(f"{size:,} a part" for size in SIZES))
    yield from table(head, rows)


def by_speeds(setting: Setting) -> Iterator[str]:
    """Efficiency and idle tail by how much workers' speeds vary."""
    needed = setting.work()
    parts = make_parts(setting.lengths, PLANS[CUT])
    rows = []
    for spread in SPREADS:
        runs = [setting.run(parts, workers=workers, spread=spread) for workers in WORKERS[1:]]
        rows.append((f"{spread:.0%}", *(f"{run.efficiency(needed):.0%} ({run.tail:.0%})" for run in runs)))
    yield from table(("speeds vary by", *(f"{workers:,} workers" for workers in WORKERS[1:])), rows)
