"""Predictions with errors and probabilities, invented from gold bulletins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from tests.training.samples import SCHEME

from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence
from zhengling_training.evaluation.facts import DataFacts, Facts, Machine, ModelFacts, Run

EVIL = "<script>alert(1)</script>"
FACTS = Facts(
    model=ModelFacts("zh_example", "0.1.0", "models/zh_example", "ab" * 32),
    data=DataFacts("gold.jsonl", "cd" * 32, 12, 800, 48, 60),
    training=(DataFacts("train.jsonl", "ef" * 32, 3, 200, 12, 15),),
    command="zhengling evaluate models/zh_example gold.jsonl",
    date="2026-03-05T08:30:00+00:00",
    machine=Machine("a processor", 4, 8 * 2**30, "Linux"),
    versions={"python": "3.11", "zhengling": "0.1.0"},
    run=Run(800, 0.5, 0.4, 300_000_000, 1),
)


def noisy(
    gold: Sequence[Bulletin], *, scheme: LabelScheme = SCHEME, seed: int = 0, rate: float = 0.25
) -> list[Bulletin]:
    """Each bulletin with wrong labels and borders and omissions at a rate, and with probabilities."""
    random = Random(seed)
    return [
        replace(
            bulletin,
            entities=_entities(bulletin, scheme, random, rate=rate),
            sentences=_sentences(bulletin, scheme, random, rate=rate),
        )
        for bulletin in gold
    ]


def _entities(bulletin: Bulletin, scheme: LabelScheme, random: Random, *, rate: float) -> tuple[Entity, ...]:
    found: list[Entity] = []
    for entity in bulletin.entities:
        start, end, label = entity.start, entity.end, entity.label
        if random.random() < rate / 3:
            continue
        if random.random() < rate / 3:
            label = random.choice(scheme.entity_names)
        if random.random() < rate / 3 and end - start > 1:
            end -= 1
        found.append(Entity(start, end, label, random.betavariate(6, 1)))
    return tuple(found)


def _sentences(
    bulletin: Bulletin, scheme: LabelScheme, random: Random, *, rate: float
) -> tuple[Sentence, ...]:
    found: list[Sentence] = []
    for sentence in bulletin.sentences:
        if found and random.random() < rate / 8:
            found[-1] = replace(found[-1], end=sentence.end)
            continue
        found.append(_sentence(sentence, scheme, random, rate=rate))
    return tuple(found)


def _sentence(sentence: Sentence, scheme: LabelScheme, random: Random, *, rate: float) -> Sentence:
    function = sentence.function
    if function is not None and random.random() < rate / 2:
        function = random.choice(scheme.function_names)
    bears = function not in scheme.functions_without_domains
    scores = dict.fromkeys(scheme.function_names, 0.02)
    if function is not None:
        scores[function] = random.betavariate(8, 2)
    for name in scheme.domain_names:
        scores[name] = random.betavariate(6, 2) if name in sentence.domains else random.betavariate(1, 12)
    domains = tuple(name for name in scheme.domain_names if bears and scores[name] >= 0.5)
    return replace(sentence, function=function, domains=domains, scores=scores)
