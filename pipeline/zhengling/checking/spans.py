"""Checks on single spans: their borders, and whether the name goes on beyond them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zhengling.checking.findings import Item, Note
from zhengling.checking.plain import plain
from zhengling.checking.rules import Borders, Continuation, Rules, Shape
from zhengling.schema import Entity

# So much text beside a span is looked at; no name goes on for longer.
_BESIDE = 40


def check_spans(item: Item, rules: Rules) -> Iterator[Note]:
    """What is wrong with a bulletin's spans, one by one."""
    if rules.borders.within_sentence:
        yield from _crossing(item)
    for entity in item.bulletin.entities:
        yield from _border_faults(item, entity, rules.borders)
        yield from _marks_left_out(item, entity, rules.borders)
        surface = plain(item.bulletin.surface(entity)).text
        for shape in rules.shapes:
            if entity.label in shape.labels:
                yield from _odd_span(item, entity, shape, surface=surface)
        for continuation in rules.continuations:
            if entity.label in continuation.labels:
                yield from _cut_name(item, entity, continuation, surface=surface)


def _crossing(item: Item) -> Iterator[Note]:
    for sentence in item.bulletin.sentences:
        for entity in item.bulletin.entities:
            if entity.start < sentence.end < entity.end:
                facts: dict[str, object] = {"label": entity.label, "border": sentence.end}
                yield Note("crosses-sentences", item, entity.start, entity.end, facts)


def _border_faults(item: Item, entity: Entity, borders: Borders) -> Iterator[Note]:
    surface = item.bulletin.surface(entity)
    partners = _partners(surface, borders.pairs)
    marks = {mark for pair in borders.pairs for mark in pair}
    for place, mark in enumerate(surface):
        if mark in marks and place not in partners:
            yield _note("unpaired-mark", item, entity, mark=mark)
            return
    enclosed = partners.get(0) == len(surface) - 1
    if enclosed and surface[0] + surface[-1] not in borders.enclosing.get(entity.label, ()):
        inner = surface[1:-1].strip()
        yield _note("border-punctuation", item, entity, suggestion=inner, mark=surface[0] + surface[-1])
    for place in {0, len(surface) - 1}:
        if surface[place] in borders.punctuation and place not in partners:
            inner = surface.strip(borders.punctuation)
            yield _note("border-punctuation", item, entity, suggestion=inner, mark=surface[place])


def _partners(surface: str, pairs: tuple[str, ...]) -> dict[int, int]:
    """Places of marks that have a partner, with the partner's place."""
    closing = {pair[1]: pair[0] for pair in pairs}
    opening = {pair[0] for pair in pairs}
    waiting: list[int] = []
    found: dict[int, int] = {}
    for place, mark in enumerate(surface):
        if mark in closing and waiting and surface[waiting[-1]] == closing[mark]:
            found[place] = waiting.pop()
            found[found[place]] = place
        elif mark in opening:
            waiting.append(place)
    return found


def _marks_left_out(item: Item, entity: Entity, borders: Borders) -> Iterator[Note]:
    text = item.bulletin.text
    around = text[max(0, entity.start - 1) : entity.start] + text[entity.end : entity.end + 1]
    if around in borders.belonging.get(entity.label, ()):
        suggestion = text[entity.start - 1 : entity.end + 1]
        yield _note("marks-left-out", item, entity, suggestion=suggestion, marks=around)


def _odd_span(item: Item, entity: Entity, shape: Shape, *, surface: str) -> Iterator[Note]:
    match = shape.pattern.search(surface)
    if match is not None:
        yield _note("odd-span", item, entity, suggestion=shape.becomes, shape=match[0])


def _cut_name(item: Item, entity: Entity, rule: Continuation, *, surface: str) -> Iterator[Note]:
    bulletin = item.bulletin
    if rule.unless is not None and rule.unless.search(surface):
        return
    low, high = _free(item, entity)
    behind = plain(bulletin.text, start=entity.end, end=high)
    ahead = plain(bulletin.text, start=low, end=entity.start)
    for rest, match in (
        (behind, rule.after and rule.after.match(behind.text)),
        (ahead, rule.before and rule.before.search(ahead.text)),
    ):
        if isinstance(match, re.Match):
            start, end = rest.span(match)
            whole = bulletin.text[min(start, entity.start) : max(end, entity.end)]
            suggestion = f"{whole} {rule.becomes}".rstrip()
            yield _note("cut-name", item, entity, suggestion=suggestion, more=match[0])


def _free(item: Item, entity: Entity) -> tuple[int, int]:
    """The text around a span as far as its sentence goes."""
    low, high = max(0, entity.start - _BESIDE), min(len(item.bulletin.text), entity.end + _BESIDE)
    for sentence in item.bulletin.sentences:
        if sentence.start <= entity.start < sentence.end:
            return max(low, sentence.start), max(entity.end, min(high, sentence.end))
    return low, high


def _note(kind: str, item: Item, entity: Entity, *, suggestion: str = "", **facts: object) -> Note:
    return Note(kind, item, entity.start, entity.end, {"label": entity.label, **facts}, suggestion)
