"""Colours of labels, made legible on any background (contrast after WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re

from zhengling.errors import ZhenglingError

Channels = tuple[int, int, int]

BLACK = "#000000"
WHITE = "#ffffff"


def channels(colour: str) -> Channels:
    """Red, green and blue, 0 to 255, of ``#rrggbb``.

    Raises:
        ZhenglingError: not of that form. No other form is let through, as colours end up in style sheets.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ZhenglingError(f"colour {colour!r} of the label scheme: write it as #rrggbb")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mix(colour: str, other: str, *, share: float) -> str:
    """A colour with ``share`` (0 to 1) of the other one in it."""
    pairs = zip(channels(colour), channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def contrast(colour: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    low, high = sorted((_luminance(colour), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def ink_on(*backgrounds: str) -> str:
    """Black or white, whichever is read more easily on the backgrounds."""
    return max(BLACK, WHITE, key=lambda ink: _least_contrast(ink, backgrounds))


def legible(colour: str, *, backgrounds: tuple[str, ...], ratio: float = 4.5) -> str:
    """The nearest colour, towards black or white, that has the contrast to all backgrounds.

    Args:
        colour: the colour wanted.
        backgrounds: what it stands on; all rather light or all rather dark.
        ratio: contrast to reach; up to 4.58 black or white have it on any one background.

    Returns:
        The colour itself where its contrast suffices; black or white where none does.
    """
    goal = ink_on(*backgrounds)
    steps = (mix(colour, goal, share=step / 20) for step in range(21))
    return next((step for step in steps if _least_contrast(step, backgrounds) >= ratio), goal)


def _least_contrast(ink: str, backgrounds: tuple[str, ...]) -> float:
    return min(contrast(ink, background) for background in backgrounds)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
