"""What a model has to beat: dictionary and patterns for entities, a linear classifier for sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from spacy.language import Language

from zhengling.components import bulletin_of
from zhengling.errors import DataError, ZhenglingError
from zhengling.formats.sources import json_lines
from zhengling.schema import Bulletin, LabelScheme, Sentence

Pattern = dict[str, Any]


@dataclass(frozen=True)
class SentenceBaseline:
    """Functions and domains by logistic regression from TF-IDF of character n-grams.

    Attributes:
        scheme: the labels.
        vectorizer: fitted; its n-grams have 1 to 3 characters.
        functions: fitted; None where the scheme has no functions.
        domains: fitted, a classifier for each domain in ``seen``; None where nothing was seen.
        seen: domains of the training data, in the scheme's order.
    """

    scheme: LabelScheme
    vectorizer: TfidfVectorizer
    functions: LogisticRegression | None
    domains: OneVsRestClassifier | None
    seen: tuple[str, ...]

    def __call__(self, text: str, sentence: Sentence) -> Sentence:
        """The sentence with function, domains and scores."""
        vector = self.vectorizer.transform([text])
        functions = _probabilities(self.functions, vector, self.functions.classes_ if self.functions else ())
        domains = _probabilities(self.domains, vector, self.seen)
        function = max(functions, key=functions.__getitem__, default=None)
        bears = function not in self.scheme.functions_without_domains
        given = tuple(name for name, probability in domains.items() if bears and probability >= 0.5)
        return Sentence(sentence.start, sentence.end, function, given, functions | domains)


@dataclass(frozen=True)
class Baseline:
    """Reads texts without any neural network; see ``fit_baseline``.

    Attributes:
        entities: a spaCy pipeline that sets sentence starts and entities.
        sentences: reads sentences.
    """

    entities: Language
    sentences: SentenceBaseline

    def __call__(self, text: str) -> Bulletin:
        """Analyse a text."""
        found = bulletin_of(self.entities(text))
        sentences = tuple(self.sentences(found.surface(s), s) for s in found.sentences)
        return Bulletin(id="", text=text, entities=found.entities, sentences=sentences)


def fit_baseline(
    bulletins: Sequence[Bulletin], *, scheme: LabelScheme, patterns: Path | None = None
) -> Baseline:
    """Learn from annotated bulletins.

    Entities are found by spaCy's EntityRuler: the strings of ``dictionary`` and the patterns given, the
    longest match wins.

    Args:
        bulletins: with sentences.
        scheme: the labels.
        patterns: a JSONL file of the EntityRuler's patterns; a token is a character.

    Raises:
        ZhenglingError: no sentences to learn from, or patterns that can't be read.
    """
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"@tokenizers": "zhengling.CharacterTokenizer.v1"}}})
    nlp.add_pipe("bulletin_sentences")
    ruler: Any = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([*_read_patterns(patterns, scheme=scheme), *dictionary(bulletins)])
    return Baseline(nlp, _fit_sentences(bulletins, scheme=scheme))


def dictionary(bulletins: Sequence[Bulletin]) -> list[Pattern]:
    """Strings that are entities at least as often as not, each with its most frequent label."""
    labels: dict[str, Counter[str]] = {}
    for bulletin in bulletins:
        for entity in bulletin.entities:
            labels.setdefault(bulletin.surface(entity), Counter())[entity.label] += 1
    whole = "\n".join(bulletin.text for bulletin in bulletins)
    return [
        {"label": label, "pattern": string}
        for string, counts in labels.items()
        for label, _ in counts.most_common(1)
        if 2 * counts.total() >= whole.count(string)
    ]


def _fit_sentences(bulletins: Sequence[Bulletin], *, scheme: LabelScheme) -> SentenceBaseline:
    pairs = [(bulletin.surface(s), s) for bulletin in bulletins for s in bulletin.sentences]
    if not pairs:
        raise ZhenglingError("a baseline needs annotated sentences to learn from")
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    vectors = vectorizer.fit_transform([text for text, _ in pairs])
    functions = LogisticRegression(C=10, max_iter=2000) if scheme.functions else None
    if functions is not None:
        functions.fit(vectors, [sentence.function for _, sentence in pairs])
    seen = tuple(name for name in scheme.domain_names if any(name in s.domains for _, s in pairs))
    domains = OneVsRestClassifier(LogisticRegression(C=10, max_iter=2000)) if seen else None
    if domains is not None:
        domains.fit(vectors, np.array([[name in s.domains for name in seen] for _, s in pairs], int))
    return SentenceBaseline(scheme, vectorizer, functions, domains, seen)


def _probabilities(classifier: Any, vector: Any, names: Sequence[str]) -> dict[str, float]:
    if classifier is None:
        return {}
    (row,) = classifier.predict_proba(vector)
    return dict(zip(names, map(float, row), strict=True))


def _read_patterns(path: Path | None, *, scheme: LabelScheme) -> Iterator[Pattern]:
    if path is None:
        return
    for number, entry in json_lines(path, fault=_refuse):
        if not isinstance(entry, dict) or not entry.keys() >= {"label", "pattern"}:
            raise DataError("not a pattern with label and pattern", path=path, line=number)
        if entry["label"] not in scheme.entity_names:
            raise DataError(f"unknown label {entry['label']!r}", path=path, line=number)
        yield entry


def _refuse(fault: DataError) -> None:
    raise fault
