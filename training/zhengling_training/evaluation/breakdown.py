"""Results by part of the data: facts of bulletins, lengths of sentences and entities, strings seen before.

Entities count in the group of their own length or string, sentences in that of their own length; what is
right falls into the same group on both sides. Entities by length of sentence go with the gold sentence
where they begin.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from zhengling.schema import Bulletin, Entity, Sentence
from zhengling.scoring import match_sentences
from zhengling_training.evaluation.bootstrap import Interval, Resampling, intervals_of
from zhengling_training.evaluation.counts import Counts
from zhengling_training.evaluation.ledger import Floats, f1_of, recall_of
from zhengling_training.evaluation.metrics import Scores

KINDS = ("entity", "boundary", "function", "domain")
SEEN, UNSEEN = "seen", "unseen"
# The groups that are too many to be shown one by one.
REST = "…"

# Of functions the accuracy is given.
_OF: Mapping[str, Callable[[Floats], Floats]] = {"function": recall_of}

# Counts of one bulletin by group and kind.
Parts = Mapping[str, Mapping[str, Counts]]
Splitter = Callable[[Bulletin, Bulletin, Scores], Parts]


@dataclass(frozen=True, slots=True)
class Splits:
    """What to break results down by.

    Attributes:
        facts: keys of facts about the bulletin.
        date: the fact whose first four digits are the year.
        sentence_lengths: last lengths of the groups but the last, in characters.
        entity_lengths: the same of entities.
        most: groups by a fact that are shown; of more, the smallest are put together.
    """

    facts: tuple[str, ...] = ("register", "source")
    date: str = "date"
    sentence_lengths: tuple[int, ...] = (10, 20, 40, 80)
    entity_lengths: tuple[int, ...] = (2, 4, 8, 16)
    most: int = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """F1, of functions the accuracy, with its interval; None if undefined."""

    value: float | None
    interval: Interval | None
    gold: int
    predicted: int

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        held = self.interval
        return {
            "value": self.value,
            "interval": None if held is None else [held.low, held.high],
            "gold": self.gold,
            "predicted": self.predicted,
        }


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the data.

    Attributes:
        name: the value, the range of lengths, ``SEEN``, ``UNSEEN``; empty where the fact is unknown.
        bulletins: number of bulletins that have any of it.
        figures: by kind, those of ``KINDS`` that the breakdown has.
    """

    name: str
    bulletins: int
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Results by one property: a fact's key, ``year``, ``sentence_length``, ``entity_length`` or ``seen``."""

    key: str
    groups: tuple[Group, ...]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "by": self.key,
            "groups": [
                {"name": group.name, "bulletins": group.bulletins}
                | {kind: figure.to_dict() for kind, figure in group.figures.items()}
                for group in self.groups
            ],
        }


def breakdowns(
    pairs: Sequence[tuple[Bulletin, Bulletin]],
    scores: Sequence[Scores],
    *,
    seen: Collection[str] | None,
    splits: Splits,
    settings: Resampling,
) -> tuple[Breakdown, ...]:
    """Results by all properties that the data have.

    Args:
        pairs: gold and predicted bulletins.
        scores: of each pair.
        seen: strings of entities in training; None if unknown.
        splits: the properties.
        settings: of the intervals.
    """
    parts = {
        key: [split(true, found, score) for (true, found), score in zip(pairs, scores, strict=True)]
        for key, split in _splitters(pairs, seen=seen, splits=splits).items()
    }
    cells = [
        (key, name, kind)
        for key, split_up in parts.items()
        for name in sorted({name for part in split_up for name in part}, key=_rank)
        for kind in KINDS
        if any(kind in part.get(name, {}) for part in split_up)
    ]
    figures = dict(zip(cells, _figures(cells, parts, settings=settings), strict=True))
    return tuple(_breakdown(key, split_up, figures) for key, split_up in parts.items() if any(split_up))


def _figures(
    cells: Sequence[tuple[str, str, str]], parts: Mapping[str, Sequence[Parts]], *, settings: Resampling
) -> list[Figure]:
    """The figure of each property, group and kind; all of them are measured on the same resamples."""
    if not cells:
        return []
    counts = [[part.get(name, {}).get(kind, Counts()) for part in parts[key]] for key, name, kind in cells]
    rows: Floats = np.array(
        [[(c.hits, c.predicted, c.gold) for c in column] for column in counts], np.float64
    )
    held = intervals_of(
        rows.swapaxes(0, 1), [_OF.get(kind, f1_of) for _, _, kind in cells], settings=settings
    )
    totals = (sum(column, Counts()) for column in counts)
    return [
        Figure(total.recall if kind in _OF else total.f1, interval, total.gold, total.predicted)
        for (_, _, kind), total, interval in zip(cells, totals, held, strict=True)
    ]


def _breakdown(key: str, parts: Sequence[Parts], figures: Mapping[tuple[str, str, str], Figure]) -> Breakdown:
    names = dict.fromkeys(name for owner, name, _ in figures if owner == key)
    groups = [
        Group(
            name,
            sum(name in part for part in parts),
            {kind: figures[key, name, kind] for kind in KINDS if (key, name, kind) in figures},
        )
        for name in names
    ]
    return Breakdown(key, tuple(groups))


def strings_of(bulletins: Iterable[Bulletin]) -> frozenset[str]:
    """The strings of all entities."""
    return frozenset(bulletin.surface(entity) for bulletin in bulletins for entity in bulletin.entities)


def _splitters(
    pairs: Sequence[tuple[Bulletin, Bulletin]], *, seen: Collection[str] | None, splits: Splits
) -> dict[str, Splitter]:
    gold = [true for true, _ in pairs]
    found: dict[str, Splitter] = {}
    facts = {key: [true.meta.get(key, "") for true in gold] for key in splits.facts}
    facts["year"] = [_year(true, splits.date) for true in gold]
    for key, values in facts.items():
        if any(values):
            kept = {name for name, _ in Counter(values).most_common(splits.most)}
            names = [value if value in kept else REST for value in values]
            found[key] = partial(_by_fact, {true.id: name for true, name in zip(gold, names, strict=True)})
    found["sentence_length"] = partial(_by_sentence_length, splits.sentence_lengths)
    found["entity_length"] = partial(_by_entity, partial(_range_of_entity, splits.entity_lengths))
    if seen is not None:
        found["seen"] = partial(_by_entity, partial(_seen_or_not, seen))
    return found


def _by_fact(names: Mapping[str, str], true: Bulletin, found: Bulletin, score: Scores) -> Parts:
    counts = {
        "entity": score.entity_micro,
        "boundary": score.boundaries,
        "function": _verdicts(match_sentences(true, found)),
        "domain": score.domain_micro,
    }
    return {names[true.id]: counts}


def _by_sentence_length(ends: Sequence[int], true: Bulletin, found: Bulletin, score: Scores) -> Parts:
    parts: defaultdict[str, defaultdict[str, Counts]] = defaultdict(lambda: defaultdict(Counts))
    if not true.sentences:
        return {}
    for sentence, right, there in _sides(true.sentences, found.sentences, _borders):
        parts[_range(ends, sentence.end - sentence.start)]["boundary"] += _one(right, gold=there)
    for gold, guess in match_sentences(true, found):
        part = parts[_range(ends, gold.end - gold.start)]
        part["function"] += _verdicts([(gold, guess)])
        part["domain"] += _domains(gold, guess)
    starts = [sentence.start for sentence in true.sentences]
    for entity, right, there in _sides(true.entities, found.entities, _identity):
        home = true.sentences[max(0, bisect_right(starts, entity.start) - 1)]
        parts[_range(ends, home.end - home.start)]["entity"] += _one(right, gold=there)
    return parts


def _by_entity(
    name: Callable[[Bulletin, Entity], str], true: Bulletin, found: Bulletin, score: Scores
) -> Parts:
    parts: defaultdict[str, dict[str, Counts]] = defaultdict(lambda: {"entity": Counts()})
    for entity, right, there in _sides(true.entities, found.entities, _identity):
        parts[name(true, entity)]["entity"] += _one(right, gold=there)
    return parts


def _sides(
    gold: Sequence[Any], found: Sequence[Any], key: Callable[[Any], Any]
) -> list[tuple[Any, bool, bool]]:
    """Each gold span, and each predicted one that is wrong: whether it is right, and whether it is gold."""
    predicted, there = {key(span) for span in found}, {key(span) for span in gold}
    wrong = [(span, False, False) for span in found if key(span) not in there]
    return [(span, key(span) in predicted, True) for span in gold] + wrong


def _one(right: bool, *, gold: bool) -> Counts:
    return Counts(tp=int(right), fp=int(not gold), fn=int(gold and not right))


def _verdicts(matches: Iterable[tuple[Sentence, Sentence | None]]) -> Counts:
    total = Counts()
    for gold, guess in matches:
        given = guess.function if guess else None
        if gold.function is not None:
            right = gold.function == given
            total += Counts(tp=int(right), fp=int(not right and given is not None), fn=int(not right))
    return total


def _domains(gold: Sentence, guess: Sentence | None) -> Counts:
    true, given = set(gold.domains), set(guess.domains if guess else ())
    return Counts(len(true & given), len(given - true), len(true - given))


def _identity(entity: Entity) -> tuple[int, int, str]:
    return entity.start, entity.end, entity.label


def _borders(sentence: Sentence) -> tuple[int, int]:
    return sentence.start, sentence.end


def _year(bulletin: Bulletin, key: str) -> str:
    found = re.match(r"\d{4}", bulletin.meta.get(key, ""))
    return found[0] if found else ""


def _range_of_entity(ends: Sequence[int], bulletin: Bulletin, entity: Entity) -> str:
    return _range(ends, entity.end - entity.start)


def _seen_or_not(seen: Collection[str], bulletin: Bulletin, entity: Entity) -> str:
    return SEEN if bulletin.surface(entity) in seen else UNSEEN


def _range(ends: Sequence[int], length: int) -> str:
    """The group of a length: ``1–10``, ``11–20``, …, ``81+``."""
    place = next((index for index, end in enumerate(ends) if length <= end), len(ends))
    first = ends[place - 1] + 1 if place else 1
    if place == len(ends):
        return f"{first}+"
    return f"{first}–{ends[place]}" if first < ends[place] else str(first)


def _rank(name: str) -> tuple[bool, bool, int, str]:
    """Order of groups: numbers by size, then names, then the rest, then the unknown."""
    number = re.match(r"\d+", name)
    return not name, name == REST, int(number[0]) if number else 0, name
