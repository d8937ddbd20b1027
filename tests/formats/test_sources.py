from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import NAMES

from zhengling.errors import DataError
from zhengling.formats.sources import dump_json, file_name, foreign_meta, parse_json, read_text


@given(st.lists(NAMES, unique=True))
def test_file_names_differ_and_are_lawful(identifiers: list[str]) -> None:
    names = [file_name(identifier) for identifier in identifiers]
    assert len(set(names)) == len(names)
    for name in names:
        assert name and not name.startswith(".") and not set(name) & set('/\\:*?"<>|\n')
        assert len(name.encode()) <= 180 and name == name.strip()


@given(
    st.recursive(
        NAMES | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
    )
)
def test_json_survives(value: object) -> None:
    assert parse_json(dump_json(value)) == value


def test_escaped_pairs_are_characters() -> None:
    assert parse_json('"\\ud83d\\ude00"') == "😀"


@pytest.mark.parametrize("source", ['"\\ude00"', '{"\\ud83d": 1}', "Infinity", "[-Infinity]", "1" * 5000, ""])
def test_what_is_no_json(source: str) -> None:
    with pytest.raises(DataError):
        parse_json(source)


def test_other_encodings_name_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes("[\n甲\n".encode() + b"\xff")
    with pytest.raises(DataError, match=r"x\.json:3: not UTF-8: byte 0xff at offset 6 of the file"):
        read_text(path)
    with pytest.raises(DataError, match="can't be read"):
        read_text(tmp_path)


def test_facts_in_foreign_objects() -> None:
    data = {"text": "甲", "a": "x", "b": 1.5, "c": None, "d": [], "e": [1]}
    assert foreign_meta(data, known=("text",)) == ({"a": "x", "b": "1.5"}, ["e"])
