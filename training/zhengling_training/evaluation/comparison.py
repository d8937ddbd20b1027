"""Two models on the same bulletins: differences, their intervals, and how likely chance makes them.

The interval is that of a paired bootstrap over bulletins (Efron & Tibshirani 1993; Koehn 2004): both models
are measured on the same resamples. The test by approximate randomisation (Noreen 1989; Yeh 2000) swaps the
models' answers bulletin by bulletin and asks how often a difference as large comes out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from zhengling.errors import ZhenglingError
from zhengling_training.evaluation.bootstrap import Interval, Resampling, draws, interval
from zhengling_training.evaluation.ledger import Floats, Ledger, Measure, Sums, measures

# Families whose errors are counted by bulletin.
_COUNTED = ("strict", "function", "domain")


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure of both models.

    Attributes:
        a: of the first; None if undefined.
        b: of the second.
        difference: b minus a.
        interval: of the difference.
        p_bootstrap: two-sided, share of resamples in which the difference has the other sign, doubled.
        p_randomisation: two-sided, share of swaps with a difference as large.
        wins: bulletins on which b is better.
        losses: bulletins on which a is better.
        less_is_better: whether the measure is an error.
    """

    a: float | None
    b: float | None
    difference: float | None
    interval: Interval | None
    p_bootstrap: float | None
    p_randomisation: float | None
    wins: int
    losses: int
    less_is_better: bool

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        held = self.interval
        return asdict(self) | {"interval": None if held is None else [held.low, held.high]}


@dataclass(frozen=True, slots=True)
class Change:
    """Errors of both models in one bulletin: entities and domains, missed and added, and functions."""

    id: str
    a: int
    b: int


@dataclass(frozen=True)
class Comparison:
    """Two models on the same bulletins.

    Attributes:
        a: name of the first.
        b: name of the second.
        bulletins: how many there are.
        differences: by measure.
        changes: errors by bulletin, those where b gains most first.
    """

    a: str
    b: str
    bulletins: int
    differences: Mapping[str, Difference]
    changes: tuple[Change, ...]

    @property
    def wins(self) -> tuple[Change, ...]:
        """Bulletins in which b has fewer errors, the greatest gain first."""
        return tuple(change for change in self.changes if change.b < change.a)

    @property
    def losses(self) -> tuple[Change, ...]:
        """Bulletins in which b has more errors, the greatest loss first."""
        return tuple(change for change in reversed(self.changes) if change.b > change.a)

    def find(self, name: str) -> Difference:
        """The difference in a measure.

        Raises:
            ZhenglingError: there is no such measure.
        """
        if name in self.differences:
            return self.differences[name]
        near = get_close_matches(name, self.differences, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.differences)}"
        raise ZhenglingError(f"no measure {name!r}; {hint}")

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "bulletins": self.bulletins,
            "measures": {name: found.to_dict() for name, found in self.differences.items()},
            "wins": [asdict(change) for change in self.wins],
            "losses": [asdict(change) for change in self.losses],
        }


def compare_ledgers(a: Ledger, b: Ledger, *, names: tuple[str, str], settings: Resampling) -> Comparison:
    """Compare counts by bulletin.

    Args:
        a: of the first model.
        b: of the second, on the same bulletins in any order.
        names: of the models.
        settings: of the resampling.

    Raises:
        ZhenglingError: they are of different labels, or of different bulletins.
    """
    b = _aligned(a, b)
    chosen = measures(a.families)
    drawn = _Drawn.of(a, b, settings=settings)
    found = {name: _difference(measure, drawn, settings=settings) for name, measure in chosen.items()}
    return Comparison(*names, len(a.ids), found, tuple(_changes(a, b)))


@dataclass(frozen=True)
class _Drawn:
    """Sums of both models: by bulletin, in all, of resamples, less one bulletin, and after swaps."""

    rows: tuple[Sums, Sums]
    total: tuple[Sums, Sums]
    resampled: list[tuple[Sums, Sums]]
    without: tuple[Sums, Sums]
    swapped: list[tuple[Sums, Sums]]

    @classmethod
    def of(cls, a: Ledger, b: Ledger, *, settings: Resampling) -> _Drawn:
        count = len(a.ids)
        total = a.total, b.total
        gap = Ledger(a.ids, a.digests, a.families, b.rows - a.rows)
        moved = [gap.sums(weights) for weights in _swaps(count, settings=settings)]
        return cls(
            rows=(a.rows, b.rows),
            total=total,
            resampled=[(a.sums(weights), b.sums(weights)) for weights in draws(count, settings=settings)],
            without=(total[0] - a.rows, total[1] - b.rows),
            swapped=[(total[0] + step, total[1] - step) for step in moved],
        )


def _swaps(bulletins: int, *, settings: Resampling) -> Iterator[Floats]:
    """Which bulletins are swapped, in blocks of shape ``(swaps, bulletins)``, 0 or 1."""
    random = np.random.default_rng([settings.seed, 1])
    block = max(1, 4_000_000 // bulletins)
    for start in range(0, settings.resamples, block):
        size = min(block, settings.resamples - start)
        yield random.integers(0, 2, size=(size, bulletins)).astype(np.float64)


def _difference(measure: Measure, drawn: _Drawn, *, settings: Resampling) -> Difference:
    a, b = (float(measure.of(total)) for total in drawn.total)
    gap = b - a
    resampled = np.concatenate([measure.of(two) - measure.of(one) for one, two in drawn.resampled])
    swapped = np.concatenate([measure.of(two) - measure.of(one) for one, two in drawn.swapped])
    without = measure.of(drawn.without[1]) - measure.of(drawn.without[0])
    single = measure.of(drawn.rows[1]) - measure.of(drawn.rows[0])
    better = -single if measure.less_is_better else single
    return Difference(
        a=_defined(a),
        b=_defined(b),
        difference=_defined(gap),
        interval=interval(gap, resampled, without, level=settings.level)
        if len(single) >= settings.fewest
        else None,
        p_bootstrap=_p_bootstrap(resampled),
        p_randomisation=_p_randomisation(swapped, gap),
        wins=int((better > 0).sum()),
        losses=int((better < 0).sum()),
        less_is_better=measure.less_is_better,
    )


def _p_bootstrap(differences: Floats) -> float | None:
    drawn = differences[~np.isnan(differences)]
    if not len(drawn):
        return None
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(drawn) + 1))


def _p_randomisation(differences: Floats, gap: float) -> float | None:
    drawn = differences[~np.isnan(differences)]
    if math.isnan(gap) or not len(drawn):
        return None
    # Sums of floats: what is as large but for rounding counts as as large.
    large = int((np.abs(drawn) >= abs(gap) - 1e-12).sum())
    return (large + 1) / (len(drawn) + 1)


def _changes(a: Ledger, b: Ledger) -> list[Change]:
    places = [a.families.index(family) for family in _COUNTED]
    errors = []
    for ledger in (a, b):
        hits, predicted, gold = np.moveaxis(ledger.rows.counts[:, places], -1, 0)
        both = predicted + gold - 2 * hits
        both[:, _COUNTED.index("function")] = (gold - hits)[:, _COUNTED.index("function")]
        errors.append(both.sum(axis=1))
    changes = [Change(name, int(one), int(two)) for name, one, two in zip(a.ids, *errors, strict=True)]
    return sorted(changes, key=lambda change: (change.b - change.a, change.id))


def _aligned(a: Ledger, b: Ledger) -> Ledger:
    """The second ledger in the order of the first."""
    if set(a.families) != set(b.families):
        strange = sorted(set(a.families) ^ set(b.families))
        raise ZhenglingError(f"the two have different labels, such as {strange[0]}: they can't be compared")
    place = {name: number for number, name in enumerate(b.ids)}
    missing = sorted(set(a.ids) ^ set(b.ids))
    if missing:
        raise ZhenglingError(f"bulletin {missing[0]!r} was measured for one of the two only")
    found = b.take([place[name] for name in a.ids])
    for name, one, two in zip(a.ids, a.digests, found.digests, strict=True):
        if one != two:
            raise ZhenglingError(f"bulletin {name!r}: text or gold annotation differ between the two")
    order = [b.families.index(family) for family in a.families]
    rows = Sums(found.rows.counts[:, order], found.rows.gaps, found.rows.answers)
    return Ledger(found.ids, found.digests, a.families, rows)


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
