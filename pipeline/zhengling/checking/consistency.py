"""The same string annotated here and not there, or with another label."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from zhengling.checking.findings import Item, Note
from zhengling.checking.rules import Consistency
from zhengling.schema import Entity

# Strings are looked up by their first so many characters.
_HEAD = 2


@dataclass(slots=True)
class _Usage:
    """A string's spans by label, what stood beside them, and where the string stands without a span."""

    labels: Counter[str] = field(default_factory=Counter)
    beside: set[str] = field(default_factory=set)
    bare: list[tuple[Item, int]] = field(default_factory=list)


def check_consistency(items: Sequence[Item], rule: Consistency) -> Iterator[Note]:
    """Places that go against the way a string is annotated elsewhere.

    A string without a span counts only where no span touches it and where the characters beside it have
    stood beside a span of the same string: otherwise it may be part of a longer word, or mean another thing.

    Args:
        items: bulletins of all inputs.
        rule: when the majority is clear.
    """
    usages = _usages(items, rule)
    lengths = _lengths(usages)
    for item in items:
        for start, end in _bare(item, usages, lengths, longer=rule.longer):
            usages[item.bulletin.text[start:end]].bare.append((item, start))
    for surface, usage in usages.items():
        yield from _unmarked(surface, usage, rule)
    for item in items:
        for entity in item.bulletin.entities:
            surface = item.bulletin.surface(entity)
            if surface in usages:
                yield from _other_label(item, entity, usages[surface], rule)


def _usages(items: Iterable[Item], rule: Consistency) -> dict[str, _Usage]:
    usages: defaultdict[str, _Usage] = defaultdict(_Usage)
    for item in items:
        text = item.bulletin.text
        for entity in item.bulletin.entities:
            usage = usages[item.bulletin.surface(entity)]
            usage.labels[entity.label] += 1
            usage.beside.update(_beside(text, entity.start, entity.end))
    return {surface: usage for surface, usage in usages.items() if _is_steady(surface, usage, rule)}


def _is_steady(surface: str, usage: _Usage, rule: Consistency) -> bool:
    if len(surface) < rule.min_length or (rule.unless is not None and rule.unless.search(surface)):
        return False
    return usage.labels.most_common(1)[0][1] >= rule.min_count


def _beside(text: str, start: int, end: int) -> tuple[str, str]:
    """The string with the character before it and with the one behind it, as far as they make words."""
    before, behind = text[max(0, start - 1) : start], text[end : end + 1]
    return (before if before.isalnum() else "") + text[start:end], text[start:end] + (
        behind if behind.isalnum() else ""
    )


def _bare(
    item: Item, usages: dict[str, _Usage], lengths: dict[str, list[int]], *, longer: re.Pattern[str] | None
) -> Iterator[tuple[int, int]]:
    """Occurrences of known strings that no span and no longer word touches, the longest at each place."""
    text = item.bulletin.text
    covered = bytearray(len(text))
    words = [match.span() for match in longer.finditer(text)] if longer else []
    for start, end in [*((e.start, e.end) for e in item.bulletin.entities), *words]:
        covered[start:end] = b"\1" * (end - start)
    position = 0
    while position < len(text):
        length = _longest(text, position, usages, lengths)
        if length and not any(covered[position : position + length]):
            yield position, position + length
        position += length or 1


def _lengths(usages: Iterable[str]) -> dict[str, list[int]]:
    """By their first characters the lengths of strings, longest first."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for surface in usages:
        found[surface[:_HEAD]].add(len(surface))
    return {head: sorted(lengths, reverse=True) for head, lengths in found.items()}


def _longest(text: str, position: int, usages: dict[str, _Usage], lengths: dict[str, list[int]]) -> int:
    """Length of the longest known string that begins at a place, 0 if there is none."""
    for head in (text[position : position + _HEAD], text[position]):
        for length in lengths.get(head, ()):
            usage = usages.get(text[position : position + length])
            if usage is not None and usage.beside.issuperset(_beside(text, position, position + length)):
                return length
    return 0


def _unmarked(surface: str, usage: _Usage, rule: Consistency) -> Iterator[Note]:
    label, marked = usage.labels.most_common(1)[0]
    if marked / (usage.labels.total() + len(usage.bare)) < rule.min_share:
        return
    facts: dict[str, object] = {"label": label, "marked": marked, "bare": len(usage.bare)}
    for item, start in usage.bare:
        yield Note("unmarked-repeat", item, start, start + len(surface), facts, label)


def _other_label(item: Item, entity: Entity, usage: _Usage, rule: Consistency) -> Iterator[Note]:
    (label, marked), total = usage.labels.most_common(1)[0], usage.labels.total()
    if entity.label == label or marked / total < rule.min_share:
        return
    counts = ", ".join(f"{name} {count}" for name, count in usage.labels.most_common())
    yield Note(
        "other-label", item, entity.start, entity.end, {"label": entity.label, "counts": counts}, label
    )
