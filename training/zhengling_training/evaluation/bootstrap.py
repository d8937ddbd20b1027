"""Confidence intervals by bootstrap over bulletins.

Bulletins are drawn with replacement, as spans of one bulletin aren't independent of each other. Intervals are
bias-corrected and accelerated (BCa; Efron 1987) and expanded for few bulletins (Hesterberg 2015): of some
dozens of bulletins, plain percentiles hold the true value too rarely.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from zhengling_training.evaluation.ledger import Floats, Ledger, Measure

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals and tests are made.

    Attributes:
        resamples: number of resamples.
        seed: of the random numbers; the same seed gives the same figures.
        level: share of intervals that should hold the true value.
        fewest: bulletins from which there are intervals; fewer tell too little of their spread.
    """

    resamples: int = 2000
    seed: int = 0
    level: float = 0.95
    fewest: int = 8


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true value of a measure is likely to be."""

    low: float
    high: float


def intervals(
    ledger: Ledger, measures: Iterable[Measure], *, settings: Resampling
) -> dict[str, Interval | None]:
    """The interval of each measure by name; None where the measure is undefined or bulletins are too few."""
    chosen = list(measures)
    if len(ledger.ids) < settings.fewest:
        return dict.fromkeys((measure.name for measure in chosen), None)
    total = ledger.total
    drawn = [ledger.sums(weights) for weights in draws(len(ledger.ids), settings=settings)]
    without = total - ledger.rows
    return {
        measure.name: interval(
            float(measure.of(total)),
            np.concatenate([measure.of(sums) for sums in drawn]),
            measure.of(without),
            level=settings.level,
        )
        for measure in chosen
    }


def intervals_of(
    rows: Floats, figures: Sequence[Callable[[Floats], Floats]], *, settings: Resampling
) -> list[Interval | None]:
    """The intervals of figures that have counts of their own, each in some of the bulletins.

    Args:
        rows: counts by bulletin, shape ``(bulletins, figures, 3)``.
        figures: each gives the figure, shape ``(…)``, of sums of its counts, shape ``(…, 3)``.
        settings: how to resample; a bulletin without any counts isn't one of a figure's bulletins.
    """
    total = rows.sum(axis=0)
    blocks = [np.tensordot(weights, rows, axes=1) for weights in draws(len(rows), settings=settings)]
    drawn: Floats = np.concatenate(blocks)
    found: list[Interval | None] = []
    for place, of in enumerate(figures):
        own = rows[rows[:, place].any(axis=-1), place]
        if len(own) < settings.fewest:
            found.append(None)
            continue
        value, without = float(of(total[place])), of(total[place] - own)
        found.append(interval(value, of(drawn[:, place]), without, level=settings.level))
    return found


def draws(bulletins: int, *, settings: Resampling, cells: int = 4_000_000) -> Iterator[Floats]:
    """Weights of resamples: how often each bulletin is drawn.

    Args:
        bulletins: number of bulletins.
        settings: how many resamples.
        cells: weights that a block may hold, so that memory is bounded.

    Yields:
        Blocks of shape ``(resamples, bulletins)``.
    """
    random = np.random.default_rng(settings.seed)
    shares = np.full(bulletins, 1.0 / bulletins)
    block = max(1, cells // bulletins)
    for start in range(0, settings.resamples, block):
        size = min(block, settings.resamples - start)
        yield random.multinomial(bulletins, shares, size=size).astype(np.float64)


def interval(value: float, replicates: Floats, without: Floats, *, level: float) -> Interval | None:
    """The BCa interval (Efron 1987), expanded.

    A measure that lies outside of nearly all its replicates, as calibration errors do, which any repetition
    raises, is beyond that correction; its interval goes from it to the replicates' other percentile.

    Args:
        value: the measure.
        replicates: of resamples, shape ``(resamples,)``; NaN where undefined, these are left out.
        without: of the data less one bulletin each, shape ``(bulletins,)``.
        level: share of intervals that should hold the true value.
    """
    drawn = replicates[~np.isnan(replicates)]
    left = without[~np.isnan(without)]
    if np.isnan(value) or not len(drawn) or not len(left):
        return None
    below = ((drawn < value).sum() + 0.5 * (drawn == value).sum()) / len(drawn)
    tail = (1 - level) / 2
    if not tail <= below <= 1 - tail:
        low, high = np.quantile(drawn, [tail, 1 - tail])
        return Interval(min(value, float(low)), max(value, float(high)))
    bias = _NORMAL.inv_cdf(float(below))
    spread = left.mean() - left
    scale = 6.0 * float((spread**2).sum()) ** 1.5
    skew = float((spread**3).sum()) / scale if scale > 0 else 0.0
    reach = _reach(level, len(without))
    low, high = np.quantile(drawn, [_share(point, bias, skew) for point in (-reach, reach)])
    return Interval(float(low), float(high))


def _share(point: float, bias: float, skew: float) -> float:
    """The share of replicates below the one to take for a point of the normal distribution."""
    moved = bias + point
    room = 1 - skew * moved
    if room <= 0:  # so skewed that the correction runs past the end
        return 1.0 if moved > 0 else 0.0
    return _NORMAL.cdf(bias + moved / room)


def _reach(level: float, bulletins: int) -> float:
    """How many standard errors the interval reaches to each side (Hesterberg 2015, section 3.3).

    More than the normal distribution says, as resamples vary too little by ``sqrt((n - 1) / n)`` and the
    spread is itself estimated; Student's quantile is expanded after Fisher (Abramowitz & Stegun 1964,
    26.7.5).
    """
    free = bulletins - 1
    z = _NORMAL.inv_cdf((1 + level) / 2)
    student = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    return student * math.sqrt(bulletins / free)
