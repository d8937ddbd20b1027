from __future__ import annotations

import pytest

from .conftest import Check, found


@pytest.mark.parametrize(
    ("text", "surfaces"),
    [
        ("发放3500元。", ["3500元"]),
        ("发放３５００元。", ["３５００元"]),
        ("惠及1.2⏎万人次。", ["1.2\n万人次"]),
        ("占比达到15.5%。", ["15.5%"]),
        ("自2031年5月⏎6日施行。", ["2031年5月\n6日"]),
        ("历时18个月建成。", ["18个月"]),
        ("修订《云川市⏎门牌办法》。", ["《云川市\n门牌办法》"]),
        ("依据《关于〈甲〉和《乙》的通知》办理。", ["《关于〈甲〉和《乙》的通知》"]),
        ("第3次会议研究了第12条。", []),
        ("编号A35件号未变。", []),
        ("建成15分钟便民圈。", []),
    ],
)
def test_what_no_span_covers(lint: Check, text: str, surfaces: list[str]) -> None:
    findings = lint(f"REPORT | | {text}")
    assert found(findings, "uncovered") == surfaces
    assert not [f for f in findings if f.severity == "error"]


@pytest.mark.parametrize(
    "text",
    [
        "发放[3500元](AMOUNT)。",
        "[2031年5月6日上午](DATE)召开会议。",
        "学习[《关于2031年发放3500元补贴的通知》](DOC)。",
    ],
)
def test_what_a_span_covers(lint: Check, text: str) -> None:
    findings = lint(f"REPORT | | {text}")
    assert not found(findings, "uncovered") + found(findings, "partly-covered")


def test_what_a_span_covers_in_part(lint: Check) -> None:
    findings = lint("REPORT | | [2031年](DATE)5月6日召开会议。")
    assert found(findings, "partly-covered") == ["2031年5月6日"]


def test_a_match_never_joins_two_sentences(lint: Check) -> None:
    assert not found(lint("OTHER | | 表 35\nREPORT | | 元旦放假。"), "uncovered")
