from __future__ import annotations

import string

import pytest
from tests.training.samples import MSRA, SCHEME

from zhengling.errors import ZhenglingError
from zhengling_training.evaluation.errors import KINDS
from zhengling_training.evaluation.ledger import HEADLINES
from zhengling_training.evaluation.spans import SCHEMES
from zhengling_training.evaluation.wording import label_names, report_words


def fields(text: str) -> set[str]:
    """Names that a text has in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same() -> None:
    zh, en = report_words("zh"), report_words("en")
    assert zh.keys() == en.keys()
    for key in zh:
        assert fields(zh[key]) == fields(en[key]), key
    chinese = {key for key in en if any("\u4e00" <= character <= "\u9fff" for character in en[key])}
    assert chinese == set()


def test_everything_has_its_word() -> None:
    words = report_words("zh")
    assert words.keys() >= {*HEADLINES, *(f"kind_{kind}" for kind in KINDS), *SCHEMES}
    with pytest.raises(ZhenglingError, match="language 'fr'"):
        report_words("fr")


def test_labels_bear_both_their_names_in_chinese() -> None:
    assert label_names(SCHEME, language="zh")["ORG"] == "机构 ORG"
    assert label_names(SCHEME, language="en")["ORG"] == "ORG"
    assert set(label_names(MSRA, language="zh")) == set(MSRA.labels)
