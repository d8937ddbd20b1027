"""The picture of ``scale.py``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from markupsafe import escape
from scale_jobs import PLANS, Assumptions, Content, setting_of
from scale_simulation import make_parts

COLOURS = ("#a8842c", "#b3432b", "#1f3a5f", "#2e7d5b")


def picture(content: Content, assumed: Assumptions) -> str:
    """Efficiency over workers, one line for each way of making parts; workers on a logarithmic axis."""
    setting = setting_of(content, assumed)
    needed = setting.work()
    parts = {name: make_parts(setting.lengths, plan) for name, plan in PLANS.items()}
    counts = [round(10 ** (step / 3)) for step in range(10)]
    lines = {
        name: [(float(count), setting.run(made, workers=count).efficiency(needed)) for count in counts]
        for name, made in parts.items()
    }
    title = f"Efficiency of simulated jobs of {assumed.bulletins:,} bulletins"
    return "\n".join(_drawing(lines, title=title, most=counts[-1]))


def _drawing(lines: Mapping[str, Sequence[tuple[float, float]]], *, title: str, most: int) -> Iterator[str]:
    width, height, left, right, top, bottom = 460, 220, 60, 520, 30, 250

    def place(x: float, y: float) -> tuple[float, float]:
        return left + width * math.log10(x) / math.log10(most), bottom - height * y

    yield (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 740 300" role="img" font-family="sans-serif" '
        f'font-size="12" fill="#333333"><title>{escape(title)}</title>'
    )
    yield '<rect width="740" height="300" fill="#ffffff"/>'
    for fifth in range(6):
        _, y = place(1, fifth / 5)
        yield f'<path d="M{left} {y:.0f}H{right}" stroke="#dddddd"/>'
        yield f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{fifth / 5:.0%}</text>'
    for power in range(round(math.log10(most)) + 1):
        x, _ = place(10**power, 0)
        yield f'<path d="M{x:.0f} {top}V{bottom}" stroke="#dddddd"/>'
        yield f'<text x="{x:.0f}" y="{bottom + 18}" text-anchor="middle">{10**power:,}</text>'
    for number, ((name, points), colour) in enumerate(zip(lines.items(), COLOURS, strict=True)):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
        yield f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{path}"/>'
        at = top + 22 * number
        yield f'<rect x="{right + 15}" y="{at}" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{right + 33}" y="{at + 11}">{escape(name)}</text>'
    yield f'<text x="{(left + right) / 2:.0f}" y="{bottom + 38}" text-anchor="middle">workers</text>'
    yield f'<text x="{left}" y="18">{escape(title)}</text>'
    yield "</svg>\n"
