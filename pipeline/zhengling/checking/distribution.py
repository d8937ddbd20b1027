"""Labels that are more, or less, frequent in one input than in the others.

Of each label the share is compared with its share in all other inputs: by their ratio, each count
smoothed by one half, and by Pearson's chi-square with one degree of freedom. Spans of one bulletin are not
independent of each other, so a chi-square near the limit says little; the ratio guards against that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zhengling.checking.findings import Item, Note
from zhengling.checking.rules import Distribution
from zhengling.schema import LabelScheme


@dataclass(frozen=True, slots=True)
class _Counts:
    """Labels of an input, and out of how many spans or sentences each could be."""

    labels: Counter[str]
    totals: Counter[str]


def check_distribution(
    items: Sequence[Item], paths: Sequence[Path], rule: Distribution, *, scheme: LabelScheme
) -> Iterator[Note]:
    """Notes on inputs whose labels are distributed unlike those of the others.

    Args:
        items: bulletins of all inputs.
        paths: the inputs.
        rule: how unlike.
        scheme: the labels.
    """
    every = [
        _count([item for item in items if item.source == number], scheme) for number in range(len(paths))
    ]
    for number, path in enumerate(paths):
        others = every[:number] + every[number + 1 :]
        for label in scheme.labels:
            here = every[number].labels[label], every[number].totals[label]
            rest = sum(c.labels[label] for c in others), sum(c.totals[label] for c in others)
            yield from _compare(label, here, rest, path=path, rule=rule)


def _count(items: Sequence[Item], scheme: LabelScheme) -> _Counts:
    labels, totals = Counter[str](), Counter[str]()
    for item in items:
        entities, sentences = item.bulletin.entities, item.bulletin.sentences
        labels.update(entity.label for entity in entities)
        labels.update(s.function for s in sentences if s.function is not None)
        labels.update(domain for s in sentences for domain in s.domains)
        totals.update(dict.fromkeys(scheme.entity_names, len(entities)))
        totals.update(dict.fromkeys((*scheme.function_names, *scheme.domain_names), len(sentences)))
    return _Counts(labels, totals)


def _compare(
    label: str, here: tuple[int, int], rest: tuple[int, int], *, path: Path, rule: Distribution
) -> Iterator[Note]:
    if not here[1] or not rest[1]:
        return
    ratio = ((here[0] + 0.5) / (here[1] + 1)) / ((rest[0] + 0.5) / (rest[1] + 1))
    statistic = chi_square(here, rest)
    if max(ratio, 1 / ratio) >= rule.min_ratio and statistic >= rule.min_chi2:
        facts: dict[str, object] = {
            "label": label,
            "share": f"{here[0] / here[1]:.1%}",
            "rest": f"{rest[0] / rest[1]:.1%}",
            "chi2": f"{statistic:.1f}",
        }
        yield Note("distribution", None, 0, 0, facts, file=str(path))


def chi_square(left: tuple[int, int], right: tuple[int, int]) -> float:
    """Pearson's chi-square of two shares, each a count and what it is out of; 0 where it is undefined."""
    count, total = left[0] + right[0], left[1] + right[1]
    if count in (0, total) or not left[1] or not right[1]:
        return 0.0
    difference = left[0] * (right[1] - right[0]) - right[0] * (left[1] - left[0])
    return difference**2 * total / (count * (total - count) * left[1] * right[1])
