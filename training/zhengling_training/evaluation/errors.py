"""What a prediction has wrong, error by error, for reading.

Spans with the gold borders are right or have a wrong label. Of the others, those that overlap are paired in
the order of the text: a wrong boundary, or, if the labels differ too, both. What is left is missed or
spurious.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from zhengling.schema import Bulletin, Entity, Sentence
from zhengling.scoring import match_sentences
from zhengling_training.evaluation.spans import overlapping

# In the order in which they are listed.
KINDS = ("missed", "spurious", "span", "label", "both", "boundary", "function", "domain")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error.

    Attributes:
        kind: one of ``KINDS``; ``span`` is an entity with wrong borders, ``boundary`` a sentence with wrong
        ones. start: first character of what is wrong: gold and predicted spans together. end: one past the
        last character. gold: the gold label, None where there is none. predicted: the predicted label, None
        where there is none. confidence: the probability that the model gave to what it predicted; of a
        missed domain that of leaving it
            out; None where it gave none.
    """

    kind: str
    start: int
    end: int
    gold: str | None = None
    predicted: str | None = None
    confidence: float | None = None


def mistakes(gold: Bulletin, predicted: Bulletin) -> list[Mistake]:
    """All errors of a bulletin, in the order of the text."""
    found = [
        *_entity_mistakes(gold.entities, predicted.entities),
        *_boundary_mistakes(gold.sentences, predicted.sentences),
        *_sentence_mistakes(gold, predicted),
    ]
    return sorted(found, key=lambda mistake: (mistake.start, KINDS.index(mistake.kind)))


def _entity_mistakes(gold: Sequence[Entity], predicted: Sequence[Entity]) -> Iterator[Mistake]:
    exact = {(e.start, e.end): e for e in gold}
    borders = {(e.start, e.end) for e in predicted}
    for entity in predicted:
        true = exact.get((entity.start, entity.end))
        if true is not None and true.label != entity.label:
            yield _pair("label", true, entity)
    rest = [e for e in gold if (e.start, e.end) not in borders]
    taken: set[int] = set()
    for entity, near in overlapping([e for e in predicted if (e.start, e.end) not in exact], rest):
        free = [index for index in near if index not in taken]
        if not free:
            yield Mistake("spurious", entity.start, entity.end, None, entity.label, entity.score)
            continue
        chosen = next((index for index in free if rest[index].label == entity.label), free[0])
        taken.add(chosen)
        same = rest[chosen].label == entity.label
        yield _pair("span" if same else "both", rest[chosen], entity)
    for index, true in enumerate(rest):
        if index not in taken:
            yield Mistake("missed", true.start, true.end, true.label)


def _pair(kind: str, gold: Entity, predicted: Entity) -> Mistake:
    start, end = min(gold.start, predicted.start), max(gold.end, predicted.end)
    return Mistake(kind, start, end, gold.label, predicted.label, predicted.score)


def _boundary_mistakes(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> Iterator[Mistake]:
    borders = {(s.start, s.end) for s in predicted}
    for sentence in gold:
        if (sentence.start, sentence.end) not in borders:
            yield Mistake("boundary", sentence.start, sentence.end)


def _sentence_mistakes(gold: Bulletin, predicted: Bulletin) -> Iterator[Mistake]:
    for true, guess in match_sentences(gold, predicted):
        given = guess.function if guess else None
        scores: Mapping[str, float] = guess.scores if guess else {}
        if true.function is not None and given != true.function:
            confidence = None if given is None else scores.get(given)
            yield Mistake("function", true.start, true.end, true.function, given, confidence)
        domains = guess.domains if guess else ()
        for name in true.domains:
            if name not in domains:
                left_out = 1 - scores[name] if name in scores else None
                yield Mistake("domain", true.start, true.end, name, None, left_out)
        for name in domains:
            if name not in true.domains:
                yield Mistake("domain", true.start, true.end, None, name, scores.get(name))
