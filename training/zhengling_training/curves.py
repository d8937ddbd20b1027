"""Curves as a picture: lines of F1 over steps, bulletins or whatever grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zhengling_training.templating import environment

COLOURS = ("#1f3a5f", "#b3432b", "#2e7d5b", "#8a5a9e", "#a8842c", "#4f6d7a")


def draw_curves(
    lines: Mapping[str, Sequence[tuple[float, float | None]]], *, title: str, heading: str, x: str
) -> str:
    """An SVG picture.

    Args:
        lines: by name, points ``(x, F1)``; a missing F1 is drawn as 0.
        title: what the picture shows, for those who can't see it.
        heading: what stands above the plot.
        x: what grows to the right.
    """
    template = environment(escape=True).get_template("curves.svg.j2")
    drawn: list[dict[str, Any]] = [
        {"name": name, "colour": COLOURS[number % len(COLOURS)], "dots": list(points)}
        for number, (name, points) in enumerate(lines.items())
    ]
    most = max(place for points in lines.values() for place, _ in points)
    return template.render(lines=drawn, most=most, title=title, heading=heading, x=x)
