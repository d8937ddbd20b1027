"""Tables and the picture of ``speed.py`` from its results."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup, escape

Results = Mapping[str, Any]
OURS = "zhengling"
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 400, 60, 50, 20, 20


def tables(content: Results) -> Iterator[str]:
    """Lines of the page between its markers."""
    machine = content["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in content["versions"].items())
    yield ""
    yield (
        f"{content['date'][:10]}, {machine['processor']}, {machine['cores']} cores, one thread each "
        f"system; {versions}; {content['rounds']} interleaved rounds over "
        f"{content['characters']:,} characters each, medians."
    )
    yield ""
    yield from _speeds(content)
    yield ""
    yield from _network(content)
    yield ""
    yield from _growth(content)
    yield ""


def speed(result: Results, role: str) -> float:
    """Characters per CPU-second, the median over rounds."""
    return statistics.median(one["characters"] / max(one["cpu"], 1e-9) for one in result[role])


def _running(content: Results) -> dict[str, Results]:
    return {name: result for name, result in content["systems"].items() if "missing" not in result}


def _speeds(content: Results) -> Iterator[str]:
    running = _running(content)
    first = next(iter(running.values()))
    yield (
        "| system | one long text, characters/CPU-s | many short ones | × the first, long | loading, CPU-s | "
        "peak MB | F1 of persons, places, bodies |"
    )
    yield "|---|---|---|---|---|---|---|"
    for name, result in running.items():
        long, short = speed(result, "long"), speed(result, "short")
        f1 = f"{result['f1']:.3f}" if result["f1"] else "–"
        yield (
            f"| {name} | {long:,.0f} | {short:,.0f} | {long / speed(first, 'long'):.2f} | "
            f"{result['load']['cpu']:.2f} | {result['memory']:.0f} | {f1} |"
        )
    for name, result in content["systems"].items():
        if "missing" in result:
            yield f"| {name} | did not run: {result['missing']} | | | | | |"


def _network(content: Results) -> Iterator[str]:
    yield (
        f"numpy's sgemm does {content['peak'] / 1e9:.0f} GFLOP per CPU-second here. What the network does, "
        "8-bit operations counted as if they were floating-point ones, and what all else takes:"
    )
    yield ""
    yield "| pipeline | text | read a character | GFLOP/CPU-s | of the sgemm peak | all but the network |"
    yield "|---|---|---|---|---|---|"
    for name, result in _running(content).items():
        for role in ("long", "short") if "operations" in result else ():
            one = sorted(result[role], key=lambda answer: answer["cpu"])[len(result[role]) // 2]
            done = (
                result["operations"]["character"] * one["read"] + result["operations"]["pair"] * one["pairs"]
            )
            rate = done / one["network"]
            yield (
                f"| {name} | {role} | {one['read'] / one['characters']:.2f} | {rate / 1e9:.0f} | "
                f"{rate / content['peak']:.0%} | {1 - one['network'] / one['cpu']:.1%} |"
            )


def _growth(content: Results) -> Iterator[str]:
    ours = {name: result for name, result in _running(content).items() if "growth" in result}
    lengths = [int(length) for length in next(iter(ours.values()))["growth"]]
    head = " | ".join(f"{length:,} characters" for length in lengths)
    yield "One document of growing length: CPU-microseconds per character (peak memory in MB)."
    yield ""
    yield f"| pipeline | {head} | last / first |"
    yield "|---" * (len(lengths) + 2) + "|"
    for name, result in ours.items():
        growth = [result["growth"][str(length)] for length in lengths]
        cells = " | ".join(f"{one['microseconds']:.0f} ({one['memory']:.0f})" for one in growth)
        yield f"| {name} | {cells} | {growth[-1]['microseconds'] / growth[0]['microseconds']:.2f} |"


def picture(content: Results) -> str:
    """Accuracy against speed, one point a system; speed on a logarithmic axis."""
    points = {
        name: (speed(result, "long"), result["f1"])
        for name, result in _running(content).items()
        if result["f1"]
    }
    low = math.floor(math.log10(min(x for x, _ in points.values())))
    high = math.ceil(math.log10(max(x for x, _ in points.values())))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="#333333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - low) / max(high - low, 1)
        return LEFT + share * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y * (HEIGHT - BOTTOM - TOP)

    for power in range(low, high + 1):
        x, y = place(10**power, 0)
        parts.append(f'<path d="M{x:.0f} {TOP}V{y:.0f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x:.0f}" y="{y + 18:.0f}" text-anchor="middle">{10**power:,}</text>')
    for tenth in range(0, 11, 2):
        x, y = place(10**low, tenth / 10)
        parts.append(f'<path d="M{x:.0f} {y:.0f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        parts.append(f'<text x="{x - 8:.0f}" y="{y + 4:.0f}" text-anchor="end">{tenth / 10:.1f}</text>')
    for name, (x, y) in points.items():
        parts += _point(Markup(escape(name)), *place(x, y), ours=content["systems"][name]["kind"] == OURS)
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{HEIGHT - 8}" text-anchor="middle">characters per CPU-second</text>'
    )
    parts.append(f'<text x="{LEFT}" y="14">strict F1 of persons, places and bodies</text>')
    return "\n".join([*parts, "</svg>", ""])


def _point(name: Markup, x: float, y: float, *, ours: bool) -> Iterator[str]:
    fill = "#b3261e" if ours else "#5f6b7a"
    left = x > 0.7 * WIDTH
    anchor, offset = ("end", -8) if left else ("start", 8)
    yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="5" fill="{fill}"/>'
    yield f'<text x="{x + offset:.0f}" y="{y + 4:.0f}" text-anchor="{anchor}">{name}</text>'
