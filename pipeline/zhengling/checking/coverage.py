"""Text that patterns find and no span covers: amounts, dates, titles."""

from __future__ import annotations

from collections.abc import Iterator

from zhengling.checking.findings import Item, Note
from zhengling.checking.plain import Plain, plain_sentences
from zhengling.checking.rules import Coverage, Rules


def check_coverage(item: Item, rules: Rules) -> Iterator[Note]:
    """Matches of the rules' patterns without a span around them."""
    for piece in plain_sentences(item.bulletin):
        for rule in rules.coverage:
            for start, end in _matches(piece, rule):
                yield from _judge(item, start, end, rule.label)


def _matches(piece: Plain, rule: Coverage) -> Iterator[tuple[int, int]]:
    voided = [] if rule.unless is None else [match.span() for match in rule.unless.finditer(piece.text)]
    for match in rule.pattern.finditer(piece.text):
        if not any(start <= match.start() and match.end() <= end for start, end in voided):
            yield piece.span(match)


def _judge(item: Item, start: int, end: int, label: str) -> Iterator[Note]:
    """A note unless one span covers the range; two of which the second begins where the first ends do not."""
    touching = [e for e in item.bulletin.entities if e.start < end and start < e.end]
    if any(entity.start <= start and end <= entity.end for entity in touching):
        return
    if not touching:
        yield Note("uncovered", item, start, end, {"label": label}, suggestion=label)
        return
    part = " + ".join(item.bulletin.surface(entity) for entity in touching)
    yield Note("partly-covered", item, start, end, {"label": label, "part": part}, suggestion=label)
