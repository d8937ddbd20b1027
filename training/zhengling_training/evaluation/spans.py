"""Entities compared by the four schemes of SemEval-2013 (Segura-Bedmar et al. 2013, task 9.1).

``strict``: begin, end and label are right. ``exact``: begin and end are right. ``partial``: as ``exact``,
and an overlap counts half. ``type``: the label is right and the spans overlap. Each predicted span, in the
order of the text, is matched with the first free gold span under which it is right, of several the one
whose borders are nearest; else with the first free one that it overlaps. Under a single label only spans of
that label are compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from zhengling.schema import Entity
from zhengling_training.evaluation.counts import Matches


@dataclass(frozen=True, slots=True)
class _Scheme:
    """When a predicted span is right, and what an overlap is that isn't."""

    right: Callable[[Entity, Entity], bool]
    otherwise: str = "incorrect"


def _same_borders(one: Entity, other: Entity) -> bool:
    return (one.start, one.end) == (other.start, other.end)


def _same_label(one: Entity, other: Entity) -> bool:
    return one.label == other.label


def _same(one: Entity, other: Entity) -> bool:
    return _same_borders(one, other) and _same_label(one, other)


SCHEMES: Mapping[str, _Scheme] = {
    "strict": _Scheme(_same),
    "exact": _Scheme(_same_borders),
    "partial": _Scheme(_same_borders, otherwise="partial"),
    "type": _Scheme(_same_label),
}


def match_spans(gold: Sequence[Entity], predicted: Sequence[Entity], *, scheme: str) -> Matches:
    """Compare the entities of one text.

    Args:
        gold: sorted, not overlapping.
        predicted: sorted, not overlapping.
        scheme: a key of ``SCHEMES``.
    """
    rule = SCHEMES[scheme]
    outcomes: Counter[str] = Counter()
    taken: set[int] = set()
    for entity, near in overlapping(predicted, gold):
        free = [index for index in near if index not in taken]
        right = [index for index in free if rule.right(entity, gold[index])]
        if right:
            taken.add(min(right, key=lambda index: _distance(entity, gold[index])))
            outcomes["correct"] += 1
        elif free:
            taken.add(free[0])
            outcomes[rule.otherwise] += 1
        else:
            outcomes["spurious"] += 1
    return Matches(missed=len(gold) - len(taken), **outcomes)


def match_labels(
    gold: Sequence[Entity], predicted: Sequence[Entity], *, scheme: str, labels: Collection[str]
) -> dict[str, Matches]:
    """Compare label by label, the spans of other labels left out."""
    there = {entity.label for entity in (*gold, *predicted)}
    return {
        label: match_spans(
            [e for e in gold if e.label == label], [e for e in predicted if e.label == label], scheme=scheme
        )
        if label in there
        else Matches()
        for label in labels
    }


def overlapping(spans: Sequence[Entity], others: Sequence[Entity]) -> Iterator[tuple[Entity, list[int]]]:
    """Each span with the places of the other spans that share characters with it; both sorted."""
    first = 0
    for span in spans:
        while first < len(others) and others[first].end <= span.start:
            first += 1
        near = []
        for index in range(first, len(others)):
            if others[index].start >= span.end:
                break
            near.append(index)
        yield span, near


def _distance(one: Entity, other: Entity) -> int:
    return abs(one.start - other.start) + abs(one.end - other.end)
