"""Counts by bulletin as arrays, and the measures as functions of their sums.

A measure of any resample of the bulletins is a function of weighted sums of these counts, so that thousands
of resamples cost one product of matrices.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhengling.errors import DataError
from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.evaluation.calibration import BINS
from zhengling_training.evaluation.metrics import Scores

Floats = NDArray[np.float64]

HEADS = ("entities", "functions", "domains")
# The measures of ``Scores.summary``, in its order.
HEADLINES = (
    "entity_f1",
    "entity_macro_f1",
    "entity_unlabelled_f1",
    "entity_partial_f1",
    "entity_type_f1",
    "sentence_boundary_f1",
    "function_accuracy",
    "function_macro_f1",
    "domain_micro_f1",
    "domain_macro_f1",
    "ece_entities",
    "ece_functions",
    "ece_domains",
)
_HITS, _PREDICTED, _GOLD = range(3)


@dataclass(frozen=True)
class Sums:
    """Sums of counts over bulletins; leading dimensions are those of the weights.

    Attributes:
        counts: shape ``(…, families, 3)``: hits, predicted, gold.
        gaps: shape ``(…, heads, bins)``: sum of confidence minus number of right answers.
        answers: shape ``(…, heads)``: number of answers.
    """

    counts: Floats
    gaps: Floats
    answers: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.counts + other.counts, self.gaps + other.gaps, self.answers + other.answers)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.counts - other.counts, self.gaps - other.gaps, self.answers - other.answers)


@dataclass(frozen=True)
class Ledger:
    """What each bulletin adds to the measures; holds no text.

    Attributes:
        ids: of the bulletins.
        digests: SHA-256 of text and gold annotation, by bulletin.
        families: kinds of counts, ``GROUP`` or ``GROUP/LABEL``.
        rows: counts by bulletin, see ``Sums``, with the leading dimension ``bulletins``.
    """

    ids: tuple[str, ...]
    digests: tuple[str, ...]
    families: tuple[str, ...]
    rows: Sums

    def sums(self, weights: Floats) -> Sums:
        """Weighted sums, weights of shape ``(…, bulletins)``."""
        return Sums(*(np.tensordot(weights, part, axes=1) for part in _parts(self.rows)))

    @property
    def total(self) -> Sums:
        """Sums over all bulletins."""
        return self.sums(np.ones(len(self.ids)))

    def take(self, places: Sequence[int]) -> Ledger:
        """The ledger of some of the bulletins."""
        index = list(places)
        return Ledger(
            tuple(self.ids[i] for i in index),
            tuple(self.digests[i] for i in index),
            self.families,
            Sums(*(part[index] for part in _parts(self.rows))),
        )

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: one row a bulletin, its arrays flat."""
        parts = zip(self.ids, self.digests, *_parts(self.rows), strict=True)
        return {
            "families": self.families,
            "heads": HEADS,
            "rows": [
                {
                    "id": name,
                    "sha256": digest,
                    "counts": [_plain(value) for value in counts.ravel()],
                    "gaps": [round(float(gap), 6) for gap in gaps.ravel()],
                    "answers": [int(number) for number in answers],
                }
                for name, digest, counts, gaps, answers in parts
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ledger:
        """Read what ``to_dict`` gave.

        Raises:
            DataError: a key is missing or an array has the wrong size.
        """
        try:
            rows, families = data["rows"], tuple(map(str, data["families"]))
            arrays = (
                np.array([row["counts"] for row in rows], np.float64).reshape(len(rows), len(families), 3),
                np.array([row["gaps"] for row in rows], np.float64).reshape(len(rows), len(HEADS), BINS),
                np.array([row["answers"] for row in rows], np.float64).reshape(len(rows), len(HEADS)),
            )
            ids, digests = (tuple(str(row[key]) for row in rows) for key in ("id", "sha256"))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the counts by bulletin can't be read: {error}") from error
        return cls(ids, digests, families, Sums(*arrays))


def make_ledger(gold: Sequence[Bulletin], scores: Sequence[Scores], *, scheme: LabelScheme) -> Ledger:
    """Lay out the scores of single bulletins, see ``metrics.score_each``, as arrays."""
    entries = [_families(score, scheme) for score in scores]
    return Ledger(
        ids=tuple(bulletin.id for bulletin in gold),
        digests=tuple(map(digest_of, gold)),
        families=tuple(entries[0]),
        rows=Sums(
            np.array([list(entry.values()) for entry in entries], np.float64),
            np.array([[_gaps(score, head) for head in HEADS] for score in scores], np.float64),
            np.array([[score.calibration[head].total for head in HEADS] for score in scores], np.float64),
        ),
    )


def digest_of(bulletin: Bulletin) -> str:
    """SHA-256 of text and annotation."""
    data = bulletin.to_dict()
    content = [data["text"], data["entities"], data["sentences"]]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8")).hexdigest()


def _families(score: Scores, scheme: LabelScheme) -> dict[str, tuple[float, int, int]]:
    confusion = score.functions
    right = sum(n for (gold, predicted), n in score.confusion.items() if gold == predicted)
    answered = sum(n for (_, predicted), n in score.confusion.items() if predicted is not None)
    families: dict[str, tuple[float, int, int]] = {}
    for name, matches in score.schemes.items():
        families[name] = _triple(matches)
        families |= {f"{name}/{label}": _triple(found) for label, found in score.by_label[name].items()}
    families["boundary"] = _triple(score.boundaries)
    families["function"] = right, answered, sum(score.confusion.values())
    for function in scheme.function_names:
        guessed = sum(n for (_, predicted), n in score.confusion.items() if predicted == function)
        hits, _, gold = _triple(confusion[function]) if function in confusion else (0.0, 0, 0)
        families[f"function/{function}"] = hits, guessed, gold
    families["domain"] = _triple(score.domain_micro)
    return families | {f"domain/{name}": _triple(counts) for name, counts in score.domains.items()}


def _triple(counts: Any) -> tuple[float, int, int]:
    return counts.hits, counts.predicted, counts.gold


def _gaps(score: Scores, head: str) -> list[float]:
    found = score.calibration[head]
    return [c - r for c, r in zip(found.confidence, found.right, strict=True)]


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else float(number)


def _parts(sums: Sums) -> tuple[Floats, Floats, Floats]:
    return sums.counts, sums.gaps, sums.answers


@dataclass(frozen=True)
class Measure:
    """A figure that sums of counts give.

    Attributes:
        name: in reports and on the command line.
        of: the figure of sums with leading dimensions ``…``, shape ``(…)``; NaN where it is undefined.
        less_is_better: whether it is an error.
    """

    name: str
    of: Callable[[Sums], Floats]
    less_is_better: bool = False


def measures(families: Sequence[str]) -> dict[str, Measure]:
    """All measures that the families of counts allow, by name: those of ``Scores.summary`` first.

    Those of single labels are named ``MEASURE/LABEL``.
    """
    found = [*_headlines(families), *_by_label(families)]
    return {measure.name: measure for measure in found}


def _headlines(families: Sequence[str]) -> Iterable[Measure]:
    place = {family: index for index, family in enumerate(families)}
    yield Measure("entity_f1", _f1(place["strict"]))
    yield Measure("entity_macro_f1", _macro(_labels(families, "strict")))
    yield Measure("entity_unlabelled_f1", _f1(place["exact"]))
    yield Measure("entity_partial_f1", _f1(place["partial"]))
    yield Measure("entity_type_f1", _f1(place["type"]))
    yield Measure("sentence_boundary_f1", _f1(place["boundary"]))
    yield Measure("function_accuracy", _recall(place["function"]))
    yield Measure("function_macro_f1", _macro(_labels(families, "function"), gold_only=True))
    yield Measure("domain_micro_f1", _f1(place["domain"]))
    yield Measure("domain_macro_f1", _macro(_labels(families, "domain")))
    for number, head in enumerate(HEADS):
        yield Measure(f"ece_{head}", _ece(number), less_is_better=True)
    for prefix, family in (
        ("entity", "strict"),
        ("sentence_boundary", "boundary"),
        ("domain_micro", "domain"),
    ):
        yield Measure(f"{prefix}_precision", _precision(place[family]))
        yield Measure(f"{prefix}_recall", _recall(place[family]))


def _by_label(families: Sequence[str]) -> Iterable[Measure]:
    names = {"strict": "entity", "function": "function", "domain": "domain"}
    for index, family in enumerate(families):
        group, slash, label = family.partition("/")
        if slash and group in names:
            yield Measure(f"{names[group]}_precision/{label}", _precision(index))
            yield Measure(f"{names[group]}_recall/{label}", _recall(index))
            yield Measure(f"{names[group]}_f1/{label}", _f1(index))


def _labels(families: Sequence[str], group: str) -> list[int]:
    return [index for index, family in enumerate(families) if family.startswith(f"{group}/")]


def _precision(index: int) -> Callable[[Sums], Floats]:
    return lambda sums: _divide(sums.counts[..., index, _HITS], sums.counts[..., index, _PREDICTED])


def _recall(index: int) -> Callable[[Sums], Floats]:
    return lambda sums: recall_of(sums.counts[..., index, :])


def _f1(index: int) -> Callable[[Sums], Floats]:
    return lambda sums: f1_of(sums.counts[..., index, :])


def _macro(indices: list[int], *, gold_only: bool = False) -> Callable[[Sums], Floats]:
    def of(sums: Sums) -> Floats:
        found = f1_of(sums.counts[..., indices, :])
        if gold_only:
            found = np.where(sums.counts[..., indices, _GOLD] > 0, found, np.nan)
        there = ~np.isnan(found)
        return _divide(np.where(there, found, 0.0).sum(axis=-1), there.sum(axis=-1))

    return of


def _ece(head: int) -> Callable[[Sums], Floats]:
    return lambda sums: _divide(np.abs(sums.gaps[..., head, :]).sum(axis=-1), sums.answers[..., head])


def f1_of(counts: Floats) -> Floats:
    """F1 of hits, predicted and gold, shape ``(…, 3)``; NaN where there is neither gold nor prediction."""
    return _divide(2 * counts[..., _HITS], counts[..., _PREDICTED] + counts[..., _GOLD])


def recall_of(counts: Floats) -> Floats:
    """Recall of hits, predicted and gold, shape ``(…, 3)``; NaN without gold."""
    return _divide(counts[..., _HITS], counts[..., _GOLD])


def _divide(part: Any, whole: Any) -> Floats:
    """Part by whole, NaN where the whole is 0."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    result: Floats = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=result, where=whole != 0)
    return result
