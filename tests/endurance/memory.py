"""Many documents through one process: memory doesn't grow, and the last tenth is as fast as the first.

    python -m tests.endurance.memory --documents 100000

A tenth of the documents runs beforehand, uncounted: caches fill and allocators settle. Throughput is that of
the process's own CPU time, so that other work on the machine doesn't matter; memory is resident (Linux).
Exit status: 0 all well, 1 too much growth or too slow.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from spacy.language import Language

import zhengling
from zhengling.components import bulletin_of
from zhengling.formats import read_bulletins

DATA = Path(__file__).parents[2] / "corpus" / "dev"
ALLOWED_GROWTH = 50_000_000
ALLOWED_SLOWDOWN = 0.1
TENTHS = 10


def texts_of(count: int, *, characters: int, seed: int) -> Iterator[str]:
    """Texts that differ: stretches of bulletins, each with a number, so that caches don't help."""
    bulletins, random = [bulletin.text for bulletin in read_bulletins(DATA)], Random(seed)
    for number in range(count):
        text = random.choice(bulletins)
        start = random.randrange(max(1, len(text) - characters))
        yield f"{seed}-{number}号 {text[start : start + characters]}"


def resident() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def work(nlp: Language, count: int, *, characters: int, seed: int) -> float:
    """Read so many texts; characters per CPU-second."""
    begun, seen = time.process_time(), 0
    for doc in nlp.pipe(texts_of(count, characters=characters, seed=seed)):
        seen += len(bulletin_of(doc).text)
    return seen / (time.process_time() - begun)


def run(*, documents: int, characters: int) -> dict[str, object]:
    """Read documents in tenths: growth of memory, and the speed of each tenth."""
    nlp, part = zhengling.load(threads=1), documents // TENTHS
    work(nlp, part, characters=characters, seed=-1)
    gc.collect()
    memory, speeds = [resident()], []
    for tenth in range(TENTHS):
        speeds.append(work(nlp, part, characters=characters, seed=tenth))
        gc.collect()
        memory.append(resident())
    return {
        "documents": part * TENTHS,
        "characters_each": characters,
        "growth_mb": round((memory[-1] - memory[0]) / 1e6, 1),
        "last_to_first": round(speeds[-1] / speeds[0], 3),
        "characters_per_cpu_second": [round(speed) for speed in speeds],
        "steps_mb": [round((after - before) / 1e6, 1) for before, after in pairwise(memory)],
        "resident_mb": round(memory[-1] / 1e6),
    }


def main(
    documents: Annotated[int, typer.Option(min=TENTHS)] = 100_000,
    characters: Annotated[int, typer.Option(min=1, help="Of a document, at most.")] = 200,
) -> None:
    """Read documents and print growth and speed."""
    found = run(documents=documents, characters=characters)
    print(json.dumps(found))
    growth, ratio = float(str(found["growth_mb"])), float(str(found["last_to_first"]))
    if growth > ALLOWED_GROWTH / 1e6 or ratio < 1 - ALLOWED_SLOWDOWN:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
