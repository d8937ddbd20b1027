"""Strict scores of entities, sentence boundaries, functions and domains, and calibration errors.

Entities count as found when begin, end and label are right (CoNLL 2003). Functions and domains are scored
over gold sentences; the prediction for a gold sentence is the predicted sentence that covers most of
its characters, so that a wrong boundary costs, but once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin, LabelScheme, Sentence


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float | None:
        """None where nothing was predicted."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """None where there is nothing to find."""
        return _ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """None where there is neither gold nor prediction."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    def to_dict(self) -> dict[str, Any]:
        """Counts and ratios."""
        return {"p": self.precision, "r": self.recall, "f1": self.f1, **asdict(self)}


@dataclass(frozen=True)
class Scores:
    """All measures of a model on a set of bulletins.

    Attributes:
        bulletins: number of bulletins.
        entities: counts by label.
        unlabelled: counts of spans, labels ignored.
        boundaries: counts of sentences with exactly the gold span.
        confusion: gold and predicted function to number of gold sentences; predicted is None where no
            predicted sentence meets the gold one.
        domains: counts by domain.
        ece: expected calibration error by head, where the prediction has scores.
    """

    bulletins: int
    entities: Mapping[str, Counts]
    unlabelled: Counts
    boundaries: Counts
    confusion: Mapping[tuple[str, str | None], int]
    domains: Mapping[str, Counts]
    ece: Mapping[str, float] = field(default_factory=dict)

    @property
    def entity_micro(self) -> Counts:
        """Counts over all labels."""
        return sum(self.entities.values(), Counts())

    @property
    def domain_micro(self) -> Counts:
        """Counts over all domains."""
        return sum(self.domains.values(), Counts())

    @property
    def function_accuracy(self) -> float | None:
        """Share of gold sentences with the right function."""
        right = sum(n for (gold, predicted), n in self.confusion.items() if gold == predicted)
        return _ratio(right, sum(self.confusion.values()))

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
            "entity_unlabelled_f1": self.unlabelled.f1,
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
    """Compare predictions with gold, bulletin by bulletin.

    Args:
        gold: annotated bulletins.
        predicted: the same bulletins as analysed, in the same order.
        scheme: gives the order of labels.

    Raises:
        ZhenglingError: no gold at all, or a text that was changed.
    """
    if not gold:
        raise ZhenglingError("nothing to measure on: there are no gold bulletins")
    pairs = list(zip(gold, predicted, strict=True))
    for true, found in pairs:
        if true.text != found.text:
            raise ZhenglingError(f"bulletin {true.id!r}: the analysed text is not the gold text")
    matched = [match for true, found in pairs for match in match_sentences(true, found)]
    return Scores(
        bulletins=len(pairs),
        entities=_entity_counts(pairs, scheme.entity_names),
        unlabelled=_set_counts(
            ({(e.start, e.end) for e in t.entities}, {(e.start, e.end) for e in f.entities}) for t, f in pairs
        ),
        boundaries=_set_counts(
            ({(s.start, s.end) for s in t.sentences}, {(s.start, s.end) for s in f.sentences})
            for t, f in pairs
            if t.sentences
        ),
        confusion=Counter(
            (true.function, found.function if found else None)
            for true, found in matched
            if true.function is not None
        ),
        domains=_domain_counts(matched, scheme.domain_names),
        ece=_calibration(pairs, matched, scheme),
    )


def match_sentences(gold: Bulletin, predicted: Bulletin) -> list[tuple[Sentence, Sentence | None]]:
    """For each gold sentence the predicted one that covers most of its characters."""
    matches: list[tuple[Sentence, Sentence | None]] = []
    first = 0
    for sentence in gold.sentences:
        while first < len(predicted.sentences) and predicted.sentences[first].end <= sentence.start:
            first += 1
        best, most = None, 0
        for candidate in predicted.sentences[first:]:
            if candidate.start >= sentence.end:
                break
            common = min(candidate.end, sentence.end) - max(candidate.start, sentence.start)
            if common > most:
                best, most = candidate, common
        matches.append((sentence, best))
    return matches


def macro_f1(counts: Mapping[str, Counts]) -> float | None:
    """Mean F1 over labels that occur in gold or prediction."""
    defined = [c.f1 for c in counts.values() if c.f1 is not None]
    return sum(defined) / len(defined) if defined else None


def expected_calibration_error(pairs: Iterable[tuple[float, bool]], *, bins: int = 15) -> float | None:
    """ECE with bins of equal width (Guo et al. 2017); None without predictions.

    Args:
        pairs: confidence in [0, 1] and whether the prediction was right.
        bins: number of bins.
    """
    groups: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for confidence, right in pairs:
        groups[min(int(confidence * bins), bins - 1)].append((confidence, right))
    total = sum(map(len, groups.values()))
    if not total:
        return None
    gaps = (abs(sum(c for c, _ in group) - sum(r for _, r in group)) for group in groups.values())
    return sum(gaps) / total


def _entity_counts(pairs: Sequence[tuple[Bulletin, Bulletin]], labels: Sequence[str]) -> dict[str, Counts]:
    return {
        label: _set_counts(
            (
                {(e.start, e.end) for e in true.entities if e.label == label},
                {(e.start, e.end) for e in found.entities if e.label == label},
            )
            for true, found in pairs
        )
        for label in labels
    }


def _domain_counts(
    matched: Sequence[tuple[Sentence, Sentence | None]], domains: Sequence[str]
) -> dict[str, Counts]:
    return {
        name: _set_counts(
            ({name} & set(true.domains), {name} & set(found.domains if found else ()))
            for true, found in matched
        )
        for name in domains
    }


def _set_counts(pairs: Iterable[tuple[set[Any], set[Any]]]) -> Counts:
    total = Counts()
    for true, found in pairs:
        total += Counts(len(true & found), len(found - true), len(true - found))
    return total


def _calibration(
    pairs: Sequence[tuple[Bulletin, Bulletin]],
    matched: Sequence[tuple[Sentence, Sentence | None]],
    scheme: LabelScheme,
) -> dict[str, float]:
    entities = [
        (entity.score, (entity.start, entity.end, entity.label) in gold)
        for true, found in pairs
        for gold in [{(e.start, e.end, e.label) for e in true.entities}]
        for entity in found.entities
        if entity.score is not None
    ]
    functions = [
        (found.scores[found.function], found.function == true.function)
        for true, found in matched
        if found is not None and found.function is not None and found.function in found.scores
    ]
    domains = [
        (found.scores[name], name in true.domains)
        for true, found in matched
        if found is not None and true.function not in scheme.functions_without_domains
        for name in scheme.domain_names
        if name in found.scores
    ]
    errors = {
        "entities": expected_calibration_error(entities),
        "functions": expected_calibration_error(functions),
        "domains": expected_calibration_error(domains),
    }
    return {head: error for head, error in errors.items() if error is not None}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
