from __future__ import annotations

from pathlib import Path

import pytest
from tests.strategies import SCHEME

from zhengling.errors import DataError
from zhengling.formats import read_bulletins
from zhengling.formats.bulletin import parse, render
from zhengling.schema import Bulletin, Entity, Sentence

PLAIN = r"""id: plain-01
date: 2024-03-05
title: 示例市: 部署

OTHER |  | [示例市民政局](ORG)部署清明祭扫

REPORT | funeral,elderly | [3月5日](DATE)，民政⏎⏎系统\[图\]开会。
DIRECTIVE | | 要落实 | 要见效(PERSON)。
"""


def test_the_plain_form() -> None:
    read = parse(PLAIN, identifier="file")
    assert read.id == "plain-01"
    assert read.meta == {"date": "2024-03-05", "title": "示例市: 部署"}
    assert read.text == ("示例市民政局部署清明祭扫\n3月5日，民政\n\n系统[图]开会。要落实 | 要见效(PERSON)。")
    assert [(read.surface(e), e.label) for e in read.entities] == [
        ("示例市民政局", "ORG"),
        ("3月5日", "DATE"),
    ]
    assert [(s.function, s.domains) for s in read.sentences] == [
        ("OTHER", ()),
        ("REPORT", ("funeral", "elderly")),
        ("DIRECTIVE", ()),
    ]
    assert parse(render(read), identifier="") == read


def test_windows_line_ends_and_byte_order_marks_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "x.bulletin"
    path.write_bytes(b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode())
    assert list(read_bulletins(path)) == [parse(PLAIN, identifier="")]


def test_the_id_is_the_files_name_if_none_is_given(tmp_path: Path) -> None:
    (tmp_path / "02.bulletin").write_text("date: 2024\n\nOTHER | | 乙", encoding="utf-8")
    (tmp_path / "01.bulletin").write_text("date: 2024\n\nOTHER | | 甲", encoding="utf-8")
    assert [(b.id, b.text) for b in read_bulletins(tmp_path, scheme=SCHEME)] == [("01", "甲"), ("02", "乙")]


def test_what_is_plain_is_written_plainly() -> None:
    text = "标题\n甲会议。乙要\n落实。"
    bulletin = Bulletin(
        "a",
        text,
        entities=(Entity(3, 6, "MEETING"),),
        sentences=(
            Sentence(0, 2, "OTHER"),
            Sentence(3, 7, "REPORT"),
            Sentence(7, 13, "DIRECTIVE", ("funeral",)),
        ),
    )
    assert render(bulletin) == (
        "id: a\n\nOTHER | | 标题\n\nREPORT | | [甲会议](MEETING)。\nDIRECTIVE | funeral | 乙要⏎落实。\n"
    )


def test_additions_to_the_plain_form() -> None:
    text = " 民政\n\n部开\\会⏎。\r"
    bulletin = Bulletin(
        "a",
        text,
        entities=(Entity(1, 6, "ORG"),),
        sentences=(Sentence(1, 3, "OTHER"), Sentence(5, 11, None)),
    )
    assert render(bulletin).split("\n") == [
        "id: a",
        "",
        r"~ | | \s",
        "OTHER | | [民政](ORG+)",
        "~ | | [⏎⏎](ORG+)",
        r"| | [部](ORG)开\\会\⏎。",
        r"~ | | \r",
        "",
    ]
    assert parse(render(bulletin), identifier="") == bulletin


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("OTHER | 没有第三栏", "FUNCTION | domain,domain | text"),
        ("OTHER | | [李示例(PERSON)出席", "broken markup"),
        ("OTHER | | 李示例](PERSON)出席", "broken markup"),
        ("OTHER | | [李示例]（PERSON）出席", "broken markup"),
        ("OTHER | | [](PERSON)出席", "empty entity"),
        ("OTHER | | ", "without text"),
        ("OTHER | | 甲\\q", "unknown escape"),
        ("OTHER | | 甲\\ud800", "no character"),
        ("OTHER | | [甲](ORG+)乙", "should end its line"),
        ("OTHER | | [甲](ORG+)", "no line follows"),
        ("OTHER | | [甲](ORG+)\nOTHER | | 乙[丙](ORG)", "doesn't go on"),
        ("~ | elderly | 甲", "bears no domain"),
    ],
)
def test_broken_lines_are_named(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.bulletin"
    path.write_text(f"id: a\n\n{line}", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(read_bulletins(path))
    assert message in caught.value.message
    assert caught.value.path == str(path)
    assert caught.value.line == 3 + line.count("\n")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("OTHER | | 时间: 今天", "expected a header"),
        ("id: a\nid: b", "given twice"),
        ("text: 甲", "can't be a header"),
    ],
)
def test_broken_headers_are_named(header: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse(f"{header}\n\nOTHER | | 甲", identifier="x")
    assert caught.value.line == header.count("\n") + 1


def test_lenient_reads_the_other_files(tmp_path: Path) -> None:
    (tmp_path / "1.bulletin").write_text("id: a\n\nOTHER | 甲", encoding="utf-8")
    (tmp_path / "2.bulletin").write_bytes("id: b\n\nOTHER | | 甲".encode("gb18030"))
    (tmp_path / "3.bulletin").write_text("id: c\n\nOTHER | | 甲", encoding="utf-8")
    report: list[str] = []
    assert [b.id for b in read_bulletins(tmp_path, lenient=True, report=report.append)] == ["c"]
    assert "1.bulletin:3" in report[0] and "2.bulletin:3: not UTF-8" in report[1] and "2 faults" in report[2]
