"""Texts of any length as overlapping windows: every character belongs to exactly one of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of text that the encoder reads at once.

    Attributes:
        start: first character read.
        end: one past the last character read.
        own_start: first character whose vector is taken from this window.
        own_end: one past the last such character.
    """

    start: int
    end: int
    own_start: int
    own_end: int


def cut_windows(length: int, borders: Sequence[int], *, size: int, overlap: int) -> list[Window]:
    """Cut a text into windows at sentence borders where possible.

    Of two overlapping windows a character belongs to the one that sees more beyond it, so ownership changes
    in the middle of the overlap; where a sentence border lies in the overlap, it changes at the border
    nearest to the middle, so that a sentence (and an entity in it) is read whole by one window if it fits.

    Args:
        length: characters in the text.
        borders: sentence starts, increasing.
        size: most characters a window may hold.
        overlap: characters by which neighbours overlap where no border decides; below ``size / 2``.

    Returns:
        Windows in order; their owned parts are a partition of ``range(length)``.
    """
    if not 0 <= 2 * overlap < size:
        raise ValueError(f"overlap {overlap} must be below half the window size {size}")
    if not length:
        return []
    spans = list(_spans(length, borders, size=size, overlap=overlap))
    cuts = [0, *(_cut(left, right, borders) for left, right in pairwise(spans)), length]
    return [
        Window(start, end, own_start, own_end)
        for (start, end), (own_start, own_end) in zip(spans, pairwise(cuts), strict=True)
    ]


def _spans(length: int, borders: Sequence[int], *, size: int, overlap: int) -> Iterator[tuple[int, int]]:
    start = 0
    while True:
        end = start + size
        if end >= length:
            yield start, length
            return
        # The last border in the window's second half: a fuller window wastes less on the overlap.
        end = _last_border(borders, after=start + size // 2, upto=end) or end
        yield start, end
        start = (
            _last_border(borders, after=max(start, end - 2 * overlap), upto=end - overlap) or end - overlap
        )


def _last_border(borders: Sequence[int], *, after: int, upto: int) -> int | None:
    """The largest border in ``(after, upto]``."""
    index = bisect_right(borders, upto) - 1
    return borders[index] if index >= 0 and borders[index] > after else None


def _cut(left: tuple[int, int], right: tuple[int, int], borders: Sequence[int]) -> int:
    """Where ownership passes from one window to the next."""
    low, high = right[0], left[1]
    middle = (low + high) // 2
    inside = borders[bisect_left(borders, low) : bisect_right(borders, high)]
    return min(inside, key=lambda border: abs(border - middle), default=middle)
