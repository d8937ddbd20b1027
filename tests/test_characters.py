from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import TEXTS

from zhengling.characters import SPECIAL_TOKENS, CharacterVocabulary, normalise_character
from zhengling.errors import ZhenglingError


def tokenizer(*characters: str) -> str:
    vocab = {token: number for number, token in enumerate((*SPECIAL_TOKENS, *characters))}
    return json.dumps({"model": {"type": "WordLevel", "vocab": vocab}}, ensure_ascii=False)


VOCABULARY = CharacterVocabulary.from_json(tokenizer("民", "政", "部", "1", ",", " ", "A", "…"))


def test_every_code_point_becomes_one_and_stays_put() -> None:
    for point in range(0x110000):
        if not 0xD800 <= point < 0xE000:
            plain = normalise_character(chr(point))
            assert len(plain) == 1
            assert normalise_character(plain) == plain


@pytest.mark.parametrize(
    ("character", "plain"),
    [
        ("，", ","),
        ("１", "1"),
        ("Ａ", "A"),
        ("\u3000", " "),
        ("\n", " "),
        ("\u2028", " "),
        ("\x85", " "),
        ("…", "…"),
        ("㎡", "㎡"),
        ("民", "民"),
        ("𠮷", "𠮷"),
        ("\u200b", "\u200b"),
    ],
)
def test_normal_forms(character: str, plain: str) -> None:
    assert normalise_character(character) == plain


@settings(deadline=None, max_examples=200)
@given(st.one_of(TEXTS, st.text(st.characters(exclude_categories=["Cs"]))))
def test_ids_stand_where_their_characters_stand(text: str) -> None:
    ids = VOCABULARY.encode(text)
    unknown = VOCABULARY.id_of("[UNK]")
    assert ids.tolist() == [VOCABULARY.ids.get(normalise_character(c), unknown) for c in text]


def test_ids() -> None:
    ids = VOCABULARY.encode("民政部，１\nＡ㎡")
    assert ids.tolist() == [5, 6, 7, 9, 8, 10, 11, VOCABULARY.id_of("[UNK]")]
    assert ids.dtype == np.int64
    assert VOCABULARY.encode("").shape == (0,)
    assert len(VOCABULARY) == 13


def test_a_special_token_in_the_text_is_plain_text() -> None:
    assert VOCABULARY.id_of("[SEP]") not in VOCABULARY.encode("[SEP]")


def test_lone_surrogates_are_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        VOCABULARY.encode("民\ud800")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"model": {}}', '{"model": []}'])
def test_no_vocabulary(content: str) -> None:
    with pytest.raises(ZhenglingError, match="not a tokenizer"):
        CharacterVocabulary.from_json(content)


def test_missing_special_tokens_are_named() -> None:
    with pytest.raises(ZhenglingError, match=r"lacks \[CLS\], \[MASK\]"):
        CharacterVocabulary.from_json('{"model": {"vocab": {"[PAD]": 0, "[UNK]": 1, "[SEP]": 2}}}')


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(ZhenglingError, match=r"tokenizer\.json: can't read"):
        CharacterVocabulary.from_tokenizer(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ZhenglingError, match=r"tokenizer\.json: not a tokenizer"):
        CharacterVocabulary.from_tokenizer(path)
    path.write_text(tokenizer("民"), encoding="utf-8")
    assert CharacterVocabulary.from_tokenizer(path).ids["民"] == 5


def test_vocabulary_of_the_wrong_type() -> None:
    with pytest.raises(ZhenglingError):
        CharacterVocabulary.from_json('{"model": {"vocab": null}}')


def test_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ZhenglingError, match=r"tokenizer\.json"):
        CharacterVocabulary.from_tokenizer(path)


def test_normal_form_is_that_of_unicode() -> None:
    assert all(
        normalise_character(chr(p)) == unicodedata.normalize("NFKC", chr(p)) for p in range(0xFF01, 0xFF5F)
    )
