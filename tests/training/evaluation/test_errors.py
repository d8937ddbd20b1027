from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from tests.strategies import SCHEME, bulletins
from tests.training.evaluation.samples import noisy
from tests.training.samples import invented_bulletins

from zhengling.schema import Bulletin, Entity, Sentence
from zhengling_training.evaluation.errors import KINDS, Mistake, mistakes
from zhengling_training.evaluation.metrics import score

TEXT = "青溪县民政局和柳湾区福利院开会。各地要落实好。"
GOLD = Bulletin(
    "a",
    TEXT,
    (Entity(0, 6, "ORG"), Entity(7, 13, "ORG")),
    (Sentence(0, 16, "REPORT"), Sentence(16, 23, "DIRECTIVE", ("elderly",))),
)


def predicted(*entities: Entity) -> Bulletin:
    return replace(GOLD, entities=entities)


def test_every_kind_of_entity_error() -> None:
    right = Entity(0, 6, "ORG", 0.9)
    cases = {
        "missed": ((right,), Mistake("missed", 7, 13, "ORG")),
        "spurious": (
            (right, Entity(7, 13, "ORG", 0.8), Entity(18, 19, "LOC", 0.4)),
            Mistake("spurious", 18, 19, None, "LOC", 0.4),
        ),
        "span": ((right, Entity(7, 10, "ORG", 0.7)), Mistake("span", 7, 13, "ORG", "ORG", 0.7)),
        "label": ((right, Entity(7, 13, "LOC", 0.6)), Mistake("label", 7, 13, "ORG", "LOC", 0.6)),
        "both": ((right, Entity(7, 10, "LOC", 0.5)), Mistake("both", 7, 13, "ORG", "LOC", 0.5)),
    }
    for entities, mistake in cases.values():
        assert mistakes(GOLD, predicted(*entities)) == [mistake]


def test_a_predicted_span_over_two_gold_ones() -> None:
    found = mistakes(GOLD, predicted(Entity(0, 13, "ORG", 0.5)))
    assert [(m.kind, m.start, m.end) for m in found] == [("span", 0, 13), ("missed", 7, 13)]


def test_errors_of_sentences() -> None:
    scores = {"REPORT": 0.9, "CONTEXT": 0.6, "elderly": 0.25, "charity": 0.75}
    found = mistakes(
        GOLD,
        replace(
            GOLD, sentences=(GOLD.sentences[0], replace(GOLD.sentences[1], function="CONTEXT", scores=scores))
        ),
    )
    assert found == [Mistake("function", 16, 23, "DIRECTIVE", "CONTEXT", 0.6)]
    found = mistakes(
        GOLD,
        replace(
            GOLD,
            sentences=(GOLD.sentences[0], Sentence(16, 23, "DIRECTIVE", ("charity",), scores)),
        ),
    )
    assert found == [
        Mistake("domain", 16, 23, "elderly", None, 0.75),
        Mistake("domain", 16, 23, None, "charity", 0.75),
    ]
    found = mistakes(GOLD, replace(GOLD, sentences=(Sentence(0, 23, "REPORT"),)))
    assert [(m.kind, m.start) for m in found] == [
        ("boundary", 0),
        ("boundary", 16),
        ("function", 16),
        ("domain", 16),
    ]


@settings(max_examples=50, deadline=None)
@given(bulletins())
def test_gold_has_no_errors(bulletin: Bulletin) -> None:
    assert mistakes(bulletin, bulletin) == []


def test_errors_add_up_to_the_scores() -> None:
    gold = invented_bulletins(40)
    found = noisy(gold, rate=0.6)
    scores = score(gold, found, scheme=SCHEME)
    every = [mistake for pair in zip(gold, found, strict=True) for mistake in mistakes(*pair)]
    count = {kind: sum(m.kind == kind for m in every) for kind in KINDS}
    both = count["span"] + count["label"] + count["both"]
    assert count["missed"] + both == scores.entity_micro.fn
    assert count["spurious"] + both == scores.entity_micro.fp
    assert count["boundary"] == scores.boundaries.fn
    assert count["domain"] == scores.domain_micro.fp + scores.domain_micro.fn
    wrong = sum(n for (true, given), n in scores.confusion.items() if true != given)
    assert count["function"] == wrong
