from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.training.samples import SCHEME

from zhengling.errors import DataError
from zhengling.schema import Entity, Sentence
from zhengling_training.data import load_bulletins
from zhengling_training.detached import read_detached

LINES = ("柳湾区要闻", "", "  3月5日，柳湾区民政局走访孤儿。", "会议随后召开。")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "texts.txt.gz"
    path.write_bytes(gzip.compress("\n".join(LINES).encode("utf-8")))
    return path


def entry(texts: Path, **changes: Any) -> dict[str, Any]:
    """Annotation of the first two lines that are not empty."""
    text = "柳湾区要闻\n3月5日，柳湾区民政局走访孤儿。"
    return {
        "id": "a",
        "file": str(texts),
        "first": 0,
        "last": 1,
        "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        "entities": [[0, 3, "LOC"], [6, 10, "DATE"], [11, 17, "ORG"], [19, 21, "GROUP"]],
        "sentences": [[0, 5, "OTHER", []], [6, 22, "REPORT", ["children"]]],
        **changes,
    }


def written(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(e) + "\n" for e in entries), encoding="utf-8")
    return path


def test_annotation_meets_its_text(texts: Path, tmp_path: Path) -> None:
    (found,) = read_detached(written(tmp_path / "a.jsonl", entry(texts)))
    assert [(found.surface(e), e.label) for e in found.entities] == [
        ("柳湾区", "LOC"),
        ("3月5日", "DATE"),
        ("柳湾区民政局", "ORG"),
        ("孤儿", "GROUP"),
    ]
    assert found.sentences[1] == Sentence(6, 22, "REPORT", ("children",))


def test_training_reads_it_beside_other_data(texts: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", entry(texts), entry(texts, id="b"))
    found = load_bulletins([], scheme=SCHEME, detached=[str(path)])
    assert [bulletin.id for bulletin in found] == ["a", "b"]
    assert Entity(11, 17, "ORG") in found[0].entities


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"last": 2}, "are not the text that was annotated"),
        ({"first": 1}, "are not the text that was annotated"),
        ({"entities": [[0, 3]]}, "not annotation of this form"),
        ({"sentences": [[0, 5, "OTHER", "elderly"]]}, "not annotation of this form: key 'domains'"),
    ],
)
def test_what_does_not_fit_is_named(
    texts: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_detached(written(tmp_path / "a.jsonl", entry(texts, **changes)))


def test_faults_name_their_line(texts: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", entry(texts))
    path.write_text(path.read_text(encoding="utf-8") + "{\n", encoding="utf-8")
    with pytest.raises(DataError, match="not JSON") as error:
        read_detached(path)
    assert error.value.line == 2
    gone = entry(texts)
    del gone["sha256"]
    with pytest.raises(DataError, match="missing key 'sha256'"):
        read_detached(written(path, gone))


def test_a_missing_text_file_is_named(texts: Path, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", entry(tmp_path / "gone.txt.gz"))
    with pytest.raises(DataError, match="gone"):
        read_detached(path)
