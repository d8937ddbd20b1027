from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from zhengling.errors import DataError
from zhengling.report.terminal import print_summary
from zhengling.schema import Bulletin, Entity, Label, LabelScheme, Sentence


def printed(bulletin: Bulletin, scheme: LabelScheme, *, width: int = 100, **options: Any) -> str:
    language = options.pop("language", "zh")
    console = Console(file=io.StringIO(), width=width, **options)
    print_summary(bulletin, scheme=scheme, console=console, language=language)
    output = console.file
    assert isinstance(output, io.StringIO)
    return output.getvalue()


def test_plain_log_has_labels_in_brackets(bulletin: Bulletin, scheme: LabelScheme) -> None:
    output = printed(bulletin, scheme)
    assert "\x1b" not in output
    assert "[示例市民政局](机构)部署清明工作\n" in output
    assert "要为[老年人](服务对象)代办祭扫" in output
    assert "部署要求 91%" in output
    assert "示例市民政局 ×2" in output
    assert "[老年人](GROUP)" in printed(bulletin, scheme, language="en")


def test_no_color_is_plain_too(bulletin: Bulletin, scheme: LabelScheme) -> None:
    output = printed(bulletin, scheme, force_terminal=True, color_system="truecolor", no_color=True)
    assert "[老年人](服务对象)" in output


def test_colours_are_those_of_the_scheme(bulletin: Bulletin, scheme: LabelScheme) -> None:
    output = printed(bulletin, scheme, force_terminal=True, color_system="truecolor")
    assert "48;2;11;87;208m示例市民政局\x1b" in output
    assert "](" not in output


@pytest.mark.parametrize("width", [1, 2, 5, 12, 30, 200])
@pytest.mark.parametrize("colour", [None, "standard", "truecolor"])
def test_any_width(bulletin: Bulletin, scheme: LabelScheme, width: int, colour: str | None) -> None:
    output = printed(bulletin, scheme, width=width, color_system=colour, force_terminal=colour is not None)
    assert "老年人" in output


def test_markup_and_control_characters_are_shown(scheme: LabelScheme) -> None:
    text = "[bold]要闻[/bold] :smile: [/]\x1b[31m红\x07"
    bulletin = Bulletin(
        id="[red]x[/red]",
        text=text,
        entities=(Entity(0, 6, "ORG"), Entity(8, 15, "DOC")),
        sentences=(Sentence(0, len(text), "OTHER"),),
    )
    output = printed(bulletin, scheme)
    assert "[red]x[/red]" in output
    assert "[[bold]](机构)要闻[[/bold]](文件) :smile: [/]␛[31m红␇" in output


def test_scheme_without_sentences(msra: LabelScheme) -> None:
    bulletin = Bulletin("m", "张示例来了。", (Entity(0, 3, "PER"),), (Sentence(0, 6),))
    output = printed(bulletin, msra)
    assert "[张示例](人名)来了。" in output
    assert "句子" not in output
    assert "实体" in output


def test_empty_text_and_no_entities(scheme: LabelScheme) -> None:
    assert printed(Bulletin("e", ""), scheme).split() == ["e", "（空文本）"]
    assert "实体" not in printed(Bulletin("e", "无。", (), (Sentence(0, 2, "OTHER"),)), scheme)


def test_labels_unknown_to_the_scheme_are_shown(scheme: LabelScheme) -> None:
    bulletin = Bulletin("u", "甲。", (Entity(0, 1, "[x]"),), (Sentence(0, 2, "NEW", ("far",)),))
    output = printed(bulletin, scheme)
    assert "[甲]([x])。" in output
    assert "NEW" in output
    assert "far" in output


def test_unsound_input_is_named(scheme: LabelScheme, bulletin: Bulletin) -> None:
    with pytest.raises(DataError, match="demo-01"):
        printed(replace(bulletin, entities=bulletin.entities[::-1]), scheme)


def test_a_label_without_chinese_name_keeps_its_own(scheme: LabelScheme) -> None:
    plain = replace(scheme, entities=(Label("ORG", "", "#000000"),))
    assert "[民政部](ORG)" in printed(Bulletin("p", "民政部", (Entity(0, 3, "ORG"),)), plain)
