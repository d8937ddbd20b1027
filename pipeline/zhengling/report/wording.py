"""The words of the reports' own furniture, in each language that they speak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from zhengling.errors import ZhenglingError
from zhengling.schema import Label

Language = Literal["zh", "en"]

_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "code": "zh-Hans",
        "page": "公报标注",
        "skip": "跳到正文",
        "filters": "筛选",
        "hint": "勾选即只看所选；不选则全部显示。",
        "reset": "清除",
        "expand": "全部展开",
        "collapse": "全部收起",
        "contents": "目录",
        "number": "序号",
        "bulletin": "公报",
        "bulletins": "公报",
        "sentence": "句子",
        "sentences": "句子",
        "entity": "实体",
        "entities": "实体",
        "functions": "句子功能",
        "function": "功能",
        "domains": "业务领域",
        "date": "日期",
        "label": "类别",
        "total": "数量",
        "strings": "常见写法",
        "text": "正文",
        "blank": "（空文本）",
        "nothing": "没有公报。",
        "tables": "表格",
        "tasks": "任务清单",
        "action": "事项",
        "addressee": "责任方",
        "issuer": "来源",
        "deadline": "时限",
        "groups": "对象",
        "documents": "依据",
    },
    "en": {
        "code": "en",
        "page": "Annotated bulletins",
        "skip": "Skip to the text",
        "filters": "Filter",
        "hint": "Tick to see only what is ticked; with none ticked, all is shown.",
        "reset": "Clear",
        "expand": "Expand all",
        "collapse": "Collapse all",
        "contents": "Contents",
        "number": "No.",
        "bulletin": "Bulletin",
        "bulletins": "Bulletins",
        "sentence": "Sentence",
        "sentences": "Sentences",
        "entity": "Entity",
        "entities": "Entities",
        "functions": "Functions",
        "function": "Function",
        "domains": "Domains",
        "date": "Date",
        "label": "Label",
        "total": "Count",
        "strings": "Most frequent",
        "text": "Text",
        "blank": "(empty text)",
        "nothing": "No bulletins.",
        "tables": "Tables",
        "tasks": "Tasks",
        "action": "Action",
        "addressee": "For",
        "issuer": "From",
        "deadline": "By",
        "groups": "About",
        "documents": "Citing",
    },
}


def words(language: str) -> Mapping[str, str]:
    """The words of a language by key.

    Raises:
        ZhenglingError: the reports don't speak it.
    """
    if language not in _WORDS:
        raise ZhenglingError(f"no reports in language {language!r}; choose one of {', '.join(_WORDS)}")
    return _WORDS[language]


def label_text(label: Label, *, language: str) -> str:
    """A label's name for readers: the Chinese one in Chinese, where the scheme has it."""
    return (language == "zh" and label.zh) or label.name


def percentage(score: float) -> str:
    """A probability as per cent; what isn't certain is never shown as 0 or 100."""
    if 0.99 < score < 1:
        return ">99%"
    if 0 < score < 0.01:
        return "<1%"
    return f"{score:.0%}"
