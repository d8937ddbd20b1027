"""Headings of a ledger in each language."""

from __future__ import annotations

from collections.abc import Mapping

from zhengling.errors import ZhenglingError

# Columns in order, with their width in characters.
COLUMNS: Mapping[str, float] = {
    "number": 6,
    "source": 28,
    "date": 12,
    "issuer": 16,
    "addressee": 22,
    "item": 60,
    "domains": 16,
    "groups": 18,
    "deadline": 16,
    "due": 12,
    "documents": 24,
    "confidence": 9,
    "sentence": 60,
    "link": 28,
}

_HEADINGS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "sheet": "督查台账",
        "number": "序号",
        "source": "来源",
        "date": "日期",
        "issuer": "交办主体",
        "addressee": "责任单位",
        "item": "任务事项",
        "domains": "业务领域",
        "groups": "服务对象",
        "deadline": "完成时限",
        "due": "截止日期",
        "documents": "引用文件",
        "confidence": "置信度",
        "sentence": "原句",
        "link": "原文位置",
    },
    "en": {
        "sheet": "Task ledger",
        "number": "No.",
        "source": "Source",
        "date": "Date",
        "issuer": "Issuer",
        "addressee": "Addressee",
        "item": "Item",
        "domains": "Domains",
        "groups": "Groups",
        "deadline": "Deadline",
        "due": "Due",
        "documents": "Documents",
        "confidence": "Confidence",
        "sentence": "Sentence",
        "link": "Place",
    },
}


def headings(language: str) -> Mapping[str, str]:
    """Headings by column, and the sheet's name.

    Raises:
        ZhenglingError: no ledger in this language.
    """
    if language not in _HEADINGS:
        raise ZhenglingError(f"no ledgers in language {language!r}; choose one of {', '.join(_HEADINGS)}")
    return _HEADINGS[language]
