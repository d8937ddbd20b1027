"""Threads and processes that share or copy one pipeline: what they say is what one says alone.

    python -m tests.endurance.parallel --threads 8 --documents 200 --processes 4

Exit status: 0 identical, 1 not.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Annotated

import typer
from spacy.language import Language

import zhengling
from zhengling.components import bulletin_of
from zhengling.formats import read_bulletins

DATA = Path(__file__).parents[2] / "corpus" / "dev"


def texts_of(count: int) -> list[str]:
    """So many different texts: bulletins of the corpus, numbered."""
    bulletins = islice(cycle(read_bulletins(DATA)), count)
    return [f"第{number}号\n{bulletin.text[:400]}" for number, bulletin in enumerate(bulletins)]


def read(nlp: Language, text: str) -> str:
    """What a pipeline says of a text, each number to its last digit."""
    return json.dumps(bulletin_of(nlp(text)).to_dict())


def read_apart(texts: Sequence[str]) -> list[str]:
    """The same in a process with a pipeline of its own."""
    nlp = zhengling.load(threads=1)
    return [read(nlp, text) for text in texts]


def in_threads(nlp: Language, texts: Sequence[str], *, threads: int) -> list[list[str]]:
    """Every thread reads all texts with the one pipeline, each from another text on."""
    shift = len(texts) // threads
    with ThreadPoolExecutor(threads) as pool:
        orders = [list(range(n * shift, len(texts))) + list(range(n * shift)) for n in range(threads)]
        found = list(pool.map(lambda order: {at: read(nlp, texts[at]) for at in order}, orders))
    return [[answers[at] for at in range(len(texts))] for answers in found]


def in_processes(texts: Sequence[str], *, processes: int) -> list[list[str]]:
    """Every process is spawned, loads the model and reads all texts."""
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(read_apart, [texts] * processes))


def run(*, threads: int, documents: int, processes: int) -> dict[str, int]:
    """Compare; counts of answers.

    Raises:
        AssertionError: an answer differs; the message says whose.
    """
    nlp, texts = zhengling.load(threads=1), texts_of(documents)
    alone = list(map(partial(read, nlp), texts))
    ways = {
        "thread": in_threads(nlp, texts, threads=threads),
        "process": in_processes(texts, processes=processes),
    }
    for name, answers in ways.items():
        for number, given in enumerate(answers):
            different = [at for at, (a, b) in enumerate(zip(given, alone, strict=True)) if a != b]
            assert not different, f"{name} {number}: other answers to texts {different[:9]}"
    return {"answers_in_threads": threads * documents, "answers_in_processes": processes * documents}


def main(
    threads: Annotated[int, typer.Option(min=1)] = 8,
    documents: Annotated[int, typer.Option(min=1, help="That each of them reads.")] = 200,
    processes: Annotated[int, typer.Option(min=1)] = 4,
) -> None:
    """Compare threads and processes with serial work."""
    print(json.dumps(run(threads=threads, documents=documents, processes=processes)))


if __name__ == "__main__":
    typer.run(main)
