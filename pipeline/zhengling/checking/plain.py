"""Sentences as patterns see them: without white space, in half-width forms, with the way back."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from zhengling.characters import normalise_character
from zhengling.schema import Bulletin, Sentence


@dataclass(frozen=True, slots=True)
class Plain:
    """A stretch of text without white space.

    Attributes:
        text: its characters, normalised one by one.
        offsets: of each character its place in the bulletin's text.
        sentence: the sentence that it is, None if the bulletin has no sentences.
    """

    text: str
    offsets: tuple[int, ...]
    sentence: Sentence | None = None

    def span(self, match: re.Match[str]) -> tuple[int, int]:
        """Where in the bulletin's text a match lies."""
        return self.offsets[match.start()], self.offsets[match.end() - 1] + 1


def plain(text: str, *, start: int = 0, end: int | None = None, sentence: Sentence | None = None) -> Plain:
    """Normalise a stretch of text."""
    stop = len(text) if end is None else end
    offsets = tuple(index for index in range(start, stop) if not text[index].isspace())
    return Plain("".join(_normalised(text[index]) for index in offsets), offsets, sentence)


def plain_sentences(bulletin: Bulletin) -> Iterator[Plain]:
    """The sentences of a bulletin; its whole text if it has none."""
    if not bulletin.sentences:
        yield plain(bulletin.text)
    for sentence in bulletin.sentences:
        yield plain(bulletin.text, start=sentence.start, end=sentence.end, sentence=sentence)


@functools.lru_cache(maxsize=1 << 16)
def _normalised(character: str) -> str:
    return normalise_character(character)
