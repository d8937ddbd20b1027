from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhengling.checking import Rules, check
from zhengling.schema import LabelScheme

from .conftest import Check, found


@pytest.mark.parametrize(
    ("body", "surfaces"),
    [
        ("REPORT | | [云川市民政局，](ORG)召开会议。", ["云川市民政局，"]),
        ("REPORT | | 学习[“云川市民政局”](ORG)经验。", ["“云川市民政局”"]),
        ("REPORT | | 修订[《云川市门牌办法》](DOC)。", []),
        ("REPORT | | 参加[“暖阳”行动](EVENT)和[“云川慈善奖”](EVENT)评选。", []),
        ("REPORT | | [民政厅（云川）](ORG)召开会议。", []),
    ],
)
def test_punctuation_at_borders(lint: Check, body: str, surfaces: list[str]) -> None:
    assert found(lint(body), "border-punctuation") == surfaces


def test_marks_without_partner(lint: Check) -> None:
    findings = lint("REPORT | | 修订[《云川市门牌办法](DOC)》，参加[“暖阳”行动](EVENT)。")
    assert found(findings, "unpaired-mark") == ["《云川市门牌办法"]


def test_marks_that_belong_to_a_name(lint: Check) -> None:
    findings = lint("REPORT | | 开展“[暖阳行动](EVENT)”，走访“[一老一小](GROUP)”，修订《[门牌办法](DOC)》。")
    assert [(f.surface, f.suggestion) for f in findings if f.kind == "marks-left-out"] == [
        ("暖阳行动", "“暖阳行动”"),
        ("门牌办法", "《门牌办法》"),
    ]


@pytest.mark.parametrize(
    ("body", "suggestions"),
    [
        ("REPORT | | [云川省](LOC)民政厅召开会议。", ["云川省民政厅 ORG"]),
        ("REPORT | | [云川省](LOC)[民政厅](ORG)召开会议。", ["云川省民政厅 ORG"]),
        ("REPORT | | [云川省](LOC)⏎民政厅召开会议。", ["云川省\n民政厅 ORG"]),
        ("REPORT | | [云川省民政厅](ORG)召开会议。", []),
        ("REPORT | | 在[云川省](LOC)，民政厅召开会议。", []),
        ("REPORT | | 在[云川省](LOC)\nREPORT | | 民政厅召开会议。", []),
        ("REPORT | | 发放3,[500元](AMOUNT)。", ["3,500元 AMOUNT"]),
        ("REPORT | | 面积[12平方](AMOUNT)，惠及[35](AMOUNT)万人。", ["35万 AMOUNT"]),
    ],
)
def test_names_that_go_on(lint: Check, body: str, suggestions: list[str]) -> None:
    assert [f.suggestion for f in lint(body) if f.kind == "cut-name"] == suggestions


@pytest.mark.parametrize(
    ("span", "suggestion"),
    [
        ("[3个多月](AMOUNT)", "DATE"),
        ("[26岁](DATE)", "AMOUNT"),
        ("[近百名](AMOUNT)", ""),
        ("[截至5月](DATE)", ""),
        ("[各级民政局](ORG)", ""),
    ],
)
def test_spans_against_the_rules(lint: Check, span: str, suggestion: str) -> None:
    (finding,) = [f for f in lint(f"REPORT | | 巡查{span}。") if f.kind == "odd-span"]
    assert finding.suggestion == suggestion


@pytest.mark.parametrize("span", ["[3个多月](DATE)", "[26岁](AMOUNT)", "[百名](AMOUNT)", "[5月](DATE)"])
def test_spans_within_the_rules(lint: Check, span: str) -> None:
    assert not found(lint(f"REPORT | | 巡查{span}。"), "odd-span")


def test_span_across_sentences_is_an_error(lint: Check) -> None:
    findings = lint("REPORT | | 在[云川市](LOC+)\nREPORT | | [民政局](LOC)召开会议。")
    (crossing,) = [f for f in findings if f.kind == "crosses-sentences"]
    assert (crossing.severity, crossing.surface) == ("error", "云川市民政局")


def test_white_space_at_borders_is_one_error_and_the_span_stays(
    tmp_path: Path, scheme: LabelScheme, rules: Rules
) -> None:
    text = "发放 3500元 。"
    data = {
        "id": "a",
        "text": text,
        "entities": [{"start": 2, "end": 9, "label": "AMOUNT"}],
        "sentences": [{"start": 0, "end": 10, "function": "REPORT", "domains": []}],
    }
    path = tmp_path / "one.jsonl"
    path.write_text(json.dumps(data, ensure_ascii=False) + "\n", encoding="utf-8")
    (finding,) = check([path], scheme=scheme, rules=rules)
    assert (finding.kind, finding.severity, finding.surface) == ("white-space", "error", " 3500元 ")
    assert (finding.suggestion, finding.line) == ("3500元", 1)
