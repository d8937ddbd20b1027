"""Entities compared by four schemes, against the two libraries that others measure with."""

from __future__ import annotations

import warnings
from random import Random

import pytest
from nervaluate import Evaluator
from seqeval.metrics import v1 as seqeval
from seqeval.scheme import IOBES
from tests.strategies import SCHEME

from zhengling.decoding import tag_names, tag_numbers
from zhengling.schema import Bulletin, Entity
from zhengling_training.evaluation.counts import Counts, Matches
from zhengling_training.evaluation.metrics import score
from zhengling_training.evaluation.spans import SCHEMES, match_labels, match_spans, overlapping

LABELS = SCHEME.entity_names[:3]
CASES = 5000
NERVALUATE = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}


def random_entities(random: Random, length: int) -> tuple[Entity, ...]:
    """Entities side by side or apart."""
    found, at = [], random.randrange(3)
    while (end := at + random.randint(1, 4)) <= length:
        if random.random() < 0.6:
            found.append(Entity(at, end, random.choice(LABELS)))
        at = end + random.choice((0, 0, 1, 2))
    return tuple(found)


def random_pair(random: Random) -> tuple[tuple[Entity, ...], tuple[Entity, ...], int]:
    length = random.randint(1, 24)
    return random_entities(random, length), random_entities(random, length), length


def as_dicts(entities: tuple[Entity, ...]) -> list[dict[str, object]]:
    """As nervaluate takes them, end inclusive."""
    return [{"label": e.label, "start": e.start, "end": e.end - 1} for e in entities]


def check_nervaluate(mine: Matches, theirs: object) -> None:
    assert mine == Matches(
        *(getattr(theirs, name) for name in ("correct", "incorrect", "partial", "missed", "spurious"))
    )
    assert (mine.precision or 0.0, mine.recall or 0.0, mine.f1 or 0.0) == pytest.approx(
        (theirs.precision, theirs.recall, theirs.f1)
    )


def test_all_schemes_agree_with_nervaluate_on_random_cases() -> None:
    random = Random(20130614)
    for _ in range(CASES):
        gold, predicted, _ = random_pair(random)
        evaluator = Evaluator([as_dicts(gold)], [as_dicts(predicted)], tags=list(LABELS), loader="dict")
        theirs = evaluator.evaluate()
        for name in SCHEMES:
            check_nervaluate(match_spans(gold, predicted, scheme=name), theirs["overall"][NERVALUATE[name]])
            mine = match_labels(gold, predicted, scheme=name, labels=LABELS)
            for label, results in theirs["entities"].items():
                check_nervaluate(mine[label], results[NERVALUATE[name]])
            assert all(mine[label] == Matches() for label in LABELS if label not in theirs["entities"])


def tags(entities: tuple[Entity, ...], length: int) -> list[str]:
    spans = [(e.start, e.end, LABELS.index(e.label)) for e in entities]
    return [tag_names(LABELS)[tag] for tag in tag_numbers(spans, length)]


def test_strict_scores_agree_with_seqeval_on_random_cases() -> None:
    random = Random(2003)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(CASES):
            gold, predicted, length = random_pair(random)
            if not gold and not predicted:
                continue
            p, r, f, support = seqeval.precision_recall_fscore_support(
                [tags(gold, length)], [tags(predicted, length)], average=None, scheme=IOBES, zero_division=0
            )
            text = "字" * length
            scores = score([Bulletin("a", text, gold)], [Bulletin("a", text, predicted)], scheme=SCHEME)
            for number, label in enumerate(sorted({e.label for e in (*gold, *predicted)})):
                for mine in (scores.entities[label], scores.by_label["strict"][label]):
                    found = mine.precision or 0.0, mine.recall or 0.0, mine.f1 or 0.0
                    assert found == pytest.approx((p[number], r[number], f[number]))
                    assert mine.gold == support[number]
            strict, micro = scores.schemes["strict"], scores.entity_micro
            assert (strict.hits, strict.predicted, strict.gold) == (micro.hits, micro.predicted, micro.gold)


def test_a_worked_example() -> None:
    gold = [Entity(0, 3, "ORG"), Entity(5, 8, "LOC"), Entity(10, 14, "PERSON"), Entity(20, 22, "LOC")]
    predicted = [Entity(0, 3, "LOC"), Entity(5, 7, "LOC"), Entity(10, 14, "PERSON"), Entity(16, 18, "ORG")]
    found = {name: match_spans(gold, predicted, scheme=name) for name in SCHEMES}
    assert found == {
        "strict": Matches(correct=1, incorrect=2, missed=1, spurious=1),
        "exact": Matches(correct=2, incorrect=1, missed=1, spurious=1),
        "partial": Matches(correct=2, partial=1, missed=1, spurious=1),
        "type": Matches(correct=2, incorrect=1, missed=1, spurious=1),
    }
    assert found["partial"].f1 == pytest.approx(2.5 / 4)


def test_of_several_of_its_label_the_nearest_is_matched() -> None:
    gold = [Entity(0, 2, "ORG"), Entity(2, 8, "ORG")]
    found = match_spans(gold, [Entity(0, 8, "ORG")], scheme="type")
    assert found == Matches(correct=1, missed=1)
    assert [near for _, near in overlapping([Entity(0, 8, "ORG")], gold)] == [[0, 1]]


def test_counts_and_matches_know_the_same_things() -> None:
    counts, matches = Counts(tp=3, fp=1, fn=2), Matches(correct=3, spurious=1, missed=2)
    assert (counts.hits, counts.predicted, counts.gold) == (matches.hits, matches.predicted, matches.gold)
    assert (counts.precision, counts.recall, counts.f1) == (matches.precision, matches.recall, matches.f1)
    assert Matches().f1 is None
    assert Matches(partial=1).to_dict()["f1"] == 0.5
