from __future__ import annotations

import pytest
from hypothesis import given
from tests.strategies import TEXTS

from zhengling.errors import DataError
from zhengling.formats.escapes import escape, unescape


@given(TEXTS)
def test_unescaping_undoes_escaping(text: str) -> None:
    words = escape(text, special="#", coded=",")
    assert len(words) == len(text)
    word = "".join(words)
    assert unescape(word) == text
    assert not any(character.isspace() for character in word) and "," not in word


@given(TEXTS)
def test_lines_survive_stripping(text: str) -> None:
    line = "".join(escape(text, spaces=False))
    assert line == line.strip() and len(line.splitlines()) <= 1
    assert unescape(line) == text


def test_spelling() -> None:
    assert "".join(escape("甲\n\r\t \\[\u3000\u2028\x00", special="[")) == r"甲\n\r\t\s\\\[\u3000\u2028\u0000"
    assert unescape(r"\U0001f600\u4e00\#") == "😀一#"


@pytest.mark.parametrize("text", ["\\", "\\q", "\\u12", "\\ud800", "\\U00110000", "\\甲", "\\ "])
def test_unknown_escapes(text: str) -> None:
    with pytest.raises(DataError):
        unescape(text)
