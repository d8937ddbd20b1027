from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tests.strategies import SCHEME

from zhengling.errors import DataError
from zhengling.formats import read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity, Sentence

LINES = (
    {"text": "赵青山在北岭市。", "ents": [[4, 7, "LOC"], [0, 3, "PERSON"]]},
    {"id": 7, "text": "没有。", "ents": [], "source": "示例", "year": 2024, "note": None},
)
BULLETINS = [
    Bulletin("set-1", "赵青山在北岭市。", (Entity(0, 3, "PERSON"), Entity(4, 7, "LOC"))),
    Bulletin("7", "没有。", meta={"source": "示例", "year": "2024"}),
]


def content(*lines: object) -> bytes:
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def test_foreign_files_plain_and_compressed(tmp_path: Path) -> None:
    plain, packed = tmp_path / "set.jsonl", tmp_path / "set.jsonl.gz"
    plain.write_bytes(content(*LINES))
    packed.write_bytes(gzip.compress(content(*LINES)))
    assert list(read_bulletins(plain, format="ents", scheme=SCHEME)) == BULLETINS
    assert list(read_bulletins(packed, scheme=SCHEME)) == BULLETINS


def test_the_same_bulletins_give_the_same_file(tmp_path: Path) -> None:
    whole = Bulletin("a", "开会。", (), (Sentence(0, 3, "REPORT", ("elderly",)),), {"date": "2024-03-05"})
    for name in ("one.jsonl.gz", "two.jsonl.gz"):
        write_bulletins([whole], tmp_path / name)
        assert list(read_bulletins(tmp_path / name)) == [whole]
    assert (tmp_path / "one.jsonl.gz").read_bytes() == (tmp_path / "two.jsonl.gz").read_bytes()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"text": "文。"}, "missing key 'ents'"),
        ({"text": "文。", "entities": []}, r"name the format jsonl \(--from jsonl\)"),
        ({"text": "文。", "ents": [[0, 1]]}, r"expected \[start, end, label\], got \[0, 1\]"),
        ({"text": "文。", "ents": [[0, True, "LOC"]]}, "expected"),
        ({"text": "文。", "ents": [{"start": 0}]}, "expected"),
        ({"text": "文。", "ents": [[0, 9, "LOC"]]}, "out of range"),
        ({"text": "文。", "ents": [[0, 1, "LOC"], [0, 2, "LOC"]]}, "overlaps"),
        ({"text": "文。", "ents": [[0, 1, "PLANET"]]}, "unknown label 'PLANET'"),
        ({"text": "文。", "ents": [], "tokens": ["文"]}, "key 'tokens': a bulletin can't carry this"),
        ({"text": "文。", "ents": [], "bulletin": {"meta": {"a": 1}}}, "key 'a'"),
        ([], "expected a JSON object"),
    ],
)
def test_faults_name_their_line(line: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content(LINES[0], line))
    with pytest.raises(DataError, match=message) as caught:
        list(read_bulletins(path, format="ents", scheme=SCHEME))
    assert (caught.value.path, caught.value.line) == (str(path), 2)


@pytest.mark.parametrize(
    "raw", [b"text", gzip.compress(content(*LINES))[:-12], b"\x1f\x8b\x08\x00" + b"x" * 40]
)
def test_damaged_files(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"x\.jsonl\.gz: (can't be read|damaged)"):
        list(read_bulletins(path))
