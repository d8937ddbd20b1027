"""Tags of single tokens and the spans that they spell: BIO, BIOES and its sibling BMES."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

OUTSIDE = "O"
_INSIDE = ("I", "M", "E")
_TAG = re.compile(r"(?P<prefix>[BIMES])-(?P<label>\S+)")
_ENDING = re.compile(r"[ \t][MES]-\S+[ \t\r]*$", re.MULTILINE)

Span = tuple[int, int, str]


def is_tag(tag: str) -> bool:
    """Whether a tag is ``O`` or a prefix with a label."""
    return tag == OUTSIDE or _TAG.fullmatch(tag) is not None


def marks_ends(source: str) -> bool:
    """Whether a file of columns uses BIOES or BMES, not BIO: every entity in those has an E or an S."""
    return _ENDING.search(source) is not None


def encode(spans: Iterable[Span], *, length: int, scheme: Literal["BIO", "BIOES"]) -> list[str]:
    """Tags of a sequence.

    Args:
        spans: start, end (exclusive) and label; not overlapping.
        length: of the sequence.
        scheme: BIO or BIOES.

    Returns:
        A tag for each token, shape ``(length,)``.
    """
    tags = [OUTSIDE] * length
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
        if scheme == "BIOES":
            tags[end - 1] = f"{'S' if end - start == 1 else 'E'}-{label}"
    return tags


def decode(tags: Sequence[str], *, ends: bool, fault: Callable[[int, str], None]) -> list[Span]:
    """Spans of a sequence of tags, each of which ``is_tag``.

    Args:
        tags: shape ``(length,)``.
        ends: the scheme marks ends (BIOES, BMES).
        fault: is told the index and the message of a tag that doesn't fit; the entity is then left out.

    Returns:
        Start, end (exclusive) and label of each entity.
    """
    spans: list[Span] = []
    start, label = None, ""
    for index, tag in enumerate([*tags, OUTSIDE]):
        prefix, _, name = tag.partition("-")
        continues = start is not None and prefix in _INSIDE and name == label
        if start is not None and not continues:
            if ends:
                fault(start, f"the entity B-{label} has no E-{label}")
            else:
                spans.append((start, index, label))
            start = None
        if prefix == "B":
            start, label = index, name
        elif prefix == "S":
            spans.append((index, index + 1, name))
        elif prefix in _INSIDE and not continues:
            fault(index, f"the tag {tag} continues no entity")
        elif prefix == "E" and start is not None:
            spans.append((start, index + 1, label))
            start = None
    return spans
