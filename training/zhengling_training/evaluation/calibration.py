"""How far probabilities can be believed: reliability in bins, and precision and recall over thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zhengling.schema import Bulletin, LabelScheme, Sentence

BINS = 15
# Grid of thresholds: hundredths.
STEPS = 100

Answers = Sequence[tuple[float, bool]]
Pair = tuple[Bulletin, Bulletin]
Matched = Sequence[tuple[Sentence, Sentence | None]]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Answers in bins of equal width by confidence (Guo et al. 2017); adds up over bulletins.

    Attributes:
        sizes: number of answers by bin.
        confidence: sum of their confidences by bin.
        right: number of right ones by bin.
    """

    sizes: tuple[int, ...]
    confidence: tuple[float, ...]
    right: tuple[int, ...]

    @classmethod
    def of(cls, answers: Iterable[tuple[float, bool]], *, bins: int = BINS) -> Reliability:
        """Sort answers, each a confidence in [0, 1] and whether it was right, into bins."""
        sizes, confidence, right = [0] * bins, [0.0] * bins, [0] * bins
        for value, correct in answers:
            place = min(int(value * bins), bins - 1)
            sizes[place] += 1
            confidence[place] += value
            right[place] += correct
        return cls(tuple(sizes), tuple(confidence), tuple(right))

    def __add__(self, other: Reliability) -> Reliability:
        return Reliability(
            tuple(a + b for a, b in zip(self.sizes, other.sizes, strict=True)),
            tuple(a + b for a, b in zip(self.confidence, other.confidence, strict=True)),
            tuple(a + b for a, b in zip(self.right, other.right, strict=True)),
        )

    @property
    def total(self) -> int:
        """Number of answers."""
        return sum(self.sizes)

    @property
    def error(self) -> float | None:
        """Expected calibration error; None without answers."""
        gaps = (abs(c - r) for c, r in zip(self.confidence, self.right, strict=True))
        return sum(gaps) / self.total if self.total else None

    def points(self) -> Iterator[tuple[float, float, int]]:
        """Mean confidence, share of right answers and number of answers of each bin that has any."""
        for size, confidence, right in zip(self.sizes, self.confidence, self.right, strict=True):
            if size:
                yield confidence / size, right / size, size

    def to_dict(self) -> dict[str, Any]:
        """The error and the bins."""
        points = [{"confidence": c, "right": r, "answers": n} for c, r, n in self.points()]
        return {"ece": self.error, "bins": len(self.sizes), "points": points}


def expected_calibration_error(answers: Iterable[tuple[float, bool]], *, bins: int = BINS) -> float | None:
    """ECE with bins of equal width (Guo et al. 2017); None without answers.

    Args:
        answers: confidence in [0, 1] and whether the answer was right.
        bins: number of bins.
    """
    return Reliability.of(answers, bins=bins).error


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall when answers below a threshold are left out.

    Attributes:
        thresholds: ascending.
        precision: by threshold, None where no answer is left.
        recall: by threshold, of all gold annotations; None without any.
        f1: by threshold.
        suggested: the threshold with the best F1, the lowest of several; None if nothing is ever right.
    """

    thresholds: tuple[float, ...]
    precision: tuple[float | None, ...]
    recall: tuple[float | None, ...]
    f1: tuple[float | None, ...]
    suggested: float | None

    def at(self, threshold: float | None) -> tuple[float | None, float | None, float | None]:
        """Precision, recall and F1 at a threshold of the curve."""
        if threshold is None:
            return None, None, None
        place = self.thresholds.index(threshold)
        return self.precision[place], self.recall[place], self.f1[place]

    def to_dict(self) -> dict[str, Any]:
        """The curve, with six digits."""
        lines = {"precision": self.precision, "recall": self.recall, "f1": self.f1}
        rounded = {
            name: [None if value is None else round(value, 6) for value in values]
            for name, values in lines.items()
        }
        return {"suggested": self.suggested, "thresholds": self.thresholds, **rounded}


def threshold_curve(answers: Answers, *, gold: int, steps: int = STEPS) -> Curve:
    """Precision and recall over a grid of thresholds.

    Args:
        answers: confidence in [0, 1] of every answer that might be given, and whether it is right.
        gold: number of gold annotations.
        steps: the thresholds are 0, 1/steps, …, 1.
    """
    thresholds = tuple(step / steps for step in range(steps + 1))
    confidence = np.array([value for value, _ in answers], np.float64)
    right = np.array([correct for _, correct in answers], bool)
    given = np.array([(confidence >= t).sum() for t in thresholds])
    hits = np.array([right[confidence >= t].sum() for t in thresholds])
    f1 = _shares(2 * hits, given + gold)
    best = max((value for value in f1 if value), default=None)
    return Curve(
        thresholds=thresholds,
        precision=_shares(hits, given),
        recall=_shares(hits, np.full(len(thresholds), gold)),
        f1=f1,
        suggested=None if best is None else thresholds[f1.index(best)],
    )


def _shares(parts: Any, wholes: Any) -> tuple[float | None, ...]:
    return tuple(float(p) / float(w) if w else None for p, w in zip(parts, wholes, strict=True))


def confidences(pair: Pair, matched: Matched, *, scheme: LabelScheme) -> dict[str, list[tuple[float, bool]]]:
    """By head, the confidence of every answer that a bulletin got, and whether it was right.

    Functions count with the function given; domains with each domain of each sentence whose gold function
    may bear one.
    """
    bearing = [
        (true, guess) for true, guess in matched if true.function not in scheme.functions_without_domains
    ]
    return {
        "entities": _entity_answers(pair),
        "functions": _function_answers(matched),
        "domains": [answer for name in scheme.domain_names for answer in _domain_answers(bearing, name)],
    }


def curves(pairs: Sequence[Pair], matched: Matched, *, scheme: LabelScheme) -> dict[str, Curve]:
    """The threshold curve of each head that gives scores, and of each domain as ``domains/NAME``.

    A domain is a possible answer wherever the predicted function may bear one.
    """
    bearing = [
        (true, guess)
        for true, guess in matched
        if guess is not None and guess.function not in scheme.functions_without_domains
    ]
    domains = {name: _domain_answers(bearing, name) for name in scheme.domain_names}
    answers = {
        "entities": [answer for pair in pairs for answer in _entity_answers(pair)],
        "functions": _function_answers(matched),
        "domains": [answer for given in domains.values() for answer in given],
        **{f"domains/{name}": given for name, given in domains.items()},
    }
    gold = {
        "entities": sum(len(true.entities) for true, _ in pairs),
        "functions": sum(true.function is not None for true, _ in matched),
        "domains": sum(len(true.domains) for true, _ in matched),
        **{f"domains/{name}": sum(name in true.domains for true, _ in matched) for name in domains},
    }
    return {key: threshold_curve(given, gold=gold[key]) for key, given in answers.items() if given}


def _entity_answers(pair: Pair) -> list[tuple[float, bool]]:
    gold, found = pair
    spans = {(e.start, e.end, e.label) for e in gold.entities}
    return [(e.score, (e.start, e.end, e.label) in spans) for e in found.entities if e.score is not None]


def _function_answers(matched: Matched) -> list[tuple[float, bool]]:
    return [
        (guess.scores[guess.function], guess.function == true.function)
        for true, guess in matched
        if guess is not None and guess.function is not None and guess.function in guess.scores
    ]


def _domain_answers(matched: Matched, name: str) -> list[tuple[float, bool]]:
    return [
        (guess.scores[name], name in true.domains)
        for true, guess in matched
        if guess is not None and name in guess.scores
    ]
