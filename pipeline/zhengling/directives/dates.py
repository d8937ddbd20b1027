"""Dates in words as the last day that they leave: ``今年6月底前`` is 30 June of this year."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date

# A day of the year that is further back than this can't be meant as a deadline: it is next year's.
_PATIENCE_DAYS = 31
_DIGITS = {character: str(value % 10) for value, character in enumerate("〇一二三四五六七八九")} | {
    "零": "0",
    "○": "0",
}
_NUMERAL = re.compile(rf"[{''.join(_DIGITS)}十]+")
_PLAN = re.compile(r"(\d{2})五(?:规划)?(?:时期|期间|期)?(?:末|内)?")
_YEARS_AHEAD = {"今年": 0, "本年": 0, "当年": 0, "明年": 1, "后年": 2}
_MONTHS_AHEAD = {"本月": 0, "当月": 0, "这个月": 0, "下月": 1, "下个月": 1, "次月": 1}
_TENTHS = {"上旬": 10, "中旬": 20, "中": 20}

_YEAR = rf"(?:(?P<year>\d{{4}})年|(?P<relative>{'|'.join(_YEARS_AHEAD)}))度?"
_REST = (
    r"(?P<whole>|年?[底末]|年内|内|全年|年度内)",
    r"(?P<half>[上下])半年[底末]?",
    r"第?(?P<quarter>[1-4])季度[底末]?",
    r"(?P<month>\d{1,2})月份?(?P<part>[底末中]|上旬|中旬|下旬|)",
    r"(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号]",
)
_FORMS = tuple(re.compile(rf"(?:{_YEAR})?{rest}") for rest in _REST)
_MONTH_FORMS = (
    re.compile(rf"(?:(?P<ahead>{'|'.join(_MONTHS_AHEAD)})(?:月?[底末]|内|)|月[底末])"),
    re.compile(rf"(?P<ahead>{'|'.join(_MONTHS_AHEAD)})?(?P<day>\d{{1,2}})[日号]"),
)
_NUMERIC = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_FULL = re.compile(r"(?<!\d)(?:(\d{4})年(\d{1,2})月(\d{1,2})日|(\d{4})([-/.])(\d{1,2})\5(\d{1,2})(?!\d))")
_RANGE = re.compile(r"[至到—–~]+")
_CLOCK = re.compile(r"(?:上午|下午|中午|晚上?|凌晨|\d{1,2}[时点](?:\d{1,2}分|整)?|\d{1,2}:\d{2})+$")
_BEFORE = re.compile(r"(?:之前|以前|前|为止|止)$")


def last_day(words: str, *, reference: date | None = None) -> str | None:
    """The last day that a date in words leaves, in ISO form.

    A day or month without a year is the next one after ``reference``, or one that is just past. A bare
    year or month with ``前`` (``2026年前``) is left open, since it may or may not include that year.

    Args:
        words: such as ``2026年6月底前``, ``“十四五”末``, ``３月下旬``, ``年内``, ``6月1日至15日``.
        reference: the day on which they were written; without it only full dates and plans are known.

    Returns:
        ``YYYY-MM-DD``; None for durations, feasts, beginnings (``起``), repetition (``每``) and days
        that no calendar has.
    """
    plain = _plain(words)
    before = _BEFORE.search(plain)
    plain = _CLOCK.sub("", plain[: before.start()] if before else plain)
    year, plain = _end_of_range(plain)
    found = _day(plain, reference=reference, year=year)
    vague = before is not None and re.fullmatch(r"(?:\d{4}年|[今明后本]年|)(?:\d{1,2}月)?", plain)
    return None if found is None or vague else found.isoformat()


def full_date(text: str) -> date | None:
    """The first full date (``2026年6月30日``, ``2026-06-30``) in a text, None if there is none."""
    for found in _FULL.finditer(_arabic(unicodedata.normalize("NFKC", text))):
        groups = found.group(1, 2, 3) if found[1] else found.group(4, 6, 7)
        day = _calendar(*map(int, groups))
        if day is not None:
            return day
    return None


def _plain(words: str) -> str:
    """Half-width, Arabic figures, without white space, quotes and the preposition."""
    kept = re.sub(r"[\s“”\"‘’']", "", unicodedata.normalize("NFKC", words))
    return re.sub(r"^(?:截至|截止|直到|于|在)", "", _arabic(kept))


def _arabic(words: str) -> str:
    return _NUMERAL.sub(lambda found: _number(found[0]), words)


def _number(numeral: str) -> str:
    """``二〇二六`` as 2026, ``二十一`` as 21; ``十四五`` is the plan and keeps its ``五``."""
    if re.fullmatch(r"十[一二三四五六七八九]五", numeral):
        return _number(numeral[:2]) + "五"
    if "十" not in numeral:
        return "".join(_DIGITS[character] for character in numeral)
    tens, _, ones = numeral.partition("十")
    if "十" in ones:
        return numeral
    digits = "".join(_DIGITS[character] for character in tens) or "1"
    return digits + ("".join(_DIGITS[character] for character in ones) or "0")


def _end_of_range(plain: str) -> tuple[int | None, str]:
    """Year of the beginning, for an end that has none, and the end; ``6月1日至15日`` ends on 6月15日."""
    *begin, end = _RANGE.split(plain)
    if not begin:
        return None, plain
    year = re.search(r"(\d{4})年?", begin[-1])
    month = re.search(r"(\d{1,2})月", begin[-1])
    if month and re.fullmatch(r"\d{1,2}[日号]", end):
        end = f"{month[1]}月{end}"
    return (int(year[1]) if year else None), end


def _day(plain: str, *, reference: date | None, year: int | None) -> date | None:
    if found := _NUMERIC.fullmatch(plain):
        return _calendar(int(found[1]), int(found[3]), int(found[4]))
    if found := _PLAN.fullmatch(plain):
        return date(1955 + 5 * int(found[1]), 12, 31)
    for form in _FORMS:
        if plain and (found := form.fullmatch(plain)):
            return _of_year(found.groupdict(), reference=reference, year=year)
    for form in _MONTH_FORMS:
        if reference is not None and (found := form.fullmatch(plain)):
            return _of_month(found.groupdict(), reference=reference)
    return None


def _of_year(parts: Mapping[str, str | None], *, reference: date | None, year: int | None) -> date | None:
    given = _year(parts, reference=reference) or year
    if given is not None:
        return _in_year(parts, given)
    if reference is None:
        return None
    return _next(lambda turn: _in_year(parts, reference.year + turn), reference=reference)


def _year(parts: Mapping[str, str | None], *, reference: date | None) -> int | None:
    if number := parts["year"]:
        return int(number)
    relative = parts["relative"]
    return reference.year + _YEARS_AHEAD[relative] if relative and reference else None


def _in_year(parts: Mapping[str, str | None], year: int) -> date | None:
    if half := parts.get("half"):
        return _calendar(year, 6 if half == "上" else 12, None)
    if quarter := parts.get("quarter"):
        return _calendar(year, 3 * int(quarter), None)
    if month := parts.get("month"):
        day = parts.get("day") or _TENTHS.get(parts.get("part") or "")
        return _calendar(year, int(month), int(day) if day else None)
    return _calendar(year, 12, 31)


def _of_month(parts: Mapping[str, str | None], *, reference: date) -> date | None:
    day = parts.get("day")
    ahead = parts.get("ahead")

    def at(turn: int) -> date | None:
        month = reference.month - 1 + turn
        return _calendar(reference.year + month // 12, month % 12 + 1, int(day) if day else None)

    return at(_MONTHS_AHEAD[ahead]) if ahead else _next(at, reference=reference)


def _next(at: Callable[[int], date | None], *, reference: date) -> date | None:
    """This turn's day, or the next turn's where this one is long past."""
    first = at(0)
    if first is None or (reference - first).days <= _PATIENCE_DAYS:
        return first
    return at(1)


def _calendar(year: int, month: int, day: int | None) -> date | None:
    """A day that exists, the month's last if ``day`` is None; else None."""
    if not (1 <= year <= 9999 and 1 <= month <= 12):
        return None
    days = monthrange(year, month)[1]
    if day is None:
        return date(year, month, days)
    return date(year, month, day) if 1 <= day <= days else None
