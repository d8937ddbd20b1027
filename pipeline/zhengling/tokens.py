"""spaCy documents in which a token is a character: ``doc[i]`` is ``doc.text[i]``, white space included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span

from zhengling.characters import code_points
from zhengling.text import check_text

# The text travels with the document in ``user_hooks``, which spaCy never serialises: ``doc.text`` makes it
# anew from the tokens each time.
_TEXT = "zhengling_text"


def make_doc(vocab: Any, text: str) -> Doc:
    """One token a character.

    Each different character is looked up once; spaCy takes the tokens by the numbers of their strings.

    Raises:
        ZhenglingError: the text holds a lone surrogate.
    """
    check_text(text)
    distinct, inverse = np.unique(code_points(text), return_inverse=True)
    numbers = [vocab.strings.add(chr(point)) for point in distinct]
    words: Any = list(map(numbers.__getitem__, inverse.tolist()))
    doc = Doc(vocab, words=words, spaces=[False] * len(text))
    hooks: dict[str, Any] = doc.user_hooks
    hooks[_TEXT] = text
    return doc


def text_of(doc: Doc) -> str:
    """``doc.text``, without making it anew where ``make_doc`` made the document."""
    hooks: dict[str, Any] = doc.user_hooks
    text = hooks.get(_TEXT)
    return text if isinstance(text, str) and len(text) == len(doc) else doc.text


def sentence_spans(doc: Doc) -> list[tuple[int, int]]:
    """Sentence spans without white space at their borders, whoever set the sentence starts.

    A sentence of white space alone gives an empty span.
    """
    return [span for span, _ in sentences(doc)]


def sentences(doc: Doc) -> Iterator[tuple[tuple[int, int], Span]]:
    """Sentences with their spans, see ``sentence_spans``."""
    if not len(doc):
        return
    text = text_of(doc)
    for sent in doc.sents:
        surface = text[sent.start : sent.end]
        start = sent.start + len(surface) - len(surface.lstrip())
        end = sent.start + len(surface.rstrip())
        yield (start, max(start, end)), sent
