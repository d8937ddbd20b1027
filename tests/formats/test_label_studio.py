from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.strategies import SCHEME

from zhengling.errors import DataError
from zhengling.formats import read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity, Sentence

TEXT = "😀李示例到示例市。"


def region(start: int, end: int, label: str, text: str | None, **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [label], **({} if text is None else {"text": text})}
    return {"id": "r1", "from_name": "label", "to_name": "text", "type": "labels", "value": value, **more}


def task(*results: object, **data: object) -> dict[str, Any]:
    return {"id": 12, "data": {"text": TEXT, **data}, "annotations": [{"id": 1, "result": list(results)}]}


def read(path: Path, tasks: object) -> list[Bulletin]:
    path.write_text(json.dumps(tasks), encoding="utf-8")
    return list(read_bulletins(path, scheme=SCHEME))


def test_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    sentences = (Sentence(0, 9, "REPORT", ("elderly", "charity")),)
    bulletin = Bulletin(
        "a", TEXT, entities=(Entity(1, 4, "PERSON"),), sentences=sentences, meta={"date": "2024"}
    )
    write_bulletins([bulletin], path)
    (entry,) = json.loads(path.read_text(encoding="utf-8"))
    assert entry["data"] == {"id": "a", "date": "2024", "text": TEXT}
    entity, function, domains = entry["annotations"][0]["result"]
    assert entity["value"] == {"start": 2, "end": 5, "text": "李示例", "labels": ["PERSON"]}
    assert (function["from_name"], function["value"]["labels"]) == ("function", ["REPORT"])
    assert (domains["id"], domains["value"]["choices"]) == (function["id"], ["elderly", "charity"])


@pytest.mark.parametrize("start", [2, 1], ids=["UTF-16", "code points"])
def test_offsets_are_verified(start: int, tmp_path: Path) -> None:
    entry = task(region(start, start + 3, "PERSON", "李示例"))
    (bulletin,) = read(tmp_path / "x.json", [entry])
    assert bulletin.id == "12"
    assert bulletin.entities == (Entity(1, 4, "PERSON"),)


def test_offsets_without_texts_are_utf16(tmp_path: Path) -> None:
    (bulletin,) = read(tmp_path / "x.json", [task(region(2, 5, "PERSON", None))])
    assert bulletin.entities == (Entity(1, 4, "PERSON"),)


def test_escaped_line_breaks(tmp_path: Path) -> None:
    entry = task(region(0, 3, "ORG", "甲\\n乙"))
    entry["data"]["text"] = "甲\n乙"
    assert read(tmp_path / "x.json", [entry])[0].entities == (Entity(0, 3, "ORG"),)


def test_functions_and_taxonomies(tmp_path: Path) -> None:
    function = region(0, 10, "REPORT", TEXT, from_name="anything")
    domains = {**function, "type": "taxonomy", "value": {"taxonomy": [["民生", "elderly"], ["charity"]]}}
    (bulletin,) = read(tmp_path / "x.json", [task(domains, function)])
    assert bulletin.sentences == (Sentence(0, 9, "REPORT", ("elderly", "charity")),)


def test_cancelled_annotations_are_passed_over(tmp_path: Path) -> None:
    entry = task(region(2, 5, "PERSON", "李示例"))
    entry["annotations"].append({"was_cancelled": True, "result": []})
    assert len(read(tmp_path / "x.json", [entry])[0].entities) == 1


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            task(region(3, 6, "PERSON", "李示例")),
            r"task 2 \(id 12\): \[3, 6\) should be '李示例' but is '示例到'",
        ),
        (task(region(1, 99, "PERSON", "李示例")), "out of range"),
        (task(region(2, 5, "PERSON", "李示例"), region(5, 8, "LOC", "示例市")), "should be '示例市'"),
        (task({"type": "relation", "from_id": "r1"}), "type 'relation'"),
        (
            task({**region(0, 2, "X", None), "type": "choices", "value": {"choices": ["elderly"]}}),
            "is no sentence",
        ),
        (task(region(0, 2, "", None, value={"start": 0, "end": 2, "labels": ["A", "B"]})), "one is needed"),
        (
            task(region(0, 2, "", None, value={"start": "0", "end": 2, "labels": ["A"]})),
            "'start': wrong type str",
        ),
        (task(pictures=["a.png"]), "'pictures' of data"),
        ({"data": {"text": TEXT}, "annotations": [{"result": []}, {"result": []}]}, "2 annotations"),
        ({"text": TEXT}, "missing key 'data'"),
    ],
)
def test_faults_name_their_task(entry: object, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(DataError, match=message) as caught:
        read(path, [task(id="good"), entry])
    assert "task 2" in caught.value.message and caught.value.path == str(path)
    report: list[str] = []
    assert [b.id for b in read_bulletins(path, lenient=True, report=report.append)] == ["good"]
    assert len(report) == 2


def test_unsound_annotation_names_its_task(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"task 1: bulletin '12': .* unknown label 'ALIEN'"):
        read(tmp_path / "x.json", [task(region(2, 5, "ALIEN", "李示例"))])


@pytest.mark.parametrize(("source", "message"), [("{}", "a list of tasks"), ("[{]", ":1: broken JSON")])
def test_files_that_are_none(source: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(source, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        list(read_bulletins(path))
