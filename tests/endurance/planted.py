"""Entities planted at every offset of a text that fills several windows: each is found, once and whole.

    python -m tests.endurance.planted --width 2 --width 60

The network tags planted characters as told, so that the right answer is known; all around it is real:
tokenizer, sentences, windows, decoding. Exit status: 0 all found, 1 not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from spacy.language import Language
from tests.backends import ALPHABET, make_pipeline, mark_backend
from tests.strategies import SCHEME

BEGIN, INSIDE, END, SINGLE, OTHER = ALPHABET[:5]
MARKS = {BEGIN: "B-ORG", INSIDE: "I-ORG", END: "E-ORG", SINGLE: "S-ORG"}
# Window and overlap: of the default model, of the component, and windows little longer than entities.
WINDOWS = ((254, 16), (254, 48), (80, 8))
LENGTH = 700  # three windows of 254


def planted(length: int, *, width: int, offset: int, sentence: int) -> str:
    """A text with one entity; a sentence ends after every so many characters outside it."""
    entity = SINGLE if width == 1 else BEGIN + INSIDE * (width - 2) + END
    rest = [OTHER] * (length - width)
    rest[sentence - 1 :: sentence] = "。" * len(rest[sentence - 1 :: sentence])
    return "".join(rest[:offset]) + entity + "".join(rest[offset:])


def missed(nlp: Language, *, width: int, sentence: int, length: int = LENGTH, step: int = 1) -> Iterator[int]:
    """Offsets at which the entity was not all that was found."""
    offsets = range(0, length - width + 1, step)
    texts = (planted(length, width=width, offset=offset, sentence=sentence) for offset in offsets)
    for offset, doc in zip(offsets, nlp.pipe(texts), strict=True):
        if [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents] != [
            (offset, offset + width, "ORG")
        ]:
            yield offset


def run(*, widths: Sequence[int], step: int = 1) -> dict[str, int]:
    """Plant entities at every ``step``-th offset; how many.

    Raises:
        AssertionError: one was not found; the message says where.
    """
    count = 0
    for size, overlap in WINDOWS:
        nlp = make_pipeline(SCHEME, mark_backend(SCHEME, MARKS), size=size, overlap=overlap)
        for width in widths:
            for sentence in (37, 199, 10**6):
                lost = list(missed(nlp, width=width, sentence=sentence, step=step))
                assert not lost, f"windows {size}/{overlap}, width {width}, sentences {sentence}: {lost[:9]}"
                count += len(range(0, LENGTH - width + 1, step))
    return {"planted": count, "found": count}


def main(widths: Annotated[list[int] | None, typer.Option("--width", min=1, max=60)] = None) -> None:
    """Plant entities and print how many were found."""
    print(json.dumps(run(widths=widths or (1, 2, 3, 7, 16, 30, 60))))


if __name__ == "__main__":
    typer.run(main)
