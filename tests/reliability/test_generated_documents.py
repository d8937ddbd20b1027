"""The short form of ``tests.endurance.documents``."""

from __future__ import annotations

import unicodedata

import pytest
from spacy.language import Language
from tests.endurance.documents import LONG, document, run

from zhengling.components import bulletin_of
from zhengling.errors import ZhenglingError


def test_generated_documents() -> None:
    seen = run(documents=100)
    assert seen["documents"] == 100
    assert seen["entities"] > 1000


def test_they_are_of_all_sorts() -> None:
    """Guards the test above against running on trifles."""
    texts = [document(number) for number in (*range(500), 999)]
    kinds = {unicodedata.category(character) for text in texts for character in text}
    assert kinds == {
        *("Cc", "Cf", "Cn", "Co", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me", "Mn", "Nd", "Nl", "No"),
        *("Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm", "So", "Zl", "Zp", "Zs"),
    }
    assert {ord(character) >> 16 for text in texts for character in text} == set(range(17))
    lengths = [len(text) for text in texts]
    assert min(lengths) == 1
    assert LONG // 10 < max(lengths) <= LONG
    assert document(7) == document(7)


@pytest.mark.parametrize("text", ["\ud800", "民政\udfff部", "\ud83d\ude00"])
def test_half_a_surrogate_pair_is_refused(text: str, nlp: Language) -> None:
    with pytest.raises(ZhenglingError, match="surrogate"):
        bulletin_of(nlp(text))
