"""Pictures as inline SVG, drawn from data.

All ink is one colour at several strengths, with dashes and figures where it matters, so that pictures can
be read in grey. Colours come from the classes of the page's style sheet; a picture holds no style of its
own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from zhengling.report.svg import (
    NOTHING,
    Picture,
    circle,
    group,
    picture,
    polyline,
    rect,
    short,
    slanted,
    stroke,
    text,
    width_of,
)
from zhengling_training.evaluation.calibration import Curve, Reliability

_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure between 0 and 1 with its interval; None where undefined."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A named line through points; None interrupts it."""

    name: str
    values: tuple[float | None, ...]
    style: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """A square plot of the unit square."""

    left: float = 52
    top: float = 22
    size: float = 260

    def x(self, value: float) -> float:
        return self.left + value * self.size

    def y(self, value: float) -> float:
        return self.top + (1 - value) * self.size


def bars(entries: Sequence[Bar], *, title: str, unit: str) -> Picture:
    """Horizontal bars from 0 to 1, each with a whisker for its interval and its figure.

    Args:
        entries: from top to bottom.
        title: of the picture.
        unit: what the axis counts.
    """
    left = 16 + max((width_of(short(entry.label)) for entry in entries), default=0.0)
    length, step = 300.0, 24.0
    height = step * len(entries)
    parts = [_axis_of_bars(left, length, height, unit=unit)]
    for number, entry in enumerate(entries):
        parts.append(_bar(entry, left=left, length=length, y=step * number + 8))
    return picture(parts, width=left + length + 118, height=height + 46, title=title)


def _axis_of_bars(left: float, length: float, height: float, *, unit: str) -> Markup:
    parts = []
    for tick in _TICKS:
        x = left + tick * length
        parts.append(stroke(x, 4, x, height + 6, "grid"))
        parts.append(text(x, height + 22, f"{tick:.1f}", "tick middle"))
    parts.append(text(left + length / 2, height + 40, unit, "tick middle"))
    return NOTHING.join(parts)


def _bar(entry: Bar, *, left: float, length: float, y: float) -> Markup:
    parts = [text(left - 8, y + 12, short(entry.label), "end")]
    if entry.value is None:
        parts.append(text(left + 6, y + 12, "–", "start"))
        return group(parts, tip=f"{entry.label} –")
    parts.append(rect(left, y + 1, entry.value * length, 14, "bar"))
    figure = f"{entry.value:.3f}"
    if entry.low is not None and entry.high is not None:
        low, high = left + entry.low * length, left + entry.high * length
        parts.append(stroke(low, y + 8, high, y + 8, "whisker"))
        parts += [stroke(x, y + 4, x, y + 12, "whisker") for x in (low, high)]
        figure += f" [{entry.low:.3f}, {entry.high:.3f}]"
    parts.append(text(left + length + 10, y + 12, f"{entry.value:.3f}", "start strong"))
    parts.append(text(left + length + 52, y + 12, entry.note, "tick start"))
    return group(parts, tip=f"{entry.label} {figure}")


def reliability(found: Reliability, *, title: str, x: str, y: str, answers: str) -> Picture:
    """How often answers of a confidence are right, with the number of answers below.

    Args:
        found: the answers of a head.
        title: of the picture.
        x: what runs to the right: confidence.
        y: what runs upwards: share of right answers.
        answers: the word for them.
    """
    frame = _Frame()
    strip = frame.top + frame.size + 58
    points = list(found.points())
    most = max((size for _, _, size in points), default=1)
    bins = len(found.sizes)
    parts = [_axes(frame, x=x, y=y), stroke(frame.x(0), frame.y(0), frame.x(1), frame.y(1), "ideal")]
    parts.append(polyline([(frame.x(c), frame.y(r)) for c, r, _ in points], "solid"))
    for confidence, right, size in points:
        tip = f"{confidence:.3f} → {right:.3f}, {size} {answers}"
        parts.append(group([circle(frame.x(confidence), frame.y(right), 4)], tip=tip))
    for place, size in enumerate(found.sizes):
        tall = 36 * size / most
        column = rect(frame.x(place / bins) + 1, strip + 36 - tall, frame.size / bins - 2, tall, "bar")
        parts.append(group([column], tip=f"{size} {answers}"))
    parts.append(stroke(frame.left, strip + 36, frame.left + frame.size, strip + 36, "grid"))
    parts.append(text(frame.left + frame.size, strip + 52, f"{answers}: {found.total}", "tick end"))
    return picture(parts, width=frame.left + frame.size + 16, height=strip + 60, title=title)


def over_thresholds(curve: Curve, *, title: str, x: str, names: tuple[str, str, str]) -> Picture:
    """Precision, recall and F1 over the threshold, with the suggested one.

    Args:
        curve: the figures.
        title: of the picture.
        x: the word for the threshold.
        names: the words for precision, recall and F1.
    """
    frame = _Frame()
    lines = [
        Line(names[0], curve.precision, "solid"),
        Line(names[1], curve.recall, "dashed"),
        Line(names[2], curve.f1, "dotted"),
    ]
    parts = [_axes(frame, x=x, y="")]
    for line in lines:
        points = [
            (frame.x(t), frame.y(v))
            for t, v in zip(curve.thresholds, line.values, strict=True)
            if v is not None
        ]
        parts.append(polyline(points, line.style))
    if curve.suggested is not None:
        at = frame.x(curve.suggested)
        parts.append(stroke(at, frame.top, at, frame.top + frame.size, "mark"))
        parts.append(text(at, frame.top - 7, f"{curve.suggested:.2f}", "tick middle strong"))
    parts.append(_legend(lines, frame, top=frame.top + frame.size + 56))
    return picture(parts, width=frame.left + frame.size + 16, height=frame.top + frame.size + 66, title=title)


def matrix(
    counts: Sequence[Sequence[int]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    sides: tuple[str, str],
) -> Picture:
    """A table of counts, darker where a cell holds more of its row; the diagonal is framed.

    Args:
        counts: shape ``(rows, columns)``.
        rows: names of the rows; the first as many columns have the same.
        columns: names of the columns.
        title: of the picture.
        sides: what rows and columns stand for.
    """
    cell = 46.0
    corner = f"{sides[0]} ↓  {sides[1]} →"
    left = 24 + max(width_of(short(name)) for name in (*rows, corner))
    top = 34 + max(width_of(short(name)) for name in columns) * 0.72
    parts = [text(8, top - 10, corner, "tick start")]
    for place, name in enumerate(columns):
        x = left + cell * (place + 0.5)
        parts.append(slanted(x, top - 8, short(name)))
    for number, (name, row) in enumerate(zip(rows, counts, strict=True)):
        y = top + cell * number
        parts.append(text(left - 8, y + cell / 2 + 4, short(name), "end"))
        total = sum(row)
        for place, count in enumerate(row):
            tip = f"{name} → {columns[place]}: {count}"
            drawn = _cell(left + cell * place, y, cell, count, total=total, framed=place == number)
            parts.append(group(drawn, tip=tip))
    slant = max(width_of(short(name)) for name in columns) * 0.7
    width = left + cell * len(columns) + max(12.0, slant - cell / 2)
    return picture(parts, width=width, height=top + cell * len(rows) + 8, title=title)


def _cell(x: float, y: float, size: float, count: int, *, total: int, framed: bool) -> list[Markup]:
    share = count / total if total else 0.0
    strength = Markup(' fill-opacity="{:.3f}"').format(0.85 * share)
    parts = [rect(x + 1, y + 1, size - 2, size - 2, "cell", strength)]
    parts.append(rect(x + 1, y + 1, size - 2, size - 2, "frame strongest" if framed else "frame"))
    style = "middle inverse" if share > 0.55 else "middle"
    parts.append(text(x + size / 2, y + size / 2 + 5, str(count or ""), style))
    return parts


def _axes(frame: _Frame, *, x: str, y: str) -> Markup:
    parts = []
    for tick in _TICKS:
        parts.append(stroke(frame.x(tick), frame.y(0), frame.x(tick), frame.y(1), "grid"))
        parts.append(stroke(frame.x(0), frame.y(tick), frame.x(1), frame.y(tick), "grid"))
        parts.append(text(frame.x(tick), frame.y(0) + 18, f"{tick:.1f}", "tick middle"))
        parts.append(text(frame.x(0) - 8, frame.y(tick) + 4, f"{tick:.1f}", "tick end"))
    parts.append(text(frame.x(0.5), frame.y(0) + 38, x, "tick middle"))
    middle = frame.y(0.5)
    turned = Markup(' transform="rotate(-90 12 {:.1f})"').format(middle)
    parts.append(text(12, middle, y, "tick middle", turned))
    return NOTHING.join(parts)


def _legend(lines: Sequence[Line], frame: _Frame, *, top: float) -> Markup:
    parts, x = [], frame.left
    for line in lines:
        parts.append(stroke(x, top - 4, x + 26, top - 4, line.style))
        parts.append(text(x + 32, top, line.name, "tick start"))
        x += 48 + width_of(line.name)
    return NOTHING.join(parts)
