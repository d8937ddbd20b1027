"""Directives from sentences and entities, each rule by an example."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from tests.strategies import SCHEME, bulletins

from zhengling.directives import find_directives
from zhengling.formats.bulletin import parse
from zhengling.schema import Bulletin, Directive, faults

MEETING = """id: m
date: 2026-03-05

OTHER | | 示例市民政局召开会议

REPORT | | [3月4日](DATE)，[示例市民政局](ORG)[局长](POST)[闻道清](PERSON)主持召开[党组会议](MEETING)。
DIRECTIVE | elderly | 会议要求，各地要在[6月底前](DATE)摸底；对[特困人员](GROUP)执行[《慈善法》](DOC)。
DIRECTIVE | | 要加强值守。
REPORT | | 会议还审议了其他事项。
DIRECTIVE | | 他强调，[示例市救助站](ORG)须于[2月30日前](DATE)整改到位。
DIRECTIVE | | 下一步，[示例市民政局](ORG)将公布名单。
"""
NOTICE = """id: n

OTHER | | [示例省民政厅关于做好救助工作的通知](DOC)
OTHER | | 各市民政局：
DIRECTIVE | assistance | 一是健全机制；二是压实责任，[12月上旬](DATE)报送总结。
DIRECTIVE | | 请各县于每月[5日前](DATE)报表。
OTHER | | [示例省民政厅](ORG)
OTHER | | [2025年12月1日](DATE)
"""


def found(source: str) -> list[Directive]:
    return list(find_directives(parse(source, identifier="x")))


def words(directive: Directive) -> tuple[str | None, str | None, str | None, str | None]:
    issuer, addressee, deadline = directive.issuer, directive.addressee, directive.deadline
    return (
        issuer.text if issuer else None,
        addressee.text if addressee else None,
        deadline.text if deadline else None,
        deadline.date if deadline else None,
    )


def test_a_meeting() -> None:
    items = found(MEETING)

    assert [words(item) for item in items] == [
        ("会议", "各地", "6月底前", "2026-06-30"),
        ("会议", "各地", None, None),
        ("会议", None, None, None),
        ("闻道清", "示例市救助站", "2月30日前", None),
        (None, "示例市民政局", None, None),
    ]
    assert items[0].action.text == "在6月底前摸底"
    assert items[1].action.text == "对特困人员执行《慈善法》"
    assert [mention.text for mention in items[1].groups] == ["特困人员"]
    assert [mention.text for mention in items[1].documents] == ["《慈善法》"]
    assert items[1].domains == ("elderly",)


def test_a_notice_speaks_for_who_issued_it() -> None:
    items = found(NOTICE)

    assert [words(item) for item in items] == [
        ("示例省民政厅", "各市民政局", None, None),
        ("示例省民政厅", "各市民政局", "12月上旬", "2025-12-10"),
        ("示例省民政厅", "各县", "5日前", None),
    ]
    assert [item.action.text for item in items[:2]] == ["健全机制", "压实责任，12月上旬报送总结"]


def test_what_leads_a_list_in_is_no_item() -> None:
    items = found("id: l\n\nDIRECTIVE | | 通知明确，各地要抓好两件事：（一）摸清底数；（二）规范管理。\n")

    assert [item.action.text for item in items] == ["摸清底数", "规范管理"]
    assert {words(item)[:2] for item in items} == {("通知", "各地")}


def test_a_speaker_of_a_transcript_and_an_asked_body() -> None:
    first = "DIRECTIVE | | [闻道清](PERSON)：请务必如实申报。"
    second = "DIRECTIVE | | [示例省民政厅](ORG)要求各地坚守底线。"
    source = f"id: t\n\n{first}\n{second}\n"

    assert [words(item)[:2] for item in found(source)] == [("闻道清", None), ("示例省民政厅", "各地")]


def test_semicolons_in_brackets_cut_nothing() -> None:
    [item] = found("id: b\n\nDIRECTIVE | | 各地要报送材料（一式三份；加盖公章）。\n")

    assert item.action.text == "报送材料（一式三份；加盖公章）"


def test_labels_of_another_scheme_give_nothing_and_break_nothing() -> None:
    bulletin = parse(MEETING, identifier="x")
    other = replace(
        bulletin,
        entities=tuple(replace(entity, label="机构") for entity in bulletin.entities),
        sentences=tuple(replace(sentence, function="要求") for sentence in bulletin.sentences),
    )

    assert find_directives(other) == ()
    assert find_directives(replace(bulletin, sentences=())) == ()


def test_without_entities_there_are_items_still() -> None:
    items = find_directives(replace(parse(MEETING, identifier="x"), entities=()))

    assert len(items) == 5
    assert all(item.deadline is None for item in items)


@given(bulletins())
def test_any_bulletin_gives_sound_directives_inside_their_sentences(bulletin: Bulletin) -> None:
    items = find_directives(bulletin)

    assert not list(faults(replace(bulletin, directives=items), scheme=SCHEME)) or list(faults(bulletin))
    for item in items:
        sentence = bulletin.sentences[item.sentence]
        assert sentence.function == "DIRECTIVE"
        assert sentence.start <= item.start <= item.action.start < item.action.end <= item.end <= sentence.end


def test_a_modal_verb_alone_is_the_action() -> None:
    """A sentence that a line break cut off behind its verb had an action without words."""
    items = found("date: 2025-12-01\n\nDIRECTIVE | | 需\n\nDIRECTIVE | | 各地要\n")
    assert next(item.action.text for item in items) == "需"
    assert all(item.action.text for item in items)
