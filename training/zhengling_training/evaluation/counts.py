"""Counts from which precision, recall and F1 are made; they add up over bulletins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol


class Countable(Protocol):
    """What has an F1."""

    @property
    def f1(self) -> float | None:
        """None where there is neither gold nor prediction."""


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def hits(self) -> float:
        """What is right."""
        return self.tp

    @property
    def predicted(self) -> int:
        """Number of predictions."""
        return self.tp + self.fp

    @property
    def gold(self) -> int:
        """Number of gold annotations."""
        return self.tp + self.fn

    @property
    def precision(self) -> float | None:
        """None where nothing was predicted."""
        return ratio(self.tp, self.predicted)

    @property
    def recall(self) -> float | None:
        """None where there is nothing to find."""
        return ratio(self.tp, self.gold)

    @property
    def f1(self) -> float | None:
        """None where there is neither gold nor prediction."""
        return ratio(2 * self.tp, self.predicted + self.gold)

    def to_dict(self) -> dict[str, Any]:
        """Counts and ratios."""
        return {"p": self.precision, "r": self.recall, "f1": self.f1, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Matches:
    """Predicted and gold spans by how they match (Chinchor & Sundheim 1993; SemEval-2013 task 9).

    Attributes:
        correct: matched, and right by the scheme.
        incorrect: matched, and wrong.
        partial: matched in part, which counts half.
        missed: gold spans that match nothing.
        spurious: predicted spans that match nothing.
    """

    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    missed: int = 0
    spurious: int = 0

    def __add__(self, other: Matches) -> Matches:
        return Matches(
            self.correct + other.correct,
            self.incorrect + other.incorrect,
            self.partial + other.partial,
            self.missed + other.missed,
            self.spurious + other.spurious,
        )

    @property
    def hits(self) -> float:
        """What is right, halves included."""
        return self.correct + 0.5 * self.partial

    @property
    def predicted(self) -> int:
        """Number of predicted spans."""
        return self.correct + self.incorrect + self.partial + self.spurious

    @property
    def gold(self) -> int:
        """Number of gold spans."""
        return self.correct + self.incorrect + self.partial + self.missed

    @property
    def precision(self) -> float | None:
        """None where nothing was predicted."""
        return ratio(self.hits, self.predicted)

    @property
    def recall(self) -> float | None:
        """None where there is nothing to find."""
        return ratio(self.hits, self.gold)

    @property
    def f1(self) -> float | None:
        """None where there is neither gold nor prediction."""
        return ratio(2 * self.hits, self.predicted + self.gold)

    def to_dict(self) -> dict[str, Any]:
        """Counts and ratios."""
        return {"p": self.precision, "r": self.recall, "f1": self.f1, **asdict(self)}


def macro_f1(counts: Mapping[str, Countable]) -> float | None:
    """Mean F1 over labels that occur in gold or prediction."""
    defined = [value for value in (c.f1 for c in counts.values()) if value is not None]
    return sum(defined) / len(defined) if defined else None


def ratio(part: float, whole: float) -> float | None:
    """A share; None of nothing."""
    return part / whole if whole else None
