"""A bulletin as the rules read it: its words, its words without what brackets hide, its entities."""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Set
from dataclasses import dataclass

from zhengling.directives.rules import Rules
from zhengling.schema import Bulletin, Entity

Span = tuple[int, int]

_HIDDEN = "\0"
_PAIRS = {
    "）": "（(",
    ")": "（(",
    "》": "《",
    "”": "“",
    "’": "‘",
    "」": "「",
    "』": "『",
    "】": "【",
    "〕": "〔",
}
_QUOTES = frozenset("”’」』")
# A longer quotation is speech, which is read like any text.
_LONGEST_QUOTE = 20
_LONGEST_CLAUSE = 200
_BORDER = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[，；;：。！!？?…]")
_CLOSING = "；;。，,、：:！!…"


@dataclass(frozen=True, slots=True)
class Page:
    """A bulletin's text and entities for the rules.

    Attributes:
        text: the raw text.
        flat: the same length; what stands in brackets, titles and short quotations is hidden.
        entities: sorted, not overlapping.
        starts: where they start.
        rules: cue words and labels.
    """

    text: str
    flat: str
    entities: tuple[Entity, ...]
    starts: tuple[int, ...]
    rules: Rules

    def entities_in(self, start: int, end: int, labels: Set[str]) -> list[Entity]:
        """Entities with one of the labels that lie within, in order."""
        inside = self.entities[bisect_left(self.starts, start) : bisect_left(self.starts, end)]
        return [entity for entity in inside if entity.end <= end and entity.label in labels]

    def ending_at(self, end: int, labels: Set[str]) -> Entity | None:
        """The entity with one of the labels that ends there."""
        index = bisect_right(self.starts, end - 1) - 1
        entity = self.entities[index] if index >= 0 else None
        return entity if entity and entity.end == end and entity.label in labels else None

    def starting_at(self, start: int, labels: Set[str]) -> Entity | None:
        """The entity with one of the labels that starts there."""
        index = bisect_left(self.starts, start)
        entity = self.entities[index] if index < len(self.entities) else None
        return entity if entity and entity.start == start and entity.label in labels else None

    def clauses(self, start: int, end: int) -> Iterator[Span]:
        """Stretches between commas, colons and semicolons."""
        begin = start
        for border in _BORDER.finditer(self.flat, start, end):
            if border.start() > begin:
                yield begin, border.start()
            begin = border.end()
        if begin < end:
            yield begin, end

    def clause_start(self, start: int, place: int) -> int:
        """Where the clause begins that holds a place, not further back than names are looked for."""
        begin = max(start, place - _LONGEST_CLAUSE)
        for border in _BORDER.finditer(self.flat, start, place):
            begin = border.end()
        return begin


def page_of(bulletin: Bulletin, rules: Rules) -> Page:
    """Prepare a bulletin; brackets are matched within a sentence."""
    flat = list(bulletin.text)
    for sentence in bulletin.sentences:
        for start, end in _hidden(bulletin.text, sentence.start, sentence.end):
            flat[start:end] = _HIDDEN * (end - start)
    entities = bulletin.entities
    starts = tuple(entity.start for entity in entities)
    return Page(bulletin.text, "".join(flat), entities, starts, rules)


def trimmed(text: str, start: int, end: int) -> Span:
    """The span without white space at its ends and without closing punctuation."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] in _CLOSING):
        end -= 1
    return start, end


@functools.lru_cache(maxsize=256)
def compiled(expression: str) -> re.Pattern[str]:
    """A compiled expression; the same few are made over and over."""
    return re.compile(expression)


def _hidden(text: str, start: int, end: int) -> Iterator[Span]:
    """What lies between brackets that close, brackets included."""
    opened: list[int] = []
    for place in range(start, end):
        character = text[place]
        if character in "（(《“‘「『【〔":
            opened.append(place)
        elif character in _PAIRS:
            openers = [index for index in opened if text[index] in _PAIRS[character]]
            if openers:
                opened = [index for index in opened if index < openers[-1]]
                if character not in _QUOTES or place - openers[-1] <= _LONGEST_QUOTE:
                    yield openers[-1], place + 1
