"""Texts that occur twice, or nearly, within and across inputs.

Near-duplicates are found by the cover of character n-grams (Broder 1997, containment): the share of
the n-grams of the text with fewer of them that the other text has too. An index from n-grams to texts counts
only pairs that share something; n-grams of many texts are set phrases and left out, which keeps this linear.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from zhengling.checking.findings import Item, Note
from zhengling.checking.plain import plain
from zhengling.checking.rules import Duplicates


def check_duplicates(items: Sequence[Item], rule: Duplicates) -> Iterator[Note]:
    """Notes at the later one of two like texts.

    Args:
        items: bulletins of all inputs.
        rule: what counts as like.
    """
    texts = [plain(item.bulletin.text).text for item in items]
    first: dict[str, int] = {}
    for number, text in enumerate(texts):
        if text and first.setdefault(text, number) != number:
            yield _note("duplicate", items[number], items[first[text]])
    for left, right, share in _pairs(texts, sorted(first.values()), rule):
        yield _note("near-duplicate", items[right], items[left], share=f"{share:.0%}")


def _pairs(
    texts: Sequence[str], numbers: Sequence[int], rule: Duplicates
) -> Iterator[tuple[int, int, float]]:
    """Pairs of texts that share enough."""
    index: defaultdict[str, list[int]] = defaultdict(list)
    for number in numbers:
        for piece in _ngrams(texts[number], rule.ngram):
            index[piece].append(number)
    sizes, shared = Counter[int](), Counter[tuple[int, int]]()
    for holders in index.values():
        if len(holders) <= rule.common:
            sizes.update(holders)
            shared.update(combinations(holders, 2))
    for (left, right), count in sorted(shared.items()):
        share = count / min(sizes[left], sizes[right])
        # A text of set phrases with a few words of its own is no duplicate for those words.
        telling = min(sizes[left], sizes[right]) >= rule.ngram
        if telling and share >= rule.min_share:
            yield left, right, share


def _ngrams(text: str, size: int) -> set[str]:
    return {text[start : start + size] for start in range(max(1, len(text) - size + 1))}


def _note(kind: str, item: Item, other: Item, **facts: object) -> Note:
    named: dict[str, object] = {"other": other.bulletin.id, "file": str(other.path), **facts}
    return Note(kind, item, 0, 0, named)
