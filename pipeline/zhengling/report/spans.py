"""A bulletin's text cut into pieces for display, and what was found in it, counted."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from zhengling.errors import DataError
from zhengling.schema import Bulletin, Entity, Label, LabelScheme, Sentence, faults

UNKNOWN_COLOUR = "#888888"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is one entity, or none."""

    text: str
    entity: Entity | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, or the text between two sentences, as pieces."""

    pieces: tuple[Piece, ...]
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a label occurs, and its strings with their counts, most frequent first."""

    label: Label
    total: int
    strings: tuple[tuple[str, int], ...]


def segments(bulletin: Bulletin) -> tuple[Segment, ...]:
    """Cut a text into sentences and gaps; the pieces joined are the text, each entity is one piece.

    An entity that runs past the end of its sentence stays whole: the next sentence begins after it.

    Raises:
        DataError: spans overlap, are out of order or out of range.
    """
    _check(bulletin)
    queue = deque(bulletin.entities)
    cursor, found = 0, []
    borders = [(owner, end) for s in bulletin.sentences for owner, end in ((None, s.start), (s, s.end))]
    for owner, end in (*borders, (None, len(bulletin.text))):
        pieces = tuple(_pieces(bulletin, queue, start=cursor, end=end))
        cursor += sum(len(piece.text) for piece in pieces)
        if pieces or owner is not None:
            found.append(Segment(pieces=pieces, sentence=owner))
    return tuple(found)


def tallies(bulletin: Bulletin, *, scheme: LabelScheme) -> tuple[Tally, ...]:
    """Count a bulletin's entities by label, in the scheme's order."""
    strings: dict[str, Counter[str]] = {}
    for entity in bulletin.entities:
        strings.setdefault(entity.label, Counter())[one_line(bulletin.surface(entity))] += 1
    return tuple(
        Tally(
            label=label, total=strings[label.name].total(), strings=tuple(strings[label.name].most_common())
        )
        for label in known_labels(scheme.entities, strings)
    )


def known_labels(labels: tuple[Label, ...], used: Collection[str]) -> tuple[Label, ...]:
    """The labels in use: first the scheme's in its order, then those it doesn't know, in grey."""
    names = {label.name for label in labels}
    strange = (Label(name=name, zh="", colour=UNKNOWN_COLOUR) for name in used if name not in names)
    return (*(label for label in labels if label.name in used), *strange)


def one_line(text: str) -> str:
    """A text for a cell: line breaks at Chinese characters vanish, other white space is one space."""
    return re.sub(r"\s+", _narrow, text.strip())


def _narrow(gap: re.Match[str]) -> str:
    before, after = gap.string[gap.start() - 1], gap.string[gap.end()]
    broken = "\n" in gap[0] or "\r" in gap[0]
    return "" if broken and not (before + after).isascii() else " "


def _pieces(bulletin: Bulletin, queue: deque[Entity], *, start: int, end: int) -> Iterator[Piece]:
    """The text from start to end, taking the entities that begin in it off the queue."""
    while queue and queue[0].start < end:
        entity = queue.popleft()
        if start < entity.start:
            yield Piece(text=bulletin.text[start : entity.start])
        yield Piece(text=bulletin.surface(entity), entity=entity)
        start = entity.end
    if start < end:
        yield Piece(text=bulletin.text[start:end])


def _check(bulletin: Bulletin) -> None:
    for spans in (bulletin.entities, bulletin.sentences):
        borders = [0, *(edge for span in spans for edge in (span.start, span.end)), len(bulletin.text)]
        if borders != sorted(borders):
            raise _unsound(bulletin)
    if any(not 0 <= directive.sentence < len(bulletin.sentences) for directive in bulletin.directives):
        raise _unsound(bulletin)


def _unsound(bulletin: Bulletin) -> DataError:
    return DataError(f"bulletin {bulletin.id!r} can't be shown: {'; '.join(faults(bulletin))}")
