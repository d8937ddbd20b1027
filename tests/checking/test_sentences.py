from __future__ import annotations

import pytest

from .conftest import Check, found

CUES = {
    "functions": [
        {"functions": ["DIRECTIVE"], "without": "要|须", "unless": "^附"},
        {"functions": ["REPORT", "CONTEXT"], "cues": "(?<!不)必须", "suggests": "DIRECTIVE"},
    ]
}


@pytest.mark.parametrize(
    ("body", "missing", "foreign"),
    [
        ("DIRECTIVE | | 各地要抓好落实。", [], []),
        ("DIRECTIVE | | 各地已经落实。", ["各地已经落实。"], []),
        ("DIRECTIVE | | 附表一。", [], []),
        ("REPORT | | 各地必⏎须落实。", [], ["必\n须"]),
        ("REPORT | | 不必须落实。", [], []),
        ("OTHER | | 各地必须落实", [], []),
    ],
)
def test_cues_of_functions(lint: Check, body: str, missing: list[str], foreign: list[str]) -> None:
    findings = lint(body, data=CUES)
    assert found(findings, "missing-cue") == missing
    assert found(findings, "foreign-cue") == foreign
    assert all(f.suggestion == "DIRECTIVE" for f in findings if f.kind == "foreign-cue")


@pytest.mark.parametrize(
    "body",
    [
        "REPORT | | 会议要求，各地要坚持因地制宜。",
        "CONTEXT | | 个别窗口态度生硬，务必整改。",
        "DIRECTIVE | | 云川市完成了三处墓区改造。",
    ],
)
def test_default_rules_see_a_function_that_does_not_fit(lint: Check, body: str) -> None:
    assert found(lint(body), "foreign-cue")


@pytest.mark.parametrize(
    "body",
    [
        "REPORT | | 根据通知要求,现就有关事项公告如下。",
        "CONTEXT | | 必须看到，差距仍然存在。",
        "DIRECTIVE | | 加强窗口值守。",
        "REPORT | | 他身无分文，不得已来到站里。",
    ],
)
def test_default_rules_leave_sound_functions(lint: Check, body: str) -> None:
    findings = lint(body)
    assert not found(findings, "foreign-cue") + found(findings, "missing-cue")


@pytest.mark.parametrize(
    ("body", "domains"),
    [
        ("REPORT | | 新建养老服务点。", ["elderly"]),
        ("REPORT | elderly | 新建养老服务点。", []),
        ("REPORT | elderly | 发展社区养老服务。", []),
        ("REPORT | | 推进社区治理。", ["community"]),
        ("REPORT | | 缴纳养老保险。", []),
        ("REPORT | | 走访[云川市养老服务协会](ORG)。", []),
        ("OTHER | | 养老服务专栏", []),
        ("REPORT | | 收到募⏎捐款，慰问孤儿。", ["charity", "children"]),
    ],
)
def test_words_of_domains(lint: Check, body: str, domains: list[str]) -> None:
    assert sorted(f.suggestion for f in lint(body) if f.kind == "missing-domain") == domains
