from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhengling.errors import DataError
from zhengling.formats import FormatOptions, read_bulletins
from zhengling.schema import Bulletin, Entity

TEXT = "😀李示例到示例市。"


def read(path: Path, entry: object, *, utf16: bool | None = None) -> Bulletin:
    path.write_text(json.dumps(entry), encoding="utf-8")
    (bulletin,) = read_bulletins(path, format="doccano", options=FormatOptions(utf16=utf16))
    return bulletin


@pytest.mark.parametrize(
    "labels",
    [
        {"label": [[0, 3, "PERSON"]]},
        {"labels": [[0, 3, "PERSON"]]},
        {
            "entities": [{"id": 7, "label": "PERSON", "start_offset": 0, "end_offset": 3}],
            "relations": [],
            "Comments": ["?"],
        },
    ],
)
def test_every_spelling(labels: dict[str, object], tmp_path: Path) -> None:
    bulletin = read(
        tmp_path / "x.jsonl", {"id": 5, "text": "李示例出席😀", "source": "网站", "page": 2, **labels}
    )
    assert bulletin == Bulletin(
        "5", "李示例出席😀", entities=(Entity(0, 3, "PERSON"),), meta={"source": "网站", "page": "2"}
    )


def test_without_id(tmp_path: Path) -> None:
    assert read(tmp_path / "x.jsonl", {"text": "文。", "label": []}).id == "x-1"


def test_offsets_after_astral_characters(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    units, points = ({"text": TEXT, "label": [[s, s + 3, "PERSON"]]} for s in (2, 1))
    expected = (Entity(1, 4, "PERSON"),)
    assert read(path, units, utf16=True).entities == expected
    assert read(path, points, utf16=False).entities == expected
    with pytest.raises(DataError, match="option utf16"):
        read(path, units)
    with pytest.raises(DataError, match=r"\[1, 4\) PERSON .* cuts a character"):
        read(path, points, utf16=True)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"text": "文。"}, "one of the keys label, labels, entities, got none"),
        ({"text": "文。", "label": ["新闻"]}, r"expected \[start, end, label\]"),
        ({"text": "文。", "label": [[0, "1", "ORG"]]}, r"expected \[start, end, label\]"),
        ({"text": "文。", "label": [[0, True, "ORG"]]}, r"expected \[start, end, label\]"),
        ({"text": "文。", "entities": [], "relations": [{"id": 1}]}, "'relations': a bulletin can't carry"),
        ({"text": "文。", "label": [[0, 9, "ORG"]]}, "out of range"),
        ({"text": "文。", "label": [], "bulletin": {"id": "a"}}, "missing key 'meta'"),
    ],
)
def test_faults_name_their_line(entry: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "x.jsonl", entry)
    assert caught.value.line == 1
