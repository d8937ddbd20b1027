"""Runs with little around them: texts, an engine in this process, what a run left."""

from __future__ import annotations

import functools
import json
import os
import re
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from zhengling.batch.finding import find_input
from zhengling.batch.job import BatchSettings, Job
from zhengling.batch.local import run_local
from zhengling.batch.manifest import Counts, Finished
from zhengling.batch.parts import Analyst, analyse_part
from zhengling.batch.ranges import Part
from zhengling.batch.running import Engine, run_batch

SMALL = BatchSettings(part_documents=4, group_documents=3)


def texts(count: int) -> list[str]:
    return [f"{'一丁七万丈三上下不与'[n % 10]}第{n}号。{'丕且丗丘业，' * (n % 7)}" for n in range(count)]


def write_jsonl(path: Path, values: Iterable[str]) -> Path:
    lines = (json.dumps({"id": f"d{n}", "text": text}) + "\n" for n, text in enumerate(values))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def in_process(parts: Iterable[Part], job: Job) -> Generator[Finished]:
    """The simplest engine."""
    analyst = Analyst.open(job)
    for part in parts:
        yield analyse_part(part, analyst)


def local(processes: int, said: list[str] | None = None) -> Engine:
    say = said.append if said is not None else lambda _: None
    return functools.partial(run_local, processes=processes, say=say, progress=lambda _: None)


def job_of(source: Path, output: Path, model: Path, settings: BatchSettings = SMALL) -> Job:
    found = find_input(source)
    return Job(found.root, found.kind.name, output, str(model), None, settings)


def run(
    source: Path,
    output: Path,
    model: Path,
    *,
    engine: Engine = in_process,
    settings: BatchSettings = SMALL,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Counts:
    job = job_of(source, output, model, settings)
    return run_batch(
        job, find_input(source), engine, overwrite=overwrite, say=say, start=lambda units, done: None
    )


def rows(output: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(output / "parts").to_pylist()
    return found


def contents(output: Path) -> dict[str, bytes]:
    """The results, byte for byte."""
    files = [*sorted((output / "parts").iterdir()), output / "quarantine.jsonl"]
    return {path.name: path.read_bytes() for path in files}


def quarantine(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "quarantine.jsonl").read_text("utf-8").splitlines()]


def manifest(output: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    return found


def failing_after(count: int) -> Engine:
    """An engine that ends after some parts, as a run that is stopped."""

    def run_some(parts: Iterable[Part], job: Job) -> Generator[Finished]:
        results: Iterator[Finished] = in_process(parts, job)
        for _ in range(count):
            yield next(results)
        raise KeyboardInterrupt

    return run_some


def steps(output: Path) -> Iterator[tuple[int, str]]:
    """Workers by process id, and the step that each is at."""
    for trail in (output / ".batch" / "trails").glob("*"):
        with suppress(OSError, StopIteration):
            lines = trail.read_text(encoding="utf-8").splitlines()
            worker = next(line for line in reversed(lines) if line.startswith("attempt "))
            yield int(worker.removeprefix("attempt ")), lines[-1]


@contextmanager
def killing(output: Path, step: str, *, times: int | None = None) -> Iterator[list[int]]:
    """Kill workers that are at a step, in a thread, until the block ends; gives those that were killed."""
    killed: list[int] = []
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(0.002) and (times is None or len(killed) < times):
            for worker, at in steps(output):
                if re.fullmatch(step, at) and worker not in killed:
                    with suppress(ProcessLookupError):
                        os.kill(worker, signal.SIGKILL)
                        killed.append(worker)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()
