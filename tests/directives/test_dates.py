"""Dates in words."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhengling.directives.dates import full_date, last_day

TODAY = date(2026, 5, 20)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("2026年6月底前", "2026-06-30"),
        ("今年年底前", "2026-12-31"),
        ("6月30日前", "2026-06-30"),
        ("６月３０日前", "2026-06-30"),
        ("六月三十日前", "2026-06-30"),
        ("二〇二六年六月二十一日", "2026-06-21"),
        ("本月底", "2026-05-31"),
        ("下月10日前", "2026-06-10"),
        ("25日前", "2026-05-25"),
        ("2025年", "2025-12-31"),
        ("“十四五”末", "2025-12-31"),
        ("“十五五”时期", "2030-12-31"),
        ("12月上旬", "2026-12-10"),
        ("11月下旬", "2026-11-30"),
        ("明年第一季度", "2027-03-31"),
        ("上半年", "2026-06-30"),
        ("2月底前", "2027-02-28"),
        ("5月6日24时前", "2026-05-06"),
        ("6月1日至15日", "2026-06-15"),
        ("2024年7月至2026年6月", "2026-06-30"),
        ("2026年\n6月\u300030日", "2026-06-30"),
    ],
)
def test_the_last_day_that_is_left(words: str, day: str) -> None:
    assert last_day(words, reference=TODAY) == day


@pytest.mark.parametrize(
    "words",
    [
        "2月30日",
        "2026年13月",
        "三个月内",
        "20个工作日内",
        "春节前",
        "2022年6月1日起",
        "每月5日前",
        "2026年前",
        "",
        "20",
    ],
)
def test_what_leaves_no_day(words: str) -> None:
    assert last_day(words, reference=TODAY) is None


def test_without_a_reference_only_what_names_its_year() -> None:
    assert last_day("6月30日前") is None
    assert last_day("年底前") is None
    assert last_day("2026年6月") == "2026-06-30"


@given(st.text(max_size=30), st.one_of(st.none(), st.dates()))
def test_any_words_give_a_day_or_none(words: str, reference: date | None) -> None:
    day = last_day(words, reference=reference)

    assert day is None or date.fromisoformat(day).isoformat() == day


@given(st.dates(min_value=date(1000, 1, 1)))
def test_full_dates_are_found_in_a_line(day: date) -> None:
    assert full_date(f"民发〔2020〕2号 {day.year}年{day.month}月{day.day}日") == day
    assert full_date(f"发布时间：{day.isoformat()} 来源") == day


def test_a_line_without_a_day_that_exists() -> None:
    assert full_date("2026年2月30日") is None
