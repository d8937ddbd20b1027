from __future__ import annotations

from pathlib import Path

import pytest

from zhengling.errors import DataError
from zhengling.formats import read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity

GOOD = (
    '{"id": "a", "date": "2024-03-05", "text": "民政部。", '
    '"entities": [{"start": 0, "end": 3, "label": "ORG"}]}'
)


def test_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + f"{GOOD}\r\n\r\n".encode())
    expected = Bulletin("a", "民政部。", entities=(Entity(0, 3, "ORG"),), meta={"date": "2024-03-05"})
    assert list(read_bulletins(path)) == [expected]


def test_separators_of_lines_in_texts(tmp_path: Path) -> None:
    entry = Bulletin("a", "甲\u2028乙\x85丙\r\n丁")
    write_bulletins([entry], tmp_path / "x.jsonl")
    assert list(read_bulletins(tmp_path / "x.jsonl")) == [entry]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "b", "text": "民政', "broken JSON: .* at column"),
        (
            '{"id": "b", "text": "甲", "entities": [{"start": 0, "end": 1, "label": "X", "score": NaN}]}',
            "NaN",
        ),
        ('{"id": "b", "id": "c", "text": "甲"}', "'id' is given twice"),
        ('{"id": "b", "text": "\\ud83d"}', "half a surrogate"),
        ('{"id": "b"}', "missing key 'text'"),
        ('{"id": 1, "text": "甲"}', "'id': wrong type int"),
        ('{"id": "b", "text": "甲", "label": [[0, 1, "ORG"]]}', "'label'.*format doccano"),
        ('{"text": "甲", "ents": [[0, 1, "ORG"]]}', r"name the format ents \(--from ents\)"),
        ("[1]", "expected a JSON object"),
        ("[" * 100_000, "can't be read"),
    ],
)
def test_broken_lines_are_named(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        list(read_bulletins(path))
    assert (caught.value.path, caught.value.line) == (str(path), 3)
    report: list[str] = []
    assert len(list(read_bulletins(path, lenient=True, report=report.append))) == 1
    assert len(report) == 2


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(GOOD.encode() + b"\n" + GOOD.encode("gb18030"))
    with pytest.raises(DataError, match=r":2: not UTF-8: byte 0x\w\w at offset 43 of the line"):
        list(read_bulletins(path))
