# ruff: noqa: PLC0415
"""What a worker takes, by the clock of its processor: loading, reading, writing; and a small job for real.

zhengling's modules are imported by the functions, after ``without_torch``.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.queues import Queue, SimpleQueue
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from scale_simulation import Service

if TYPE_CHECKING:
    from spacy.language import Language

    from zhengling.inputs import Source
    from zhengling.schema import Bulletin

GROUP = 8
FIRST = "各地要做好准备。"
LONG = (1_000, 3_000, 10_000)

Timing = dict[str, float]


def timed(work: Callable[[], object]) -> Timing:
    """Seconds of the processor and of the wall clock."""
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - clock}


def without_torch() -> None:
    """Let torch's import fail, as it does on workers; spaCy would import it where it is installed."""
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]


def loading(model: str, *, passes: int) -> list[Timing]:
    """A worker from its start until it could take its first part."""
    jobs = [small_job(model, [], documents=1, workers=1) for _ in range(passes)]
    return [{"cpu": job["processes"][0]["load"], "wall": job["wall"]} for job in jobs]


def reading(model: str, texts: Sequence[str]) -> tuple[list[Timing], list[Bulletin]]:
    """Groups of texts of like length as they are read together, then single texts of growing length.

    Returns:
        The timings, and what was found in the groups.
    """
    from zhengling.analysis import analyse
    from zhengling.inputs import Source

    nlp = _load(model)
    inputs = sorted((Source(str(place), "", text) for place, text in enumerate(texts)), key=_length)
    whole = "\n".join(texts)
    singles = [[Source("", "", whole[:length])] for length in LONG if length <= len(whole)]
    found: list[Bulletin] = []
    timings = []
    for group in [*(inputs[start : start + GROUP] for start in range(0, len(inputs), GROUP)), *singles]:
        result: list[Bulletin] = []
        timing = timed(lambda group=group, result=result: result.extend(analyse(nlp, group)))  # type: ignore[misc]
        timings.append({"documents": len(group), "characters": sum(map(_length, group)), **timing})
        found += result if group not in singles else []
    return timings, found


def _length(source: Source) -> int:
    return len(source.text)


def writing(bulletins: Sequence[Bulletin]) -> Iterator[Timing]:
    """Parts of one row, of a few and of all as Parquet files."""
    from zhengling.store.parquet import write_parquet

    with TemporaryDirectory() as folder:
        path = Path(folder) / "part.parquet"
        write_parquet(bulletins, path)
        for rows in (1, len(bulletins) // 4, len(bulletins) // 2, len(bulletins)):
            timing = timed(lambda rows=rows: write_parquet(bulletins[:rows], path))  # type: ignore[misc]
            yield {"rows": rows, "bytes": path.stat().st_size, **timing}


def fit(load: Sequence[Timing], read: Sequence[Timing], written: Sequence[Timing]) -> dict[str, float]:
    """The times of ``Service`` by least squares, each measurement weighed by its inverse, and bytes a row."""
    document, character = _plane(read, "documents", "characters")
    part, row = _plane(written, None, "rows")
    first, last = written[0], written[-1]
    return {
        "load": statistics.median(one["cpu"] for one in load),
        "document": document,
        "character": character,
        "part": part,
        "row": row,
        "row_bytes": (last["bytes"] - first["bytes"]) / (last["rows"] - first["rows"]),
    }


def _plane(found: Sequence[Timing], first: str | None, second: str) -> tuple[float, float]:
    """Seconds for each of two counts (the first is 1 if None), neither negative, by relative error."""
    seconds = np.array([one["cpu"] for one in found])
    counts = np.array([[one[first] if first else 1.0, one[second]] for one in found])
    scaled = counts / seconds[:, None]
    ones = np.ones(len(found))
    solution = np.linalg.lstsq(scaled, ones, rcond=None)[0]
    if solution.min() < 0:  # then the other alone explains it
        kept = int(solution.argmax())
        solution = np.zeros(2)
        solution[kept] = scaled[:, kept] @ ones / (scaled[:, kept] @ scaled[:, kept])
    return float(solution[0]), float(solution[1])


def small_job(model: str, texts: Sequence[str], *, documents: int, workers: int) -> dict[str, Any]:
    """Read texts with so many processes, each with the model, from one queue of parts; each part is a file.

    Returns:
        For each process its seconds of loading and of each part.
    """
    context = get_context("spawn")
    tasks: Queue[list[str] | None] = context.Queue()
    results: SimpleQueue[dict[str, Any]] = context.SimpleQueue()
    parts = [list(texts[start : start + documents]) for start in range(0, len(texts), documents)]
    for part in [*parts, *([None] * workers)]:
        tasks.put(part)
    clock = time.perf_counter()
    with TemporaryDirectory() as folder:
        processes = [
            context.Process(target=_work, args=(model, folder, number, tasks, results))
            for number in range(workers)
        ]
        for process in processes:
            process.start()
        answers = [results.get() for _ in processes]
        for process in processes:
            process.join()
    return {"workers": workers, "wall": time.perf_counter() - clock, "processes": answers}


def _load(model: str) -> Language:
    """The pipeline with one thread, which has read its first text."""
    from zhengling import load

    nlp = load(model, threads=1)
    nlp(FIRST)
    return nlp


def _work(
    model: str, folder: str, number: int, tasks: Queue[list[str] | None], results: SimpleQueue[dict[str, Any]]
) -> None:
    without_torch()
    from zhengling.analysis import analyse
    from zhengling.inputs import Source
    from zhengling.store.parquet import write_parquet

    nlp = _load(model)
    # What is loaded when it is first needed, such as the rules of directives, is loaded now.
    first = analyse(nlp, [Source("", "", FIRST)])
    write_parquet(first, Path(folder) / f"{number}.parquet")
    load = time.process_time()
    timings = []
    for count, part in enumerate(iter(tasks.get, None)):
        sources = [Source(str(place), "", text) for place, text in enumerate(part)]
        path = Path(folder) / f"{number}-{count}.parquet"
        timings.append(timed(lambda s=sources, p=path: write_parquet(analyse(nlp, s), p)))  # type: ignore[misc]
    results.put({"load": load, "parts": timings})


def service(fitted: dict[str, float]) -> Service:
    """The times that the simulation needs."""
    return Service(**{name: fitted[name] for name in Service.__dataclass_fields__})
