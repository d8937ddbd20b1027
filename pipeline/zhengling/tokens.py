"""spaCy documents in which a token is a character: ``doc[i]`` is ``doc.text[i]``, white space included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from spacy.tokens import Doc, Span

from zhengling.characters import code_points
from zhengling.text import check_text

# Tokens whose strings are there at once.
STRINGS = 10_000


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
    return Doc(vocab, words=words, spaces=[False] * len(text))


def text_of(doc: Doc) -> str:
    """``doc.text`` in less memory: spaCy makes a string of each token and keeps all until they are joined."""
    return "".join(doc[at : at + STRINGS].text_with_ws for at in range(0, len(doc), STRINGS))


def sentence_spans(doc: Doc, text: str) -> list[tuple[int, int]]:
    """Sentence spans without white space at their borders, whoever set the sentence starts.

    A sentence of white space alone gives an empty span.

    Args:
        doc: a document with sentences.
        text: ``text_of(doc)``, which is made anew from the tokens each time.
    """
    return [span for span, _ in sentences(doc, text)]


def sentences(doc: Doc, text: str) -> Iterator[tuple[tuple[int, int], Span]]:
    """Sentences with their spans, see ``sentence_spans``."""
    if not len(doc):
        return
    for sent in doc.sents:
        surface = text[sent.start : sent.end]
        start = sent.start + len(surface) - len(surface.lstrip())
        end = sent.start + len(surface.rstrip())
        yield (start, max(start, end)), sent
