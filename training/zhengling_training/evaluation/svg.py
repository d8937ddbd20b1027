"""Pictures as inline SVG, drawn from data.

All ink is one colour at several strengths, with dashes and figures where it matters, so that pictures can
be read in grey. Colours come from the classes of the page's style sheet; a picture holds no style of its
own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from zhengling_training.evaluation.calibration import Curve, Reliability

_FONT = 13.0
_TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_WIDEST = 220.0
_NOTHING = Markup("")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its title."""

    title: str
    drawing: Markup


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
    left = 16 + max((_width(_short(entry.label)) for entry in entries), default=0.0)
    length, step = 300.0, 24.0
    height = step * len(entries)
    parts = [_axis_of_bars(left, length, height, unit=unit)]
    for number, entry in enumerate(entries):
        parts.append(_bar(entry, left=left, length=length, y=step * number + 8))
    return _picture(parts, width=left + length + 118, height=height + 46, title=title)


def _axis_of_bars(left: float, length: float, height: float, *, unit: str) -> Markup:
    parts = []
    for tick in _TICKS:
        x = left + tick * length
        parts.append(_line(x, 4, x, height + 6, "grid"))
        parts.append(_text(x, height + 22, f"{tick:.1f}", "tick middle"))
    parts.append(_text(left + length / 2, height + 40, unit, "tick middle"))
    return _NOTHING.join(parts)


def _bar(entry: Bar, *, left: float, length: float, y: float) -> Markup:
    parts = [_text(left - 8, y + 12, _short(entry.label), "end")]
    if entry.value is None:
        parts.append(_text(left + 6, y + 12, "–", "start"))
        return _group(parts, tip=f"{entry.label} –")
    parts.append(_rect(left, y + 1, entry.value * length, 14, "bar"))
    figure = f"{entry.value:.3f}"
    if entry.low is not None and entry.high is not None:
        low, high = left + entry.low * length, left + entry.high * length
        parts.append(_line(low, y + 8, high, y + 8, "whisker"))
        parts += [_line(x, y + 4, x, y + 12, "whisker") for x in (low, high)]
        figure += f" [{entry.low:.3f}, {entry.high:.3f}]"
    parts.append(_text(left + length + 10, y + 12, f"{entry.value:.3f}", "start strong"))
    parts.append(_text(left + length + 52, y + 12, entry.note, "tick start"))
    return _group(parts, tip=f"{entry.label} {figure}")


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
    parts = [_axes(frame, x=x, y=y), _line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), "ideal")]
    parts.append(_polyline([(frame.x(c), frame.y(r)) for c, r, _ in points], "solid"))
    for confidence, right, size in points:
        tip = f"{confidence:.3f} → {right:.3f}, {size} {answers}"
        parts.append(_group([_circle(frame.x(confidence), frame.y(right), 4)], tip=tip))
    for place, size in enumerate(found.sizes):
        tall = 36 * size / most
        column = _rect(frame.x(place / bins) + 1, strip + 36 - tall, frame.size / bins - 2, tall, "bar")
        parts.append(_group([column], tip=f"{size} {answers}"))
    parts.append(_line(frame.left, strip + 36, frame.left + frame.size, strip + 36, "grid"))
    parts.append(_text(frame.left + frame.size, strip + 52, f"{answers}: {found.total}", "tick end"))
    return _picture(parts, width=frame.left + frame.size + 16, height=strip + 60, title=title)


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
        parts.append(_polyline(points, line.style))
    if curve.suggested is not None:
        at = frame.x(curve.suggested)
        parts.append(_line(at, frame.top, at, frame.top + frame.size, "mark"))
        parts.append(_text(at, frame.top - 7, f"{curve.suggested:.2f}", "tick middle strong"))
    parts.append(_legend(lines, frame, top=frame.top + frame.size + 56))
    return _picture(
        parts, width=frame.left + frame.size + 16, height=frame.top + frame.size + 66, title=title
    )


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
    left = 24 + max(_width(_short(name)) for name in (*rows, corner))
    top = 34 + max(_width(_short(name)) for name in columns) * 0.72
    parts = [_text(8, top - 10, corner, "tick start")]
    for place, name in enumerate(columns):
        x = left + cell * (place + 0.5)
        parts.append(_slanted(x, top - 8, _short(name)))
    for number, (name, row) in enumerate(zip(rows, counts, strict=True)):
        y = top + cell * number
        parts.append(_text(left - 8, y + cell / 2 + 4, _short(name), "end"))
        total = sum(row)
        for place, count in enumerate(row):
            tip = f"{name} → {columns[place]}: {count}"
            drawn = _cell(left + cell * place, y, cell, count, total=total, framed=place == number)
            parts.append(_group(drawn, tip=tip))
    slant = max(_width(_short(name)) for name in columns) * 0.7
    width = left + cell * len(columns) + max(12.0, slant - cell / 2)
    return _picture(parts, width=width, height=top + cell * len(rows) + 8, title=title)


def _cell(x: float, y: float, size: float, count: int, *, total: int, framed: bool) -> list[Markup]:
    share = count / total if total else 0.0
    strength = Markup(' fill-opacity="{:.3f}"').format(0.85 * share)
    parts = [_rect(x + 1, y + 1, size - 2, size - 2, "cell", strength)]
    parts.append(_rect(x + 1, y + 1, size - 2, size - 2, "frame strongest" if framed else "frame"))
    style = "middle inverse" if share > 0.55 else "middle"
    parts.append(_text(x + size / 2, y + size / 2 + 5, str(count or ""), style))
    return parts


def _axes(frame: _Frame, *, x: str, y: str) -> Markup:
    parts = []
    for tick in _TICKS:
        parts.append(_line(frame.x(tick), frame.y(0), frame.x(tick), frame.y(1), "grid"))
        parts.append(_line(frame.x(0), frame.y(tick), frame.x(1), frame.y(tick), "grid"))
        parts.append(_text(frame.x(tick), frame.y(0) + 18, f"{tick:.1f}", "tick middle"))
        parts.append(_text(frame.x(0) - 8, frame.y(tick) + 4, f"{tick:.1f}", "tick end"))
    parts.append(_text(frame.x(0.5), frame.y(0) + 38, x, "tick middle"))
    middle = frame.y(0.5)
    turned = Markup(' transform="rotate(-90 12 {:.1f})"').format(middle)
    parts.append(_text(12, middle, y, "tick middle", turned))
    return _NOTHING.join(parts)


def _legend(lines: Sequence[Line], frame: _Frame, *, top: float) -> Markup:
    parts, x = [], frame.left
    for line in lines:
        parts.append(_line(x, top - 4, x + 26, top - 4, line.style))
        parts.append(_text(x + 32, top, line.name, "tick start"))
        x += 48 + _width(line.name)
    return _NOTHING.join(parts)


def _picture(parts: Iterable[Markup], *, width: float, height: float, title: str) -> Picture:
    drawing = Markup(
        '<svg class="picture" role="img" aria-label="{}" width="{:.0f}" height="{:.0f}" '
        'viewBox="0 0 {:.0f} {:.0f}"><title>{}</title>{}</svg>'
    ).format(title, width, height, width, height, title, _NOTHING.join(parts))
    return Picture(title, drawing)


def _group(parts: Iterable[Markup], *, tip: str) -> Markup:
    return Markup("<g><title>{}</title>{}</g>").format(tip, _NOTHING.join(parts))


def _text(x: float, y: float, content: str, style: str, extra: Markup = _NOTHING) -> Markup:
    if not content:
        return _NOTHING
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}"{}>{}</text>').format(style, x, y, extra, content)


def _slanted(x: float, y: float, content: str) -> Markup:
    turned = Markup(' transform="rotate(-45 {:.1f} {:.1f})"').format(x, y)
    return _text(x, y, content, "start", turned)


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> Markup:
    form = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    return form.format(style, x1, y1, x2, y2)


def _rect(
    x: float,
    y: float,
    width: float,
    height: float,
    style: str,
    extra: Markup = _NOTHING,
) -> Markup:
    form = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"{}/>')
    return form.format(style, x, y, max(0.0, width), max(0.0, height), extra)


def _circle(x: float, y: float, radius: float) -> Markup:
    return Markup('<circle class="point" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>').format(x, y, radius)


def _polyline(points: Sequence[tuple[float, float]], style: str) -> Markup:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(style, path)


def _short(name: str) -> str:
    """A name that fits beside a picture."""
    if _width(name) <= _WIDEST:
        return name
    kept = name
    while _width(kept) > _WIDEST - _FONT:
        kept = kept[:-1]
    return kept + "…"


def _width(text: str) -> float:
    """About how wide a text is, in pixels: Chinese characters are square, others half as wide."""
    return sum(_FONT if ord(character) > 0x2E80 else 0.58 * _FONT for character in text)
