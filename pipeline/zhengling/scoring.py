"""Scorers for ``spacy evaluate`` and ``nlp.evaluate``, by characters, so that tokens need not be alike.

Gold annotation is that of ``annotated.annotation_of``. Entities count when begin, end and label are right.
Functions and domains are scored over gold sentences, each with the predicted sentence that covers most of
it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from spacy.scorer import PRFScore
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from zhengling.annotated import annotation_of
from zhengling.schema import Bulletin, Sentence

Scorer = Callable[..., dict[str, Any]]
Match = tuple[Sentence, Sentence | None]


def match_sentences(gold: Bulletin, predicted: Bulletin) -> list[Match]:
    """For each gold sentence the predicted one that covers most of its characters."""
    matches: list[Match] = []
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


@registry.scorers("zhengling.entity_scorer.v1")  # type: ignore[untyped-decorator]
def make_entity_scorer() -> Scorer:
    """Factory of ``score_entities``."""
    return score_entities


@registry.scorers("zhengling.sentence_scorer.v1")  # type: ignore[untyped-decorator]
def make_sentence_scorer() -> Scorer:
    """Factory of ``score_sentences``."""
    return score_sentences


def score_entities(examples: Iterable[Example], **_: Any) -> dict[str, Any]:
    """Strict precision, recall and F1 as ``ents_p``, ``ents_r``, ``ents_f``, ``ents_per_type``.

    As in spaCy, a document without annotation of entities is passed over, and so is a predicted entity on
    tokens without it; undefined scores are None.
    """
    scores: dict[str, PRFScore] = defaultdict(PRFScore)
    for example in examples:
        if not example.reference.has_annotation("ENT_IOB"):
            continue
        gold = {(e.start, e.end, e.label) for e in annotation_of(example.reference).entities}
        found = {
            (e.start_char, e.end_char, e.label_)
            for e in example.predicted.ents
            if _is_annotated(example.reference, e.start_char, e.end_char)
        }
        for label in {span[2] for span in gold | found}:
            scores[label].score_set(
                {span for span in found if span[2] == label}, {span for span in gold if span[2] == label}
            )
    return _prf("ents", scores.values()) | {"ents_per_type": _by_type(scores)}


def score_sentences(examples: Iterable[Example], **_: Any) -> dict[str, Any]:
    """Scores of functions, domains and sentence boundaries; those that are undefined are None.

    ``functions_acc``, ``functions_per_type``; ``domains_micro_p``, ``domains_micro_r``, ``domains_micro_f``,
    ``domains_per_type``; ``sents_p``, ``sents_r``, ``sents_f``.
    """
    pairs = [(annotation_of(example.reference), example.predicted._.bulletin) for example in examples]
    matches = [match for gold, found in pairs for match in match_sentences(gold, found)]
    borders = PRFScore()
    for gold, found in pairs:
        if gold.sentences:
            borders.score_set(set(_borders(found)), set(_borders(gold)))
    return _function_scores(matches) | _domain_scores(matches) | _prf("sents", [borders])


def _function_scores(matches: Iterable[Match]) -> dict[str, Any]:
    scores: dict[str, PRFScore] = defaultdict(PRFScore)
    verdicts = []
    for gold, found in matches:
        if gold.function is None:
            continue
        guess = found.function if found else None
        verdicts.append(gold.function == guess)
        for name in {gold.function, *([guess] if guess else [])}:
            scores[name].score_set({guess} & {name}, {gold.function} & {name})
    accuracy = sum(verdicts) / len(verdicts) if verdicts else None
    return {"functions_acc": accuracy, "functions_per_type": _by_type(scores)}


def _domain_scores(matches: Iterable[Match]) -> dict[str, Any]:
    scores: dict[str, PRFScore] = defaultdict(PRFScore)
    for gold, found in matches:
        given = set(found.domains if found else ())
        for name in given.union(gold.domains):
            scores[name].score_set(given & {name}, set(gold.domains) & {name})
    return _prf("domains_micro", scores.values()) | {"domains_per_type": _by_type(scores)}


def _prf(name: str, scores: Iterable[PRFScore]) -> dict[str, float | None]:
    total = sum(scores, PRFScore())
    figures = (total.precision, total.recall, total.fscore) if len(total) else (None, None, None)
    return dict(zip((f"{name}_p", f"{name}_r", f"{name}_f"), figures, strict=True))


def _by_type(scores: dict[str, PRFScore]) -> dict[str, Any] | None:
    return {label: score.to_dict() for label, score in scores.items()} or None


def _is_annotated(reference: Doc, start: int, end: int) -> bool:
    span = reference.char_span(start, end, alignment_mode="expand")
    return span is None or all(token.ent_iob != 0 for token in span)


def _borders(bulletin: Bulletin) -> Iterator[tuple[int, int]]:
    return ((sentence.start, sentence.end) for sentence in bulletin.sentences)
