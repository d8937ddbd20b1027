from __future__ import annotations

from pathlib import Path

import pytest

from zhengling.checking import Rules, check
from zhengling.checking.distribution import chi_square
from zhengling.formats import write_bulletins
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence

from .conftest import Check

NEAR = {"duplicates": {"ngram": 4, "min_share": 0.6, "common": 10}}
STORY = "云川市青石街道的老茶馆改成了服务点，居民们每天早上来下棋，傍晚带孩子写作业，周末排练合唱。"


def test_the_same_text_twice_but_for_white_space(lint: Check) -> None:
    (finding,) = lint(f"REPORT | | {STORY}", f"REPORT | | {STORY[:9]}⏎{STORY[9:]}", data=NEAR)
    assert (finding.kind, finding.bulletin) == ("duplicate", "t-001")
    assert "t-000" in finding.message


def test_nearly_the_same_text(lint: Check) -> None:
    (finding,) = lint(f"REPORT | | {STORY}", f"REPORT | | {STORY[:-6]}夜里关灯。", data=NEAR)
    assert (finding.kind, finding.bulletin) == ("near-duplicate", "t-001")


def test_other_texts_and_set_phrases_are_no_duplicates(lint: Check) -> None:
    assert not lint(f"REPORT | | {STORY}", "REPORT | | 北麓县山路结冰，巡线员步行九公里送药。", data=NEAR)
    phrases = [f"REPORT | | 全面贯彻落实会议精神。第{number}号窗口{number * 'x'}" for number in range(12)]
    assert not lint(*phrases, data=NEAR)


def test_duplicates_across_inputs(tmp_path: Path, scheme: LabelScheme) -> None:
    paths = [tmp_path / "train.jsonl", tmp_path / "test.jsonl"]
    for path in paths:
        write_bulletins([Bulletin(path.stem, STORY)], path)
    rules = Rules.from_dict({"name": "t", **NEAR, "severities": {"duplicate": "error"}}, scheme=scheme)
    plain = LabelScheme("plain", entities=scheme.entities)
    (finding,) = check(paths, scheme=plain, rules=rules)
    assert (finding.severity, finding.file, finding.bulletin) == ("error", str(paths[1]), "test")
    assert str(paths[0]) in finding.message


def _input(path: Path, *, label: str, function: str, count: int) -> Path:
    text = "云川，" * count
    spans = [(3 * number, 3 * number + 3) for number in range(count)]
    entities = tuple(Entity(start, end - 1, label) for start, end in spans)
    sentences = tuple(Sentence(start, end, function) for start, end in spans)
    write_bulletins([Bulletin(path.stem, text, entities, sentences)], path)
    return path


def test_labels_distributed_otherwise(tmp_path: Path, scheme: LabelScheme) -> None:
    rules = Rules.from_dict({"name": "t", "distribution": {"min_ratio": 2, "min_chi2": 10.83}}, scheme=scheme)
    left = _input(tmp_path / "a.jsonl", label="LOC", function="REPORT", count=60)
    right = _input(tmp_path / "b.jsonl", label="ORG", function="REPORT", count=60)
    findings = check([left, right], scheme=scheme, rules=rules, language="en")
    assert {(f.file, f.message.split(":")[0]) for f in findings} == {
        (str(path), label) for path in (left, right) for label in ("LOC", "ORG")
    }
    assert not check([left, left], scheme=scheme, rules=rules)
    assert not check([left], scheme=scheme, rules=rules)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [((10, 20), (10, 20), 0.0), ((20, 20), (0, 20), 40.0), ((0, 5), (0, 9), 0.0), ((0, 0), (1, 2), 0.0)],
)
def test_chi_square(left: tuple[int, int], right: tuple[int, int], expected: float) -> None:
    assert chi_square(left, right) == pytest.approx(expected)
