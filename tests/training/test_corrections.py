"""Corrections change labels and offsets, and refuse data that they were not made for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zhengling.errors import DataError
from zhengling.schema import Bulletin, Entity, Sentence
from zhengling_training.corrections import correct, read_corrections

BULLETIN = Bulletin(
    id="a",
    text="示例市用3年建成。",
    entities=(Entity(0, 3, "LOC"), Entity(4, 6, "AMOUNT")),
    sentences=(Sentence(0, 9, "CONTEXT", ("elderly",)),),
)


def write(folder: Path, content: Any) -> Path:
    path = folder / "corrections.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_entities_and_sentences_are_corrected(tmp_path: Path) -> None:
    change = {
        "id": "a",
        "remove": [{"start": 4, "end": 6, "label": "AMOUNT"}],
        "add": [{"start": 4, "end": 6, "label": "DATE"}],
        "sentences": [{"start": 0, "end": 9, "function": "REPORT"}],
    }
    path = write(tmp_path, [change])

    (corrected,) = correct([BULLETIN], read_corrections(path), path=path)

    assert corrected.entities == (Entity(0, 3, "LOC"), Entity(4, 6, "DATE"))
    assert corrected.sentences == (Sentence(0, 9, "REPORT", ("elderly",)),)


def test_other_bulletins_stay_as_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, [{"id": "b", "remove": []}])
    assert correct([BULLETIN], read_corrections(path), path=path) == [BULLETIN]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"remove": [{"start": 4, "end": 6, "label": "DATE"}]}, r"bulletin 'a' has no DATE \[4, 6\)"),
        ({"sentences": [{"start": 0, "end": 8, "function": "REPORT"}]}, r"has no sentence \[0, 8\)"),
    ],
)
def test_what_is_not_there_is_an_error(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write(tmp_path, [{"id": "a"} | change])
    with pytest.raises(DataError, match=message):
        correct([BULLETIN], read_corrections(path), path=path)


@pytest.mark.parametrize("content", [{"id": "a"}, [{"remove": []}], [{"id": "a"}, {"id": "a"}], 3])
def test_other_forms_are_errors(tmp_path: Path, content: Any) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=r"corrections\.json"):
        read_corrections(path)
