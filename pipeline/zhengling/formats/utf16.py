"""UTF-16 units, in which browsers count, and code points, in which this project does."""

from __future__ import annotations

from itertools import accumulate


def has_astral(text: str) -> bool:
    """Whether a character lies beyond U+FFFF, so that the two counts differ."""
    return any(character > "\uffff" for character in text)


def to_units(text: str) -> list[int]:
    """The UTF-16 offset of every code point offset, shape ``(len(text) + 1,)``."""
    return list(accumulate((1 + (character > "\uffff") for character in text), initial=0))


def to_points(text: str) -> list[int | None]:
    """The code point offset of every UTF-16 offset; None within a surrogate pair."""
    table: list[int | None] = []
    for index, character in enumerate(text):
        table.append(index)
        if character > "\uffff":
            table.append(None)
    return [*table, len(text)]


def span_to_points(table: list[int | None], start: int, end: int) -> tuple[int, int] | None:
    """A span of UTF-16 offsets in code points, by a table of ``to_points``.

    Returns:
        Start and end, None if either is out of range or within a surrogate pair.
    """
    if not (0 <= start < len(table) and 0 <= end < len(table)):
        return None
    first, last = table[start], table[end]
    return None if first is None or last is None else (first, last)
