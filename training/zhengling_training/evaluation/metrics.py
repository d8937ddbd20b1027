"""Scores of entities, sentence boundaries, functions and domains, and calibration errors.

Entities count as found when begin, end and label are right (CoNLL 2003); see ``spans`` for looser schemes.
Functions and domains are scored over gold sentences; the prediction for a gold sentence is the predicted
sentence that covers most of its characters, so that a wrong boundary costs, but once. All scores are counts
that add up over bulletins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeVar

from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin, LabelScheme, Sentence
from zhengling.scoring import match_sentences
from zhengling_training.evaluation.calibration import Reliability, confidences
from zhengling_training.evaluation.counts import Counts, Matches, macro_f1, ratio
from zhengling_training.evaluation.spans import SCHEMES, match_labels, match_spans

Key = TypeVar("Key")
Value = TypeVar("Value", Counts, Matches, Reliability)


@dataclass(frozen=True)
class Scores:
    """All measures of a model on a set of bulletins.

    Attributes:
        bulletins: number of bulletins.
        entities: counts by label, strict.
        unlabelled: counts of spans, labels ignored.
        schemes: entities over all labels by scheme of comparison, see ``spans``.
        by_label: by scheme of comparison, entities by label.
        boundaries: counts of sentences with exactly the gold span.
        confusion: gold and predicted function to number of gold sentences; predicted is None where no
            predicted sentence meets the gold one.
        domains: counts by domain.
        calibration: answers by confidence, by head, where the prediction has scores.
    """

    bulletins: int
    entities: Mapping[str, Counts]
    unlabelled: Counts
    schemes: Mapping[str, Matches]
    by_label: Mapping[str, Mapping[str, Matches]]
    boundaries: Counts
    confusion: Mapping[tuple[str, str | None], int]
    domains: Mapping[str, Counts]
    calibration: Mapping[str, Reliability] = field(default_factory=dict)

    def __add__(self, other: Scores) -> Scores:
        return Scores(
            bulletins=self.bulletins + other.bulletins,
            entities=_added(self.entities, other.entities),
            unlabelled=self.unlabelled + other.unlabelled,
            schemes=_added(self.schemes, other.schemes),
            by_label={name: _added(self.by_label[name], other.by_label[name]) for name in self.by_label},
            boundaries=self.boundaries + other.boundaries,
            confusion=Counter(self.confusion) + Counter(other.confusion),
            domains=_added(self.domains, other.domains),
            calibration=_added(self.calibration, other.calibration),
        )

    @property
    def entity_micro(self) -> Counts:
        """Counts over all labels."""
        return sum(self.entities.values(), Counts())

    @property
    def domain_micro(self) -> Counts:
        """Counts over all domains."""
        return sum(self.domains.values(), Counts())

    @property
    def ece(self) -> dict[str, float]:
        """Expected calibration error by head."""
        errors = {head: reliability.error for head, reliability in self.calibration.items()}
        return {head: error for head, error in errors.items() if error is not None}

    @property
    def function_accuracy(self) -> float | None:
        """Share of gold sentences with the right function."""
        right = sum(n for (gold, predicted), n in self.confusion.items() if gold == predicted)
        return ratio(right, sum(self.confusion.values()))

    @property
    def functions(self) -> dict[str, Counts]:
        """Counts by function that occurs in the gold data."""
        names = dict.fromkeys(gold for gold, _ in self.confusion)
        return {
            name: Counts(
                tp=self.confusion.get((name, name), 0),
                fp=sum(n for (g, p), n in self.confusion.items() if p == name != g),
                fn=sum(n for (g, p), n in self.confusion.items() if g == name != p),
            )
            for name in names
        }

    def summary(self) -> dict[str, float | None]:
        """The headline figures."""
        return {
            "entity_f1": self.entity_micro.f1,
            "entity_macro_f1": macro_f1(self.entities),
            "entity_unlabelled_f1": self.unlabelled.f1,
            "entity_partial_f1": self.schemes["partial"].f1,
            "entity_type_f1": self.schemes["type"].f1,
            "sentence_boundary_f1": self.boundaries.f1,
            "function_accuracy": self.function_accuracy,
            "function_macro_f1": macro_f1(self.functions),
            "domain_micro_f1": self.domain_micro.f1,
            "domain_macro_f1": macro_f1(self.domains),
            **{f"ece_{head}": value for head, value in self.ece.items()},
        }

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "bulletins": self.bulletins,
            "summary": self.summary(),
            "entities": {label: counts.to_dict() for label, counts in self.entities.items()},
            "entities_micro": self.entity_micro.to_dict(),
            "entities_unlabelled": self.unlabelled.to_dict(),
            "entity_schemes": {
                name: {
                    "micro": matches.to_dict(),
                    "macro_f1": macro_f1(self.by_label[name]),
                    "labels": {label: found.to_dict() for label, found in self.by_label[name].items()},
                }
                for name, matches in self.schemes.items()
            },
            "boundaries": self.boundaries.to_dict(),
            "functions": {name: counts.to_dict() for name, counts in self.functions.items()},
            "function_confusion": [
                {"gold": gold, "predicted": predicted, "sentences": n}
                for (gold, predicted), n in sorted(self.confusion.items(), key=str)
            ],
            "domains": {name: counts.to_dict() for name, counts in self.domains.items()},
            "domains_micro": self.domain_micro.to_dict(),
        }


def score(gold: Sequence[Bulletin], predicted: Sequence[Bulletin], *, scheme: LabelScheme) -> Scores:
    """Compare predictions with gold.

    Args:
        gold: annotated bulletins.
        predicted: the same bulletins as analysed, in the same order.
        scheme: gives the order of labels.

    Raises:
        ZhenglingError: no gold at all, another number of predictions, or a text that was changed.
    """
    return total_of(score_each(gold, predicted, scheme=scheme))


def total_of(scores: Iterable[Scores]) -> Scores:
    """The scores of all bulletins together, of those of each; there must be one."""
    return reduce(Scores.__add__, scores)


def score_each(
    gold: Sequence[Bulletin], predicted: Sequence[Bulletin], *, scheme: LabelScheme
) -> list[Scores]:
    """The scores of each bulletin by itself; see ``score``, which adds them up."""
    if not gold:
        raise ZhenglingError("nothing to measure on: there are no gold bulletins")
    if len(gold) != len(predicted):
        raise ZhenglingError(f"{len(gold)} gold bulletins, but {len(predicted)} predictions")
    for true, found in zip(gold, predicted, strict=True):
        if true.text != found.text:
            raise ZhenglingError(f"bulletin {true.id!r}: the analysed text is not the gold text")
    return [_score_one(true, found, scheme=scheme) for true, found in zip(gold, predicted, strict=True)]


def _score_one(true: Bulletin, found: Bulletin, *, scheme: LabelScheme) -> Scores:
    matched = match_sentences(true, found)
    spans = (_borders(true.entities), _borders(found.entities))
    sentences = (_borders(true.sentences), _borders(found.sentences) if true.sentences else set())
    return Scores(
        bulletins=1,
        entities=_entity_counts(true, found, scheme.entity_names),
        unlabelled=_set_counts(*spans),
        schemes={name: match_spans(true.entities, found.entities, scheme=name) for name in SCHEMES},
        by_label={
            name: match_labels(true.entities, found.entities, scheme=name, labels=scheme.entity_names)
            for name in SCHEMES
        },
        boundaries=_set_counts(*sentences),
        confusion=Counter(
            (gold.function, guess.function if guess else None)
            for gold, guess in matched
            if gold.function is not None
        ),
        domains={name: _domain_counts(matched, name) for name in scheme.domain_names},
        calibration={
            head: Reliability.of(answers)
            for head, answers in confidences((true, found), matched, scheme=scheme).items()
        },
    )


def _entity_counts(true: Bulletin, found: Bulletin, labels: Iterable[str]) -> dict[str, Counts]:
    return {
        label: _set_counts(
            _borders(e for e in true.entities if e.label == label),
            _borders(e for e in found.entities if e.label == label),
        )
        for label in labels
    }


def _domain_counts(matched: Sequence[tuple[Sentence, Sentence | None]], name: str) -> Counts:
    verdicts = Counter(
        (name in true.domains, guess is not None and name in guess.domains) for true, guess in matched
    )
    return Counts(tp=verdicts[True, True], fp=verdicts[False, True], fn=verdicts[True, False])


def _borders(spans: Iterable[Any]) -> set[tuple[int, int]]:
    return {(span.start, span.end) for span in spans}


def _set_counts(true: set[Any], found: set[Any]) -> Counts:
    return Counts(len(true & found), len(found - true), len(true - found))


def _added(one: Mapping[Key, Value], other: Mapping[Key, Value]) -> dict[Key, Value]:
    return {key: one[key] + other[key] for key in one}
