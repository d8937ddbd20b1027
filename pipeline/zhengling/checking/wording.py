"""The kinds of findings: how grave they are, what they are called, and what is said of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from zhengling.report.wording import Language, words


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding.

    Attributes:
        severity: of its findings, unless the rules say otherwise.
        names: its name by language.
        messages: by language what is said of a finding, with names of facts in braces.
    """

    severity: Literal["error", "warning"]
    names: Mapping[str, str]
    messages: Mapping[str, str]


def _kind(severity: Literal["error", "warning"], zh: str, en: str, *, said: tuple[str, str]) -> Kind:
    return Kind(severity, names={"zh": zh, "en": en}, messages={"zh": said[0], "en": said[1]})


KINDS: Mapping[str, Kind] = {
    "format": _kind("error", "格式错误", "Format", said=("{fault}", "{fault}")),
    "white-space": _kind(
        "error",
        "实体首尾有空白",
        "White space at a border",
        said=("{label}实体首尾有空白", "{label} span starts or ends with white space"),
    ),
    "crosses-sentences": _kind(
        "error",
        "实体跨句",
        "Span across sentences",
        said=(
            "{label}实体跨越句子边界（位置 {border}）",
            "{label} span crosses a sentence border at {border}",
        ),
    ),
    "border-punctuation": _kind(
        "warning",
        "实体首尾有标点",
        "Punctuation at a border",
        said=("{label}实体首尾有标点 {mark}", "{label} span starts or ends with {mark}"),
    ),
    "unpaired-mark": _kind(
        "warning",
        "括号引号不成对",
        "Unpaired mark",
        said=("{label}实体内 {mark} 不成对", "{mark} has no partner inside the {label} span"),
    ),
    "marks-left-out": _kind(
        "warning",
        "遗漏所属标号",
        "Marks left out",
        said=("{marks} 应属于{label}实体", "{marks} around the {label} span belong to it"),
    ),
    "cut-name": _kind(
        "warning",
        "名称被截断",
        "Name cut short",
        said=("{label}实体与“{more}”相连，似应合为一个名称", "{label} span is joined by {more}: one name?"),
    ),
    "odd-span": _kind(
        "warning",
        "实体不合规范",
        "Span against the rules",
        said=("“{shape}”不应出现在{label}实体中", "{shape} doesn't go with a {label} span"),
    ),
    "uncovered": _kind(
        "warning",
        "疑似漏标",
        "Not annotated",
        said=("疑似{label}，未标注", "looks like {label}, no span covers it"),
    ),
    "partly-covered": _kind(
        "warning",
        "疑似漏标一部分",
        "Partly annotated",
        said=("疑似{label}，只标了“{part}”", "looks like {label}, only {part} is annotated"),
    ),
    "unmarked-repeat": _kind(
        "warning",
        "同词有标有不标",
        "Annotated elsewhere",
        said=(
            "此处未标，别处标为{label} {marked} 次，未标 {bare} 次",
            "not annotated here; {label} {marked} times elsewhere, not annotated {bare} times",
        ),
    ),
    "other-label": _kind(
        "warning",
        "同词异标",
        "Other label elsewhere",
        said=(
            "此处标为{label}，共 {counts}",
            "{label} here; in all {counts}",
        ),
    ),
    "missing-cue": _kind(
        "warning",
        "缺少功能标志词",
        "Function without a cue",
        said=("功能为{function}，句中没有相应标志词", "function {function}, but no cue for it"),
    ),
    "foreign-cue": _kind(
        "warning",
        "功能与标志词不符",
        "Cue of another function",
        said=("功能为{function}，但有“{cue}”", "function {function}, but it says {cue}"),
    ),
    "missing-domain": _kind(
        "warning",
        "疑似漏标领域",
        "Domain missing",
        said=("有“{cue}”，但无领域{domain}", "says {cue}, but lacks domain {domain}"),
    ),
    "duplicate": _kind(
        "warning",
        "重复",
        "Duplicate",
        said=("与 {other}（{file}）文本相同", "same text as {other} ({file})"),
    ),
    "near-duplicate": _kind(
        "warning",
        "近似重复",
        "Near-duplicate",
        said=("{share} 的文本见于 {other}（{file}）", "{share} of the text is in {other} ({file})"),
    ),
    "distribution": _kind(
        "warning",
        "类别分布不一致",
        "Label distribution",
        said=(
            "{label}占 {share}，其余输入中占 {rest}（卡方 {chi2}）",
            "{label}: {share} here, {rest} in the other inputs (chi-square {chi2})",
        ),
    ),
}

_FURNITURE: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "page": "标注检查",
        "error": "错误",
        "warning": "警告",
        "none": "没有发现问题。",
        "kind": "种类",
        "count": "数量",
        "place": "位置",
        "message": "说明",
        "context": "上下文",
        "suggestion": "建议",
        "more": "其余 {count} 条未列出",
    },
    "en": {
        "page": "Annotation check",
        "error": "Error",
        "warning": "Warning",
        "none": "Nothing found.",
        "kind": "Kind",
        "count": "Count",
        "place": "Place",
        "message": "Message",
        "context": "Context",
        "suggestion": "Suggestion",
        "more": "{count} more are not listed",
    },
}


def message(kind: str, *, language: Language, facts: Mapping[str, object]) -> str:
    """What is said of a finding."""
    return KINDS[kind].messages[language].format(**facts)


def furniture(language: Language) -> Mapping[str, str]:
    """The words of check reports by key, those of all reports among them.

    Raises:
        ZhenglingError: the reports don't speak the language.
    """
    return {**words(language), **_FURNITURE[language]}
