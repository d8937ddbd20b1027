from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from tests.strategies import TEXTS

from zhengling.characters import BLANKS, blanks, code_points
from zhengling.errors import ZhenglingError
from zhengling.tokens import STRINGS, make_doc, sentence_spans, text_of

VOCAB = spacy.blank("zh").vocab


def plain_doc(text: str) -> Doc:
    """The straightforward way: spaCy is given the characters."""
    return Doc(VOCAB, words=list(text), spaces=[False] * len(text))


@settings(deadline=None)
@given(TEXTS)
def test_documents_are_those_of_spacy(text: str) -> None:
    mine, plain = make_doc(VOCAB, text), plain_doc(text)
    assert [(t.text, t.idx, t.whitespace_, t.is_space) for t in mine] == [
        (t.text, t.idx, t.whitespace_, t.is_space) for t in plain
    ]
    assert mine.text == plain.text == text


@settings(deadline=None)
@given(TEXTS, st.data())
def test_sentence_spans_have_no_white_space_at_their_borders(text: str, data: st.DataObject) -> None:
    doc = make_doc(VOCAB, text)
    starts = [True, *(data.draw(st.booleans()) for _ in text[1:])][: len(text)]
    if text:
        doc = Doc(VOCAB, words=list(text), spaces=[False] * len(text), sent_starts=starts)
    borders = [n for n, first in enumerate(starts) if first] + [len(text)]
    expected = []
    for start, end in pairwise(borders):
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        expected.append((left, max(left, start + len(piece.rstrip()))))
    assert sentence_spans(doc, text) == expected


@settings(deadline=None)
@given(TEXTS, st.data())
def test_texts_are_those_of_spacy_whatever_the_tokens(text: str, data: st.DataObject) -> None:
    doc = make_doc(VOCAB, text)
    if len(text) > 1:
        start = data.draw(st.integers(0, len(text) - 1))
        with doc.retokenize() as retokenizer:
            retokenizer.merge(doc[start : data.draw(st.integers(start + 1, len(text)))])
    assert text_of(doc) == doc.text == text


def test_texts_of_many_tokens_are_whole() -> None:
    words = ["各地", "要", "落实"] * 5000
    doc = Doc(VOCAB, words=words, spaces=[number % 7 == 0 for number in range(len(words))])
    assert len(doc) > STRINGS
    assert text_of(doc) == doc.text


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(ZhenglingError, match="offset 1"):
        make_doc(VOCAB, "甲\ud800")


def test_all_white_space_of_unicode_is_known() -> None:
    everything = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    text = "".join(everything)
    assert blanks(text).sum() == len(BLANKS) == sum(map(str.isspace, everything))
    assert np.array_equal(np.flatnonzero(blanks(text)), BLANKS)  # below the surrogates
    assert code_points("a𠮷").tolist() == [0x61, 0x20BB7]
