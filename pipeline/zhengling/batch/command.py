"""What the command line does: engines by name, a progress bar, what is said at the end."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from zhengling.batch.finding import find_input
from zhengling.batch.job import BatchSettings, Job, Say
from zhengling.batch.local import run_local
from zhengling.batch.manifest import Counts
from zhengling.batch.on_ray import RayOptions, run_on_ray
from zhengling.batch.running import Engine, run_batch

LOCAL, RAY = "local", "ray"


@dataclass(frozen=True, slots=True)
class Options:
    """What is said on the command line beside the job.

    Attributes:
        kind: of the input; by its suffixes if None.
        engine: ``LOCAL`` or ``RAY``.
        processes: workers; a core each if None.
        overwrite: start anew.
        ray_address: a cluster that runs already; None starts one on this machine.
        ray_gpus: GPUs that Ray reserves for a worker.
    """

    kind: str | None = None
    engine: str = LOCAL
    processes: int | None = None
    overwrite: bool = False
    ray_address: str | None = None
    ray_gpus: float = 0.0


def run_command(
    source: Path,
    output: Path,
    *,
    model: str | None,
    rules: Path | None,
    settings: BatchSettings,
    options: Options,
    say: Say,
) -> Counts:
    """Run a batch with a progress bar on standard error.

    Raises:
        ZhenglingError: the run can't begin or go on.
        OSError: likewise.
    """
    found = find_input(source, kind=options.kind)
    job = Job(found.root, found.kind.name, output, model, rules, settings)
    with tqdm(unit=" documents", leave=False, disable=None) as bar:

        def start(units: int, done: int) -> None:
            bar.reset(units)
            bar.update(done)

        def tell(line: str) -> None:
            bar.clear()
            say(line)

        engine = _engine(options, say=tell, progress=bar.update)
        return run_batch(job, found, engine, overwrite=options.overwrite, say=tell, start=start)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _engine(options: Options, *, say: Say, progress: Callable[[int], object]) -> Engine:
    processes = options.processes or cores()
    if options.engine == RAY:
        ray = RayOptions(processes, options.ray_address, options.ray_gpus)
        return functools.partial(run_on_ray, options=ray, progress=progress)
    return functools.partial(run_local, processes=processes, say=say, progress=progress)
