"""Charts of counts in inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from zhengling.report.svg import Picture, group, picture, rect, short, slanted, text, width_of

_LENGTH = 360.0
_STEP = 24.0
_CELL = 34.0


@dataclass(frozen=True, slots=True)
class Count:
    """A named count, with the class that colours it."""

    name: str
    total: int
    style: str = "plain"


def bar_chart(counts: Sequence[Count], *, title: str) -> Picture:
    """Horizontal bars with their counts, from top to bottom, the longest over the full length."""
    left = 16 + max((width_of(short(count.name)) for count in counts), default=0.0)
    most = max((count.total for count in counts), default=1) or 1
    parts = [
        _bar(count, left=left, length=_LENGTH * count.total / most, y=_STEP * number + 4)
        for number, count in enumerate(counts)
    ]
    return picture(parts, width=left + _LENGTH + 80, height=_STEP * len(counts) + 8, title=title)


def _bar(count: Count, *, left: float, length: float, y: float) -> Markup:
    parts = [
        text(left - 8, y + 13, short(count.name), "end"),
        rect(left, y + 2, length, 14, f"bar {count.style}"),
        text(left + length + 8, y + 13, f"{count.total:,}", "start"),
    ]
    return group(parts, tip=f"{count.name}: {count.total:,}")


def month_chart(rows: Sequence[tuple[Count, Sequence[int]]], *, months: Sequence[str], title: str) -> Picture:
    """A row for each name and a cell for each month, darker where there is more.

    Args:
        rows: names with their counts by month; the strength of a cell is its share of the chart's most.
        months: ``2026-03``.
        title: of the picture.
    """
    left = 16 + max((width_of(short(count.name)) for count, _ in rows), default=0.0)
    top = 62.0
    most = max((value for _, values in rows for value in values), default=1) or 1
    parts = [slanted(left + _CELL * (place + 0.5), top - 8, month) for place, month in enumerate(months)]
    for number, (count, values) in enumerate(rows):
        y = top + _STEP * number
        parts.append(text(left - 8, y + 16, short(count.name), "end"))
        for place, value in enumerate(values):
            tip = f"{count.name} {months[place]}: {value:,}"
            parts.append(_cell(left + _CELL * place, y, value, most=most, style=count.style, tip=tip))
    return picture(
        parts, width=left + _CELL * len(months) + 48, height=top + _STEP * len(rows) + 8, title=title
    )


def _cell(x: float, y: float, value: int, *, most: int, style: str, tip: str) -> Markup:
    strength = Markup(' fill-opacity="{:.3f}"').format(0.08 + 0.72 * value / most if value else 0.0)
    parts = [
        rect(x + 1, y + 1, _CELL - 2, _STEP - 2, f"bar {style}", strength),
        text(x + _CELL / 2, y + 16, str(value) if value else "", "middle"),
    ]
    return group(parts, tip=tip)
