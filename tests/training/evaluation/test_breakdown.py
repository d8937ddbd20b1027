from __future__ import annotations

from dataclasses import replace

import pytest
from tests.training.evaluation.samples import noisy
from tests.training.samples import SCHEME, invented_bulletins

from zhengling.schema import Bulletin, Entity, Sentence
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.breakdown import (
    REST,
    SEEN,
    UNSEEN,
    Breakdown,
    Splits,
    breakdowns,
    strings_of,
)
from zhengling_training.evaluation.metrics import score, score_each

FEW, SPLITS = Resampling(resamples=100), Splits()


def broken_down(
    gold: list[Bulletin],
    predicted: list[Bulletin],
    *,
    seen: set[str] | None = None,
    splits: Splits = SPLITS,
) -> dict[str, Breakdown]:
    found = breakdowns(
        list(zip(gold, predicted, strict=True)),
        score_each(gold, predicted, scheme=SCHEME),
        seen=seen,
        splits=splits,
        settings=FEW,
    )
    return {breakdown.key: breakdown for breakdown in found}


def test_groups_add_up_to_the_whole() -> None:
    gold = invented_bulletins(20)
    predicted = noisy(gold)
    whole = score(gold, predicted, scheme=SCHEME)
    found = broken_down(gold, predicted, seen={gold[0].surface(e) for e in gold[0].entities})
    assert list(found) == ["year", "sentence_length", "entity_length", "seen"]
    for breakdown in found.values():
        figures = [group.figures["entity"] for group in breakdown.groups if "entity" in group.figures]
        assert sum(figure.gold for figure in figures) == whole.entity_micro.gold
        assert sum(figure.predicted for figure in figures) == whole.entity_micro.predicted
    (year,) = found["year"].groups
    assert year.name == "2024"
    assert year.figures["entity"].value == pytest.approx(whole.entity_micro.f1)
    assert year.figures["function"].value == pytest.approx(whole.function_accuracy)
    wholes = {
        "function": sum(whole.confusion.values()),
        "boundary": whole.boundaries.gold,
        "domain": whole.domain_micro.gold,
    }
    for kind, total in wholes.items():
        figures = [group.figures.get(kind) for group in found["sentence_length"].groups]
        assert sum(figure.gold for figure in figures if figure) == total


def test_seen_strings_and_lengths() -> None:
    gold = Bulletin(
        "a", "民政部和青溪县。", (Entity(0, 3, "ORG"), Entity(4, 7, "LOC")), (Sentence(0, 8, "REPORT"),)
    )
    predicted = replace(gold, entities=(Entity(0, 3, "ORG"), Entity(4, 8, "LOC")))
    found = broken_down([gold], [predicted], seen={"民政部"}, splits=Splits(entity_lengths=(3,)))
    seen, unseen = found["seen"].groups
    assert (seen.name, seen.figures["entity"].value) == (SEEN, 1.0)
    assert (unseen.name, unseen.figures["entity"].value) == (UNSEEN, 0.0)
    short, long = found["entity_length"].groups
    assert (short.name, short.figures["entity"].gold, short.figures["entity"].predicted) == ("1–3", 2, 1)
    assert (long.name, long.figures["entity"].gold, long.figures["entity"].predicted) == ("4+", 0, 1)
    assert short.figures["entity"].interval is None
    assert found["sentence_length"].groups[0].name == "1–10"


def test_without_training_strings_there_is_no_such_breakdown() -> None:
    gold = invented_bulletins(2)
    assert "seen" not in broken_down(gold, gold)
    assert strings_of(gold) == {b.surface(e) for b in gold for e in b.entities}


def test_facts_and_the_unknown() -> None:
    gold = [
        replace(b, meta={"source": f"来源{n % 3}"} if n else {}) for n, b in enumerate(invented_bulletins(9))
    ]
    found = broken_down(gold, gold, splits=Splits(most=2))
    assert "year" not in found
    assert [group.name for group in found["source"].groups] == ["来源1", "来源2", REST]
    every = broken_down(gold, gold)["source"]
    assert [group.name for group in every.groups] == ["来源0", "来源1", "来源2", ""]
    assert every.to_dict()["groups"][0]["entity"]["value"] == 1.0
