"""The strokes of pictures in inline SVG; colours come from the classes of a page's style sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

FONT = 13.0
WIDEST = 220.0
NOTHING = Markup("")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its title."""

    title: str
    drawing: Markup


def picture(parts: Iterable[Markup], *, width: float, height: float, title: str) -> Picture:
    """Parts as a picture of a size, with its title for readers of screens."""
    drawing = Markup(
        '<svg class="picture" role="img" aria-label="{}" width="{:.0f}" height="{:.0f}" '
        'viewBox="0 0 {:.0f} {:.0f}"><title>{}</title>{}</svg>'
    ).format(title, width, height, width, height, title, NOTHING.join(parts))
    return Picture(title, drawing)


def group(parts: Iterable[Markup], *, tip: str) -> Markup:
    """Parts with a tip that shows when the pointer is on them."""
    return Markup("<g><title>{}</title>{}</g>").format(tip, NOTHING.join(parts))


def text(x: float, y: float, content: str, style: str, extra: Markup = NOTHING) -> Markup:
    """A text at a place; nothing if it is empty."""
    if not content:
        return NOTHING
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}"{}>{}</text>').format(style, x, y, extra, content)


def slanted(x: float, y: float, content: str) -> Markup:
    """A text that rises to the right."""
    turned = Markup(' transform="rotate(-45 {:.1f} {:.1f})"').format(x, y)
    return text(x, y, content, "start", turned)


def stroke(x1: float, y1: float, x2: float, y2: float, style: str) -> Markup:
    """A line."""
    form = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
    return form.format(style, x1, y1, x2, y2)


def rect(
    x: float,
    y: float,
    width: float,
    height: float,
    style: str,
    extra: Markup = NOTHING,
) -> Markup:
    """A rectangle."""
    form = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"{}/>')
    return form.format(style, x, y, max(0.0, width), max(0.0, height), extra)


def circle(x: float, y: float, radius: float) -> Markup:
    """A point."""
    return Markup('<circle class="point" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>').format(x, y, radius)


def polyline(points: Sequence[tuple[float, float]], style: str) -> Markup:
    """A line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<polyline class="{}" points="{}"/>').format(style, path)


def short(name: str) -> str:
    """A name that fits beside a picture."""
    if width_of(name) <= WIDEST:
        return name
    kept = name
    while width_of(kept) > WIDEST - FONT:
        kept = kept[:-1]
    return kept + "…"


def width_of(text: str) -> float:
    """About how wide a text is, in pixels: Chinese characters are square, others half as wide."""
    return sum(FONT if ord(character) > 0x2E80 else 0.58 * FONT for character in text)
