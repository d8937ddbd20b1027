"""By when: the date in an item that ends the time allowed."""

from __future__ import annotations

from datetime import date

from zhengling.directives.dates import last_day
from zhengling.directives.frames import skip_leads
from zhengling.directives.page import Page, compiled
from zhengling.schema import Entity, Mention


def find_deadline(page: Page, start: int, end: int, *, reference: date | None) -> Mention | None:
    """The first date that says its end (``6月底前``, ``三个月内``), else the first one to act in.

    Args:
        page: the bulletin.
        start: first character of the item.
        end: one past its last character.
        reference: the bulletin's date, for dates without a year.
    """
    dates = page.entities_in(start, end, {page.rules.labels["deadline"]})
    ends = compiled(rf".*{page.rules.words['deadline_ends']}")
    past = compiled(rf".*{page.rules.words['before_past']}")
    over = compiled(page.rules.words["expiries"])
    dates = [
        found
        for found in dates
        if not past.fullmatch(page.flat, start, found.start) and not over.match(page.flat, found.end, end)
    ]
    chosen = next((found for found in dates if ends.fullmatch(_words(page, found))), None)
    if chosen is None:
        chosen = next((found for found in dates if _is_time_to_act(page, found, start, end, reference)), None)
    if chosen is None:
        return None
    surface = page.text[chosen.start : chosen.end]
    repeated = compiled(rf".*{page.rules.words['repeated']}").fullmatch(page.flat, start, chosen.start)
    day = None if repeated else last_day(surface, reference=reference)
    return Mention(chosen.start, chosen.end, surface, day)


def _words(page: Page, found: Entity) -> str:
    return "".join(page.text[found.start : found.end].split()).rstrip('”"’')


def _is_time_to_act(page: Page, found: Entity, start: int, end: int, reference: date | None) -> bool:
    """Whether a date without ``前`` opens a clause, or follows ``于``, and no ban comes after it."""
    words = page.rules.words
    day = last_day(page.text[found.start : found.end], reference=reference or date(2000, 1, 1))
    if "、" in (page.flat[found.start - 1 : found.start], page.flat[found.end : found.end + 1]):
        return False  # days on which something happens
    if day is None or compiled(words["not_deadlines"]).match(page.flat, found.end, end):
        return False
    if reference is not None and day < reference.isoformat():
        return False
    begin = page.clause_start(start, found.start)
    before = page.flat[skip_leads(page, begin, found.start) : found.start].strip()
    return not before or compiled(rf".*{words['deadline_starts']}").fullmatch(before) is not None
