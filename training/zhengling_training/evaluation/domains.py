"""Errors of sentences with several domains: what is taken for what, and what is lost or added beside what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zhengling.schema import Sentence

NONE: frozenset[str | None] = frozenset([None])
Match = tuple[Sentence, Sentence | None]


@dataclass(frozen=True, slots=True)
class DomainErrors:
    """Numbers of gold sentences by what happened to their domains.

    Attributes:
        confusion: gold and predicted domain to sentences: both the same where it was found; different where
        the
            one was missed and the other added; None for the gold one where it was added and nothing missed,
            None for the predicted one where it was missed and nothing added.
        missed_beside: a domain that was missed and one that was found in the same sentence.
        added_beside: a domain that was added and one that was found in the same sentence.
        together: two gold domains of one sentence, in either order: out of how many ``missed_beside`` is.
        by_number: by number of gold domains, sentences and those of them with exactly the right domains.
    """

    confusion: Mapping[tuple[str | None, str | None], int]
    missed_beside: Mapping[tuple[str, str], int]
    added_beside: Mapping[tuple[str, str], int]
    together: Mapping[tuple[str, str], int]
    by_number: Mapping[int, tuple[int, int]]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "confusion": [
                {"gold": gold, "predicted": predicted, "sentences": n}
                for (gold, predicted), n in sorted(self.confusion.items(), key=str)
            ],
            "missed_beside": [
                {"missed": one, "found": other, "sentences": n, "of": self.together[one, other]}
                for (one, other), n in most(self.missed_beside)
            ],
            "added_beside": [
                {"added": one, "found": other, "sentences": n} for (one, other), n in most(self.added_beside)
            ],
            "by_number": [
                {"domains": number, "sentences": n, "right": right}
                for number, (n, right) in self.by_number.items()
            ],
        }


def domain_errors(matches: Iterable[Match]) -> DomainErrors:
    """Count the errors of matched sentences, see ``zhengling.scoring.match_sentences``."""
    confusion: Counter[tuple[str | None, str | None]] = Counter()
    missed_beside: Counter[tuple[str, str]] = Counter()
    added_beside: Counter[tuple[str, str]] = Counter()
    together: Counter[tuple[str, str]] = Counter()
    numbers: Counter[int] = Counter()
    right: Counter[int] = Counter()
    for gold, guess in matches:
        true, given = set(gold.domains), set(guess.domains if guess else ())
        found, missed, added = true & given, true - given, given - true
        confusion.update((name, name) for name in found)
        confusion.update((one, other) for one in missed or NONE for other in added or NONE)
        missed_beside.update((one, other) for one in missed for other in found)
        added_beside.update((one, other) for one in added for other in found)
        together.update((one, other) for one in true for other in true if one != other)
        numbers[len(true)] += 1
        right[len(true)] += true == given
    del confusion[None, None]
    by_number = {number: (numbers[number], right[number]) for number in sorted(numbers)}
    return DomainErrors(confusion, missed_beside, added_beside, together, by_number)


def most(counts: Mapping[tuple[str, str], int]) -> list[tuple[tuple[str, str], int]]:
    """Pairs by falling count, then by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
