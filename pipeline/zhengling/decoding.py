"""Constrained BIOES decoding: the best valid tag path, and the probability of each span on it.

The model is a linear-chain conditional random field (Lafferty et al. 2001) whose transitions are 0 where
BIOES allows them and minus infinity elsewhere. That structure makes each step linear in the number
of tags: all that matters of the past is the score of being outside an entity (after O, E or S) and, for
each label, of being inside one (after B or I).

Tags are numbered ``0`` for O, then ``1 + 4 * label + (0: B, 1: I, 2: E, 3: S)``.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zhengling.batching import batches

Floats = NDArray[np.floating]
Pairs = list[tuple[int, int]]
Marked = tuple[int, int, int, int]  # row, start, end, label
B, I, E, S = range(4)  # noqa: E741
IMPOSSIBLE = -1e30
LONGEST_SEGMENT = 512
BATCH_CHARACTERS = 16384


@dataclass(frozen=True, slots=True)
class TaggedSpan:
    """A decoded span: ``label`` is an index into the scheme's entity labels."""

    start: int
    end: int
    label: int
    score: float


def tag_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Names of the tags in the order of their numbers."""
    return ("O", *(f"{prefix}-{label}" for label in labels for prefix in "BIES"))


def tag_numbers(spans: Sequence[tuple[int, int, int]], length: int) -> NDArray[np.int64]:
    """Gold tags of a text.

    Args:
        spans: ``(start, end, label index)``, not overlapping.
        length: characters in the text.

    Returns:
        Shape ``(length,)``.
    """
    tags = np.zeros(length, np.int64)
    for start, end, label in spans:
        base = 1 + 4 * label
        if end - start == 1:
            tags[start] = base + S
        else:
            tags[start:end] = base + I
            tags[start], tags[end - 1] = base + B, base + E
    return tags


def decode(
    emissions: Floats,
    segments: Sequence[tuple[int, int]],
    *,
    blanks: NDArray[np.bool_] | None = None,
    pairs: Sequence[tuple[int, int]] = (),
    temperature: float = 1.0,
) -> list[TaggedSpan]:
    """Decode a text segment by segment; no span crosses a segment's border.

    Args:
        emissions: scores of tags, shape ``(characters, 1 + 4 * labels)``.
        segments: ``(start, end)`` of sentences.
        blanks: where the text has white space, which neither begins nor ends a span.
        pairs: positions of brackets and quotes that belong together, by the second; a span has both or none,
            whichever is more probable, where white space and its neighbours leave room for that.
        temperature: divides the emissions before probabilities are taken; the path does not change.

    Returns:
        Spans in order; ``score`` is the probability that the span is there as it is, begin, end and label.
    """
    (spans,) = decode_texts(
        [emissions],
        [segments],
        blanks=[np.zeros(len(emissions), bool) if blanks is None else blanks],
        pairs=[pairs],
        temperature=temperature,
    )
    return spans


def decode_texts(
    emissions: Sequence[Floats],
    segments: Sequence[Sequence[tuple[int, int]]],
    *,
    blanks: Sequence[NDArray[np.bool_]],
    pairs: Sequence[Sequence[tuple[int, int]]],
    temperature: float = 1.0,
) -> list[list[TaggedSpan]]:
    """``decode`` for several texts: segments of like length are decoded together, whichever text they are of.

    Args:
        emissions: one array a text.
        segments: of each text.
        blanks: of each text.
        pairs: of each text.
        temperature: see ``decode``.

    Returns:
        The spans of each text.
    """
    pieces = [
        _Piece(text, start, end)
        for text, spans in enumerate(segments)
        for segment in spans
        for start, end in _shorten(emissions[text], blanks[text], *segment)
    ]
    pieces.sort(key=lambda piece: piece.end - piece.start)
    found: list[list[TaggedSpan]] = [[] for _ in emissions]
    for batch in batches(pieces, fits=_fits):
        scores = _pad([_scores(emissions[p.text], blanks[p.text], p.start, p.end) for p in batch])
        inside = [_within(pairs[p.text], p) for p in batch]
        for row, begin, end, label, score in _decode_batch(scores, batch, inside, temperature):
            text, start, _ = batch[row]
            found[text].append(TaggedSpan(start + begin, start + end, label, score))
    return [sorted(spans, key=lambda span: span.start) for spans in found]


class _Piece(NamedTuple):
    text: int
    start: int
    end: int


def _scores(emissions: Floats, blanks: NDArray[np.bool_], start: int, end: int) -> Floats:
    """Emissions of a stretch of text, with which no span begins or ends at white space."""
    scores, at = emissions[start:end].astype(np.float64), blanks[start:end]
    for role in (B, E, S):
        scores[at, 1 + role :: 4] = IMPOSSIBLE
    return scores


def _shorten(emissions: Floats, blanks: NDArray[np.bool_], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a long segment where the network is surest that there is no entity."""
    while end - start > LONGEST_SEGMENT:
        half = start + LONGEST_SEGMENT // 2
        window = _scores(emissions, blanks, half, start + LONGEST_SEGMENT)
        cut = half + int((window[:, 0] - window[:, 1:].max(axis=1, initial=IMPOSSIBLE)).argmax()) + 1
        yield start, cut
        start = cut
    if end > start:
        yield start, end


def _within(pairs: Sequence[tuple[int, int]], piece: _Piece) -> Pairs:
    """The pairs that lie in a stretch of text, counted from its start."""
    _, start, end = piece
    first, last = (bisect_left(pairs, border, key=itemgetter(1)) for border in (start, end))
    return [(a - start, b - start) for a, b in pairs[first:last] if a >= start]


def _fits(batch: list[_Piece], piece: _Piece) -> bool:
    """Whether the padded batch stays within the budget; pieces come sorted by length."""
    return (len(batch) + 1) * (piece.end - piece.start) <= BATCH_CHARACTERS


def _decode_batch(
    scores: Floats, pieces: Sequence[_Piece], pairs: Sequence[Pairs], temperature: float
) -> Iterator[tuple[int, int, int, int, float]]:
    """Spans of padded rows: row, start, end, label, probability."""
    paths = best_paths(scores)
    found = [
        (row, *span)
        for row, (_, start, end) in enumerate(pieces)
        for span in spans_of_tags(paths[row, : end - start])
    ]
    ways = [(at, way) for at, span in enumerate(found) for way in _ways(span, pairs[span[0]])]
    asked = [*found, *(way for _, way in ways)]
    probabilities = span_probabilities(scores / temperature, asked).tolist()
    chosen = list(zip(found, probabilities, strict=False))
    for at, group in groupby(zip(ways, probabilities[len(found) :], strict=True), key=lambda one: one[0][0]):
        free = _room(at, chosen)
        # A span that begins or ends at white space has no probability at all.
        fitting = [(p, way) for (_, way), p in group if p and way[1] in free and way[2] - 1 in free]
        if fitting:
            probability, way = max(fitting)
            chosen[at] = way, probability
    for (row, begin, end, label), probability in chosen:
        yield row, begin, end, label, probability


def _room(at: int, spans: Sequence[tuple[Marked, float]]) -> range:
    """The positions that the neighbours in its row leave to a span."""
    row = spans[at][0][0]
    before = [end for (other, _, end, _), _ in spans[max(0, at - 1) : at] if other == row]
    behind = [start for (other, start, _, _), _ in spans[at + 1 : at + 2] if other == row]
    return range(max(before, default=0), min(behind, default=sys.maxsize))


def _ways(span: Marked, pairs: Pairs) -> Iterator[Marked]:
    """How a span with one half of a pair may have both halves, or neither."""
    row, start, end, label = span
    parted = _parted(start, end, pairs)
    if not parted:
        return
    firsts, seconds = zip(*parted, strict=True)
    wide = min(start, *firsts), max(end, *(second + 1 for second in seconds))
    narrow = start + (start in firsts), end - (end - 1 in seconds)
    for begin, stop in (wide, narrow):
        if begin < stop and not _parted(begin, stop, pairs):
            yield row, begin, stop, label


def _parted(start: int, end: int, pairs: Pairs) -> Pairs:
    """Pairs of which a span has one half."""
    return [(a, b) for a, b in pairs if (start <= a < end) != (start <= b < end)]


def _pad(pieces: Sequence[Floats]) -> Floats:
    """Stack pieces of emissions; behind the end only O is possible, at no cost."""
    longest = max(map(len, pieces))
    padded = np.full((len(pieces), longest, pieces[0].shape[1]), IMPOSSIBLE, np.float64)
    padded[:, :, 0] = 0.0
    for row, piece in enumerate(pieces):
        padded[row, : len(piece)] = piece
    return padded


def spans_of_tags(tags: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """``(start, end, label)`` of a valid tag path."""
    begin = 0
    for position in np.flatnonzero(tags):
        label, role = divmod(int(tags[position]) - 1, 4)
        if role in (B, S):
            begin = int(position)
        if role in (E, S):
            yield begin, int(position) + 1, label


def best_paths(scores: Floats) -> NDArray[np.int64]:
    """Viterbi over padded rows.

    Args:
        scores: shape ``(rows, length, tags)``.

    Returns:
        Tag numbers of the best valid path of each row, shape ``(rows, length)``.
    """
    rows, length, _ = scores.shape
    labelled = _by_role(scores)
    outside, inside = np.zeros(rows), np.full(labelled.shape[:1] + labelled.shape[3:], IMPOSSIBLE)
    left_by = np.zeros((rows, length), np.int64)
    from_begin = np.zeros((rows, length, labelled.shape[3]), bool)
    for at in range(length):
        step = labelled[:, at]
        closing = np.concatenate(
            [(outside + scores[:, at, 0])[:, None], inside + step[:, E], outside[:, None] + step[:, S]], 1
        )
        left_by[:, at] = closing.argmax(axis=1)
        begin, middle = outside[:, None] + step[:, B], inside + step[:, I]
        from_begin[:, at] = begin >= middle
        outside, inside = closing.max(axis=1), np.maximum(begin, middle)
    return _trace(left_by, from_begin)


def _trace(left_by: NDArray[np.int64], from_begin: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Walk the best paths back from their ends."""
    rows, length = left_by.shape
    labels = from_begin.shape[2]
    row = np.arange(rows)
    tags = np.zeros((rows, length), np.int64)
    label = np.full(rows, -1)  # the label of the entity that we are inside of, -1 outside
    for at in range(length - 1, -1, -1):
        choice = left_by[:, at]
        closed = label < 0
        ends = closed & (choice >= 1) & (choice <= labels)
        single = closed & (choice > labels)
        starts = ~closed & from_begin[row, at, label]
        tags[:, at] = np.where(
            closed,
            np.where(ends, 1 + 4 * (choice - 1) + E, np.where(single, 1 + 4 * (choice - 1 - labels) + S, 0)),
            1 + 4 * label + np.where(starts, B, I),
        )
        label = np.where(ends, choice - 1, np.where(starts, -1, label))
    return tags


def span_probabilities(scores: Floats, spans: Sequence[tuple[int, int, int, int]]) -> Floats:
    """Exact marginal probabilities of whole spans under the constrained distribution.

    Args:
        scores: shape ``(rows, length, tags)``.
        spans: ``(row, start, end, label)``.

    Returns:
        Shape ``(len(spans),)``, each in [0, 1].
    """
    if not len(spans):
        return np.zeros(0)
    row, start, end, label = np.array(spans).T
    base, last = 1 + 4 * label, end - 1
    before, after = _outside_scores(scores)
    sums = np.cumsum(scores[:, :, 1 + I :: 4], axis=1)  # of the tags inside, up to and with each character
    middle = np.where(last - start > 1, sums[row, last - 1, label] - sums[row, start, label], 0.0)
    long = scores[row, start, base + B] + middle + scores[row, last, base + E]
    own = np.where(start == last, scores[row, start, base + S], long)
    result: Floats = np.exp(np.minimum(before[row, start] + own + after[row, end] - before[row, -1], 0.0))
    return result


def _outside_scores(scores: Floats) -> tuple[Floats, Floats]:
    """Log-sums of all valid paths before, and behind, each border between characters.

    Returns:
        Two arrays of shape ``(rows, length + 1)``.
    """
    labelled = _by_role(scores)
    forward = _log_sums(
        scores[:, :, 0], labelled[:, :, B], labelled[:, :, I], labelled[:, :, E], labelled[:, :, S]
    )
    back = labelled[:, ::-1]
    backward = _log_sums(scores[:, ::-1, 0], back[:, :, E], back[:, :, I], back[:, :, B], back[:, :, S])
    return forward, backward[:, ::-1]


def _log_sums(none: Floats, first: Floats, middle: Floats, last: Floats, single: Floats) -> Floats:
    """The forward algorithm; run on reversed input with begin and end swapped it is the backward one."""
    rows, length = none.shape
    outside, inside = np.zeros(rows), np.full((rows, first.shape[2]), IMPOSSIBLE)
    sums = np.zeros((rows, length + 1))
    for at in range(length):
        closing = np.concatenate(
            [(outside + none[:, at])[:, None], inside + last[:, at], outside[:, None] + single[:, at]], 1
        )
        inside = np.logaddexp(outside[:, None] + first[:, at], inside + middle[:, at])
        top = closing.max(axis=1)
        outside = top + np.log(np.exp(closing - top[:, None]).sum(axis=1))
        sums[:, at + 1] = outside
    return sums


def _by_role(scores: Floats) -> Floats:
    """Scores without O, shape ``(rows, length, 4, labels)``."""
    rows, length, tags = scores.shape
    return scores[:, :, 1:].reshape(rows, length, (tags - 1) // 4, 4).transpose(0, 1, 3, 2)
