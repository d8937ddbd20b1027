"""Documents of any Unicode through a pipeline: spans, sentences, and round trips through every format.

    python -m tests.endurance.documents --documents 20000

A network with tags by chance reads all of them, as it marks far more than a trained one does; the default
model reads every tenth. Exit status: 0 all sound, 1 a fault, with the document's number.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from spacy.language import Language
from tests.backends import make_pipeline, noise_backend
from tests.formats.test_round_trip import PATHS
from tests.strategies import SCHEME

import zhengling
from zhengling.components import bulletin_of
from zhengling.formats import REGISTRY, FormatOptions, read_bulletins, write_bulletins
from zhengling.schema import Bulletin, faults

# Kinds of characters, each drawn as often as the others.
KINDS: Sequence[Sequence[tuple[int, int]]] = (
    [(0x4E00, 0x9FFF)],
    [(0x3000, 0x303F), (0xFF00, 0xFFEF), (0x2010, 0x2027)],
    [(0x20, 0x7E)],
    [(0x00, 0x1F), (0x7F, 0x9F)],
    [(0x202A, 0x202E), (0x2066, 0x2069), (0x200B, 0x200F), (0x0590, 0x06FF)],
    [(0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF)],
    [
        (0x0A, 0x0A),
        (0x0D, 0x0D),
        (0x85, 0x85),
        (0x2028, 0x2029),
        (0x0B, 0x0C),
        (0x20, 0x20),
        (0x3000, 0x3000),
    ],
    [(0x1F300, 0x1FAFF), (0x20000, 0x2A6DF), (0x30000, 0x3134F)],
    [(0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD), (0xFFFE, 0xFFFF), (0xFDD0, 0xFDEF)],
    [(0x0, 0xD7FF), (0xE000, 0x10FFFF)],
)
PHRASES = (
    "各地要",
    "民政部",
    "2024年底前",
    "。\r\n",
    "；\n\n",
    "（一）",
    "《通知》",
    "](ORG)",
    "。”",
    "#",
    "B-ORG O\n",
)
LONG = 200_000


def document(number: int) -> str:
    """The text of a number: usually some hundred characters, one in a thousand up to 200,000."""
    random = Random(number)
    longest = random.choices((20, 300, 3_000), (3, 6, 1))[0]
    length = random.randint(LONG // 10, LONG) if number % 1000 == 999 else random.randint(1, longest)
    chosen = random.sample(KINDS, random.randint(1, 3))
    pieces: list[str] = []
    size = 0
    while size < length:
        piece = random.choice(PHRASES) if random.random() < 0.1 else _character(random, chosen)
        pieces.append(piece)
        size += len(piece)
    return "".join(pieces)[:length]


def _character(random: Random, kinds: Sequence[Sequence[tuple[int, int]]]) -> str:
    return chr(random.randint(*random.choice(random.choice(kinds))))


def check(nlp: Language, numbers: Sequence[int]) -> Iterator[Bulletin]:
    """Read documents; their bulletins, once they are sound.

    Raises:
        AssertionError: one isn't; the message begins with its number.
    """
    texts = [document(number) for number in numbers]
    for number, text, doc in zip(numbers, texts, nlp.pipe(texts), strict=True):
        bulletin = bulletin_of(doc)
        found = list(_faults(bulletin, text))
        assert not found, f"{number}: {found[0]} and {len(found) - 1} more"
        yield replace(bulletin, id=str(number))


def _faults(bulletin: Bulletin, text: str) -> Iterator[str]:
    yield from faults(bulletin, scheme=SCHEME)
    if bulletin.text != text:
        yield "the text was changed"
    ends = [0]
    for sentence in bulletin.sentences:
        if text[ends[-1] : sentence.start].strip():
            yield f"text before {sentence.start} is in no sentence"
        if sentence.start < ends[-1] or not text[sentence.start : sentence.end].strip():
            yield f"sentence {sentence.start}:{sentence.end} overlaps or is blank"
        ends.append(sentence.end)
    if text[ends[-1] :].strip():
        yield "the end of the text is in no sentence"
    inside = {at: n for n, s in enumerate(bulletin.sentences) for at in range(s.start, s.end)}
    for entity in bulletin.entities:
        if not 0 <= (entity.score or 0) <= 1:
            yield f"score {entity.score}"
        if inside.get(entity.start, -1) != inside.get(entity.end - 1, -2):
            yield f"entity {entity.start}:{entity.end} crosses a sentence border"
    for directive in bulletin.directives:
        action = directive.action
        if not 0 <= directive.start <= action.start <= action.end <= directive.end <= len(text):
            yield f"directive {directive.start}:{directive.end} is not in the text"
        if text[action.start : action.end] != action.text:
            yield f"the words of directive {directive.start} aren't those of the text"


def check_round_trips(bulletins: Sequence[Bulletin]) -> None:
    """Through JSON and every format and back; scores only where the format keeps them.

    Raises:
        AssertionError: something was lost; the message names the format.
    """
    for bulletin in bulletins:
        assert Bulletin.from_dict(json.loads(json.dumps(bulletin.to_dict()))) == bulletin, bulletin.id
    plain = [_plain(bulletin) for bulletin in bulletins]
    with tempfile.TemporaryDirectory() as folder:
        for name in REGISTRY:
            path = Path(folder) / name / PATHS[name]
            options = FormatOptions(utf16=False)
            write_bulletins(plain, path, format=name, options=options)
            read = read_bulletins(path, format=name, scheme=SCHEME, options=options)
            assert sorted(read, key=_id) == sorted(plain, key=_id), f"{name}: {[b.id for b in plain]}"


def _plain(bulletin: Bulletin) -> Bulletin:
    """The annotation alone: what every format keeps."""
    return Bulletin(
        bulletin.id,
        bulletin.text,
        tuple(type(e)(e.start, e.end, e.label) for e in bulletin.entities),
        tuple(type(s)(s.start, s.end, s.function, s.domains) for s in bulletin.sentences),
    )


def _id(bulletin: Bulletin) -> str:
    return bulletin.id


def run(*, documents: int, first: int = 0, batch: int = 50) -> dict[str, int]:
    """Check so many documents; counts of what was seen."""
    noise, model = make_pipeline(SCHEME, noise_backend(SCHEME)), zhengling.load(threads=1)
    numbers = iter(range(first, first + documents))
    seen = {"documents": 0, "by_the_model": 0, "characters": 0, "entities": 0, "sentences": 0, "longest": 0}
    while group := list(islice(numbers, batch)):
        found = list(check(noise, group))
        check_round_trips(found)
        seen["by_the_model"] += len(list(check(model, group[::10])))
        seen["documents"] += len(found)
        seen["longest"] = max(seen["longest"], *(len(bulletin.text) for bulletin in found))
        seen["characters"] += sum(len(bulletin.text) for bulletin in found)
        seen["entities"] += sum(len(bulletin.entities) for bulletin in found)
        seen["sentences"] += sum(len(bulletin.sentences) for bulletin in found)
    return seen


def main(
    documents: Annotated[int, typer.Option(min=1)] = 20_000,
    first: Annotated[int, typer.Option(help="Number of the first document.")] = 0,
) -> None:
    """Check documents and print what was seen."""
    print(json.dumps(run(documents=documents, first=first)))


if __name__ == "__main__":
    typer.run(main)
