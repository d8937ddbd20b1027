from __future__ import annotations

import base64
import hashlib
import io
import json as json_module
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from zhengling.checking import Finding, html, json, table
from zhengling.errors import ZhenglingError

from .conftest import Check

EVIL = "<script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Collects tags with their attributes, the text inside marks, and all text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.marks: list[str] = []
        self._in_mark = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "mark":
            self.marks.append("")
            self._in_mark = True

    def handle_endtag(self, tag: str) -> None:
        self._in_mark = self._in_mark and tag != "mark"

    def handle_data(self, data: str) -> None:
        if self._in_mark:
            self.marks[-1] += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    return reader


@pytest.fixture
def findings(lint: Check) -> list[Finding]:
    return lint("REPORT | | 发放1.2⏎万元，占15%，在[云川市](LOC)民政局。", "REPORT | | 学习[《办法](DOC)。")


def test_the_page_marks_each_finding_in_its_context(findings: list[Finding]) -> None:
    page = read(html(findings))
    assert page.marks == [finding.surface for finding in findings]
    assert {name for name, _ in page.tags}.isdisjoint({"script", "img", "iframe"})
    anchors = {attributes["href"] for name, attributes in page.tags if name == "a"} - {"#main"}
    groups = {f"#{attributes['id']}" for name, attributes in page.tags if name == "details"}
    assert anchors == groups == {f"#{finding.kind}" for finding in findings}


def test_the_page_loads_nothing_and_pins_its_style(findings: list[Finding]) -> None:
    page = html(findings, language="en")
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    policy = next(a["content"] for _, a in read(page).tags if a.get("http-equiv"))
    assert style is not None and policy is not None and "default-src 'none'" in policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//|url\(", page)


def test_everything_is_escaped() -> None:
    finding = Finding("error", "format", EVIL, EVIL, EVIL, 0, 3, EVIL, EVIL, 7, EVIL, EVIL)
    page = html([finding], title=EVIL)
    assert "<script>" not in page
    assert read(page).marks == [EVIL]


def test_a_long_list_says_what_it_leaves_out(findings: list[Finding]) -> None:
    page = html([findings[0]] * 7, limit=5, language="en")
    assert len(read(page).marks) == 5
    assert "2 more are not listed" in page


def test_pages_without_findings_and_in_no_language(findings: list[Finding]) -> None:
    assert "没有发现问题" in html([])
    with pytest.raises(ZhenglingError, match="no reports in language"):
        html(findings, language="fr")  # type: ignore[arg-type]


def test_json_holds_everything(findings: list[Finding]) -> None:
    data = json_module.loads(json(findings))
    assert [Finding(**entry) for entry in data["findings"]] == findings
    assert data["exit_status"] == 0
    assert sum(data["counts"].values()) == len(findings)


def test_the_table_has_a_line_for_each_finding(findings: list[Finding]) -> None:
    stream = io.StringIO()
    table(findings, console=Console(file=stream, width=40), language="en")
    lines = stream.getvalue().splitlines()
    assert [line.count("【") for line in lines[: len(findings)]] == [1] * len(findings)
    assert "【1.2万元】" in stream.getvalue()


def test_control_characters_never_reach_the_terminal() -> None:
    stream = io.StringIO()
    finding = Finding(
        "error", "format", "\x1b[2J", "\x1b]0;a\x07", "\x1b", 0, 1, "\x1b", "\x9b", None, "\x1b", "\x1b"
    )
    table([finding], console=Console(file=stream, width=80))
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", stream.getvalue())
