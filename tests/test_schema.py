from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.strategies import SCHEME, bulletins

from zhengling.errors import DataError, ZhenglingError
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence, faults

TEXT = "示例市民政局召开会议。\n各科室要落实。"


def sound(**changes: Any) -> Bulletin:
    values: dict[str, Any] = {
        "id": "a",
        "text": TEXT,
        "entities": (Entity(0, 6, "ORG"),),
        "sentences": (Sentence(0, 11, "REPORT"), Sentence(12, 19, "DIRECTIVE", ("elderly",))),
    }
    return Bulletin(**values | changes)


@settings(deadline=None, max_examples=100)
@given(bulletins())
def test_json_and_back(bulletin: Bulletin) -> None:
    data = json.loads(json.dumps(bulletin.to_dict(), ensure_ascii=False))
    assert Bulletin.from_dict(data) == bulletin


@settings(deadline=None, max_examples=50)
@given(bulletins())
def test_sound_bulletins_have_no_faults(bulletin: Bulletin) -> None:
    assert list(faults(bulletin, scheme=SCHEME)) == []


def test_scores_survive_json() -> None:
    bulletin = sound(
        entities=(Entity(0, 6, "ORG", 0.25),),
        sentences=(Sentence(0, 19, "REPORT", ("elderly", "charity"), {"REPORT": 0.5}),),
        meta={"date": "2024-02-06"},
    )
    data = bulletin.to_dict()
    assert Bulletin.from_dict(data) == bulletin
    assert data["entities"] == [{"start": 0, "end": 6, "label": "ORG", "score": 0.25}]
    assert data["date"] == "2024-02-06"


def test_surface() -> None:
    bulletin = sound()
    assert bulletin.surface(bulletin.entities[0]) == "示例市民政局"
    assert bulletin.surface(bulletin.sentences[1]) == "各科室要落实。"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entities": (Entity(0, 20, "ORG"),)}, "out of range"),
        ({"entities": (Entity(3, 3, "ORG"),)}, "out of range"),
        ({"entities": (Entity(-1, 3, "ORG"),)}, "out of range"),
        ({"entities": (Entity(10, 12, "ORG"),)}, "white space"),
        ({"entities": (Entity(0, 6, "ORG"), Entity(5, 8, "LOC"))}, "overlaps [5, 8) '局召开'"),
        ({"entities": (Entity(0, 6, "BODY"),)}, "unknown label 'BODY'"),
        ({"sentences": (Sentence(0, 11, "REPORT"),)}, "text [11, 19)"),
        ({"sentences": (Sentence(0, 11, "REPORT"), Sentence(14, 19, "REPORT"))}, "belongs to no sentence"),
        ({"sentences": (Sentence(0, 11, "REPORT"), Sentence(11, 19, "REPORT"))}, "white space"),
        ({"sentences": (Sentence(0, 19, "SPEECH"),)}, "unknown function 'SPEECH'"),
        ({"sentences": (Sentence(0, 19),)}, "has no function"),
        ({"sentences": (Sentence(0, 19, "REPORT", ("sport",)),)}, "unknown domain 'sport'"),
        ({"sentences": (Sentence(0, 19, "OTHER", ("elderly",)),)}, "bears no domain"),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], message: str) -> None:
    assert any(message in fault for fault in faults(sound(**changes), scheme=SCHEME))


def test_labels_are_not_checked_without_scheme() -> None:
    assert list(faults(sound(entities=(Entity(0, 6, "BODY"),)))) == []


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected a JSON object, got list"),
        ({"text": "甲"}, "missing key 'id'"),
        ({"id": "a"}, "missing key 'text'"),
        ({"id": 1, "text": "甲"}, "key 'id': wrong type int"),
        ({"id": "a", "text": None}, "key 'text'"),
        ({"id": "a", "text": "甲", "entities": {}}, "key 'entities'"),
        ({"id": "a", "text": "甲", "entities": [7]}, "expected a JSON object, got int"),
        ({"id": "a", "text": "甲", "entities": [{"start": 0, "end": 1}]}, "missing key 'label'"),
        ({"id": "a", "text": "甲", "entities": [{"start": True, "end": 1, "label": "ORG"}]}, "key 'start'"),
        ({"id": "a", "text": "甲", "entities": [{"start": 0.0, "end": 1, "label": "ORG"}]}, "key 'start'"),
        ({"id": "a", "text": "甲", "sentences": [{"start": 0, "end": 1, "domains": [1]}]}, "key 'domains'"),
        ({"id": "a", "text": "甲", "sentences": [{"start": 0, "end": 1, "scores": []}]}, "key 'scores'"),
    ],
)
def test_ill_formed_objects_are_refused(data: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        Bulletin.from_dict(data)
    assert message in str(caught.value)


@pytest.mark.parametrize("value", ["high", None, []])
def test_scores_that_are_no_numbers_are_refused(value: Any) -> None:
    sentence = {"start": 0, "end": 1, "scores": {"REPORT": value}}
    with pytest.raises(DataError):
        Bulletin.from_dict({"id": "a", "text": "甲", "sentences": [sentence]})


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[1].glob("configs/schemes/*.json")), ids=lambda p: p.stem
)
def test_schemes_of_the_repository(path: Path) -> None:
    scheme = LabelScheme.from_file(path)
    assert LabelScheme.from_dict(scheme.to_dict()) == scheme
    assert set(scheme.labels) == {*scheme.entity_names, *scheme.function_names, *scheme.domain_names}
    assert all(label.zh for label in scheme.labels.values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected a JSON object"),
        ('{"name": "x"}', "no entity labels"),
        ('{"entities": [{"name": "A"}]}', "missing key 'name'"),
        ('{"name": "x", "entities": [{"name": "A"}, {"name": "A"}]}', "given twice: A"),
        ('{"name": "x", "entities": [{"name": "A"}], "functions": [{"name": "A"}]}', "given twice: A"),
        (
            '{"name": "x", "entities": [{"name": "A"}], "functions_without_domains": ["B"]}',
            "names no function: B",
        ),
    ],
)
def test_faulty_schemes_are_refused_with_their_file(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "scheme.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ZhenglingError) as caught:
        LabelScheme.from_file(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_unreadable_schemes(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "scheme.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ZhenglingError, match=r"scheme\.json"):
        LabelScheme.from_file(path)
