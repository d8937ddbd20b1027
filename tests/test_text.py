from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import TEXTS

from zhengling.errors import ZhenglingError
from zhengling.text import CLOSERS, TERMINALS, bracket_pairs, check_text, split_sentences

FRAGMENTS = [
    "会议要求", "养老机构", "2024年3月5日", "来源", "图为", "的", "(一)", "一、", "\u202e",
    "，", "；", "。", "！", "？", "…", "……", "”", "“", "（", "）", "《", "》", ":",
    "\n", "\r\n", "\n\n", "\u3000", " ", "\x0c", "\u2028", "\x85", "👨\u200d👩\u200d👧",
]  # fmt: skip
ANY_TEXT = st.one_of(
    TEXTS,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=30).map("".join),
)


@settings(deadline=None, max_examples=1000)
@given(ANY_TEXT)
def test_sentences_partition_the_text_but_for_white_space(text: str) -> None:
    end_before = 0
    for start, end in split_sentences(text):
        assert text[end_before:start].strip() == ""
        assert text[start:end] == text[start:end].strip() != ""
        end_before = end
    assert text[end_before:].strip() == ""


@settings(deadline=None, max_examples=300)
@given(ANY_TEXT)
def test_marks_other_than_terminals_and_line_breaks_end_nothing(text: str) -> None:
    one_line = "".join(text.splitlines()).translate(dict.fromkeys(map(ord, TERMINALS), "，"))
    assert len(split_sentences(one_line)) <= 1


@settings(deadline=None, max_examples=200)
@given(
    st.text(st.sampled_from("甲乙丙，；、"), min_size=1),
    st.sampled_from(TERMINALS),
    st.text(st.sampled_from(CLOSERS)),
)
def test_a_mark_keeps_its_closers(clause: str, mark: str, closers: str) -> None:
    sentence = clause + mark + closers
    follower = "丁" + clause
    assert split_sentences(sentence + follower) == [
        (0, len(sentence)),
        (len(sentence), len(sentence) + len(follower)),
    ]


@settings(deadline=None, max_examples=300)
@given(ANY_TEXT, ANY_TEXT, st.integers(0xD800, 0xDFFF))
def test_lone_surrogates_are_refused_with_their_offset(before: str, behind: str, point: int) -> None:
    check_text(before + behind)
    with pytest.raises(ZhenglingError, match=rf"offset {len(before)}: lone surrogate U\+{point:04X}"):
        check_text(before + chr(point) + behind)


@pytest.mark.parametrize(
    "sentences",
    [
        ["各街道要备足物资。", "遇有险情要立即上报！", "谁来值守？", "名单见附表。"],
        ["half-width marks end too!", "真的吗?", "是的。"],
        ["竟有此事？！", "立即核查。"],
        ["他说：“今年一定办好！”", "随后走访了两户人家。"],
        ["“底数要清。”", "（张示例）"],
        ["他提出“底数要清！”，并要求逐户走访。", "现场作了登记。"],
        ["“你好吗？”之类的问候每天都有。"],
        ["社区要摸清底数；街道要建立台账;区里要每月督办。"],
        ["各科室要抓好保障！", "（一）健全制度。", "（二）落实责任。"],
        ["有的送粮油，有的送药品……", "大家都说好。"],
        ["一是查隐患；二是补短板……", "三是促长效。"],
    ],
)
def test_sentences_of_one_line(sentences: list[str]) -> None:
    text = "".join(sentences)
    assert [text[start:end] for start, end in split_sentences(text)] == sentences


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\n\n", " \r\n\u3000\u3000", "\x0c", "\u2028"])
@pytest.mark.parametrize(
    "lines",
    [
        ["示例区开展冬季巡查", "12月3日，示例区民政局派出三个小组巡查。", "巡查持续一周。"],
        ["巡查结束。", "一、压实责任", "各科室要明确分工。"],
        ["巡查结束。", "（一）查漏补缺", "各科室要建立清单。"],
        ["走访正在进行。", "▲工作人员走进老人家中", "随后召开了座谈会。"],
        ["活动顺利结束。", "（据示例市民政局网站）"],
        ["活动顺利结束。", "来源：示例市民政局"],
        ["现将有关事项通知如下：", "加强值守"],
        ["特此通知。", "示例市民政局", "2023年5月6日"],
        ["活动顺利结束。", "联系人：张示例", "联系电话：0000-0000000"],
        ["第一章 总则", "第一条 为了做好示例工作，制定本办法。", "第二条 本办法自公布之日起施行。"],
    ],
)
def test_lines_that_are_sentences(lines: list[str], line_break: str) -> None:
    text = line_break.join(lines) + line_break
    assert [text[start:end] for start, end in split_sentences(text)] == lines


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\n\n", "\u3000\r\n\r\n", "\x0c"])
@pytest.mark.parametrize(
    ("head", "tail"),
    [
        ("会议要求，切实保障养老服务机构", "和城乡社区的安全。"),
        ("通知要求向困难群众、", "老年人发放口罩。"),
        ("会议传达了《关于做好示例工作的", "通知》。"),
        ("各地要对（含撤并的", "村）逐一核对。"),
        ("会议指出，这项工作是", "，也是责任。"),
    ],
)
def test_a_page_may_end_inside_a_sentence(head: str, tail: str, line_break: str) -> None:
    text = f"示例区部署工作\n{head}{line_break}{tail}"
    assert [text[start:end] for start, end in split_sentences(text)] == [
        "示例区部署工作",
        f"{head}{line_break}{tail}",
    ]


@pytest.mark.parametrize("text", ["", " ", "\n", "\r\n\r\n", "\u3000\x85\u2028\x1f"])
def test_white_space_is_no_sentence(text: str) -> None:
    assert split_sentences(text) == []


@pytest.mark.parametrize("character", ["\ufeff", "\u200b", "\u2060", "\x00", "\u202e", "😀"])
def test_what_is_not_white_space_is_text(character: str) -> None:
    assert split_sentences(f"\n{character}\n") == [(1, 2)]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("“一老一小”", [(0, 5)]),
        ("（《甲》和“乙（丙）”）", [(1, 3), (7, 9), (5, 10), (0, 11)]),
        ("”甲“", []),
        ("（甲）（乙", [(0, 2)]),
        ("“甲“乙”", [(2, 4)]),
        ("(甲）", []),
    ],
)
def test_brackets_and_quotes_that_belong_together(text: str, pairs: list[tuple[int, int]]) -> None:
    assert bracket_pairs(text) == pairs


@given(ANY_TEXT)
def test_pairs_share_no_bracket(text: str) -> None:
    halves = [at for pair in bracket_pairs(text) for at in pair]
    assert len(set(halves)) == len(halves)
    assert all(left < right for left, right in bracket_pairs(text))
