"""Cutting a sentence into items, at semicolons and at the numbers of a list."""

from __future__ import annotations

from itertools import pairwise

from zhengling.directives.page import Page, Span, compiled, trimmed

_BEFORE_NUMBER = "：:；;，,。 \n\r\t\u3000"


def split_items(page: Page, start: int, end: int) -> tuple[Span | None, list[Span]]:
    """The items of a sentence.

    A list has two numbers of one kind (``一是…二是…``) at least; what stands before the first leads in and is
    no item. Punctuation at the end and white space belong to no item.

    Returns:
        The lead-in, None if there is none, and the items, one at least unless all is punctuation.
    """
    numbers = _numbers(page, start, end)
    semicolons = [place + 1 for place in range(start, end) if page.flat[place] in "；;"]
    cuts = sorted({start, end, *numbers, *semicolons})
    parts = [trimmed(page.text, a, b) for a, b in pairwise(cuts)]
    parts = [part for part in parts if part[0] < part[1]]
    if numbers and parts and parts[0][0] < numbers[0]:
        leads = [part for part in parts if part[0] < numbers[0]]
        return (leads[0][0], leads[-1][1]), parts[len(leads) :]
    return None, parts


def body_start(page: Page, start: int, end: int) -> int:
    """Where an item's words begin, behind its number or numbers."""
    number = compiled(rf"\s*(?:{'|'.join(page.rules.numbers)}|{page.rules.heading})\s*")
    while (found := number.match(page.text, start, end)) and found.end() < end:
        start = found.end()
    return start


def _numbers(page: Page, start: int, end: int) -> list[int]:
    """Places of the numbers of the first kind that occurs twice, at borders of clauses."""
    for kind in page.rules.numbers:
        found = [
            number.start()
            for number in compiled(kind).finditer(page.text, start, end)
            if number.start() == start or page.text[number.start() - 1] in _BEFORE_NUMBER
        ]
        if len(found) > 1:
            return found
    return []
