from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from zhengling.decoding import (
    LONGEST_SEGMENT,
    Floats,
    TaggedSpan,
    _outside_scores,
    best_paths,
    decode,
    decode_texts,
    span_probabilities,
    spans_of_tags,
    tag_names,
    tag_numbers,
)

LABELS = 2
Spans = tuple[tuple[int, int, int], ...]


def emissions_of(length: st.SearchStrategy[int]) -> st.SearchStrategy[Floats]:
    values = st.floats(-8, 8, width=32)
    return length.flatmap(lambda n: arrays(np.float64, (n, 1 + 4 * LABELS), elements=values))


def all_annotations(length: int, start: int = 0) -> Iterator[Spans]:
    """Every way to lay flat labelled spans on a text; there is one valid tag path for each."""
    if start == length:
        yield ()
        return
    yield from all_annotations(length, start + 1)
    for end in range(start + 1, length + 1):
        for label in range(LABELS):
            for rest in all_annotations(length, end):
                yield ((start, end, label), *rest)


def path_score(emissions: Floats, spans: Spans) -> float:
    return float(emissions[np.arange(len(emissions)), tag_numbers(spans, len(emissions))].sum())


def oracle(emissions: Floats) -> dict[Spans, float]:
    """Probability of every annotation, by listing them all."""
    scores = {spans: path_score(emissions, spans) for spans in all_annotations(len(emissions))}
    top = max(scores.values())
    weights = {spans: np.exp(score - top) for spans, score in scores.items()}
    return {spans: float(weight / sum(weights.values())) for spans, weight in weights.items()}


def plain(spans: list[TaggedSpan]) -> Spans:
    return tuple((span.start, span.end, span.label) for span in spans)


SHORT = emissions_of(st.integers(1, 5))


@settings(deadline=None, max_examples=60)
@given(SHORT)
def test_best_path(emissions: Floats) -> None:
    found = plain(decode(emissions, [(0, len(emissions))]))
    best = max(path_score(emissions, spans) for spans in all_annotations(len(emissions)))
    assert path_score(emissions, found) == pytest.approx(best, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(SHORT, st.sampled_from([0.5, 1.0, 3.0]))
def test_span_probabilities_are_exact(emissions: Floats, temperature: float) -> None:
    probabilities = oracle(emissions / temperature)
    for span in decode(emissions, [(0, len(emissions))], temperature=temperature):
        triple = (span.start, span.end, span.label)
        expected = sum(p for spans, p in probabilities.items() if triple in spans)
        assert span.score == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=20)
@given(SHORT)
def test_probabilities_of_spans_off_the_path_are_exact_too(emissions: Floats) -> None:
    length = len(emissions)
    probabilities = oracle(emissions)
    spans = [(s, e, k) for s in range(length) for e in range(s + 1, length + 1) for k in range(LABELS)]
    found = span_probabilities(emissions[None], [(0, *span) for span in spans])
    expected = [sum(p for path, p in probabilities.items() if span in path) for span in spans]
    assert found == pytest.approx(expected, abs=1e-9)


@st.composite
def segmented(draw: st.DrawFn) -> tuple[Floats, list[tuple[int, int]]]:
    """Emissions and segments with gaps between some of them; empty segments among them."""
    emissions = draw(emissions_of(st.integers(0, 30)))
    cuts = sorted(draw(st.lists(st.integers(0, len(emissions)), max_size=9)))
    segments = [pair for pair in pairwise([0, *cuts, len(emissions)]) if draw(st.integers(0, 5))]
    return emissions, segments


@settings(deadline=None, max_examples=150)
@given(segmented())
def test_segments_are_decoded_each_by_itself(case: tuple[Floats, list[tuple[int, int]]]) -> None:
    emissions, segments = case
    together = decode(emissions, segments)
    alone = [span for start, end in segments for span in decode(emissions, [(start, end)])]
    assert [(s.start, s.end, s.label) for s in together] == [(s.start, s.end, s.label) for s in alone]
    assert [s.score for s in together] == pytest.approx([s.score for s in alone], abs=1e-9)
    for span in together:
        assert any(start <= span.start < span.end <= end for start, end in segments)
        assert 0.0 <= span.score <= 1.0
    assert all(left.end <= right.start for left, right in pairwise(together))


@settings(deadline=None, max_examples=60)
@given(emissions_of(st.integers(1, 25)), st.floats(0.2, 5))
def test_temperature_does_not_change_the_path(emissions: Floats, temperature: float) -> None:
    whole = [(0, len(emissions))]
    assert plain(decode(emissions, whole, temperature=temperature)) == plain(decode(emissions, whole))


@pytest.mark.parametrize("length", [511, 512, 513, 1024, 3000])
def test_segments_beyond_the_longest(length: int) -> None:
    emissions = np.random.default_rng(length).normal(0, 3, (length, 9)).astype(np.float32)
    spans = decode(emissions, [(0, length)])
    assert len(spans) > length // 20
    assert all(0 <= s.start < s.end <= length and 0.0 < s.score <= 1.0 for s in spans)
    assert all(left.end <= right.start for left, right in pairwise(spans))


@pytest.mark.parametrize("start", range(LONGEST_SEGMENT - 40, LONGEST_SEGMENT + 3, 3))
def test_a_long_segment_is_not_cut_inside_an_entity(start: int) -> None:
    emissions = np.full((1200, 9), -5.0)
    emissions[:, 0] = 5.0
    spans = ((start, start + 30, 1), (start + 400, start + 401, 0))
    emissions[np.arange(1200), tag_numbers(spans, 1200)] += 20.0
    assert plain(decode(emissions, [(0, 1200)])) == spans


def test_a_long_segment_of_nothing_but_entity_still_gives_valid_spans() -> None:
    emissions = np.zeros((1600, 9))
    emissions[:, 2] = 50.0
    spans = decode(emissions, [(0, 1600)])
    assert {n for s in spans for n in range(s.start, s.end)} == set(range(1600))
    assert all(s.end - s.start <= LONGEST_SEGMENT for s in spans)


@settings(deadline=None, max_examples=100)
@given(st.data())
def test_tags_and_back(data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, 12), min_size=2)))
    labels = [data.draw(st.integers(-1, LABELS - 1)) for _ in cuts[1:]]
    spans = [(*pair, label) for pair, label in zip(pairwise(cuts), labels, strict=True) if label >= 0]
    assert list(spans_of_tags(tag_numbers(spans, 12))) == spans


def test_names_and_numbers_agree() -> None:
    names = tag_names(["ORG", "LOC"])
    assert names == ("O", "B-ORG", "I-ORG", "E-ORG", "S-ORG", "B-LOC", "I-LOC", "E-LOC", "S-LOC")
    tags = tag_numbers([(0, 3, 0), (4, 5, 1)], 6)
    assert [names[tag] for tag in tags] == ["B-ORG", "I-ORG", "E-ORG", "O", "S-LOC", "O"]


def test_padding_changes_no_path() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(0, 3, (1, 20, 9))
    padded = np.full((1, 33, 9), -1e30)
    padded[:, :, 0] = 0.0
    padded[:, :20] = scores
    assert best_paths(padded)[0, :20].tolist() == best_paths(scores)[0].tolist()
    assert not best_paths(padded)[0, 20:].any()


def test_nothing_to_decode() -> None:
    assert decode(np.zeros((0, 9)), []) == []
    assert decode(np.zeros((4, 9)), [(2, 2)]) == []


@st.composite
def several_texts(draw: st.DrawFn) -> list[tuple[Floats, list[tuple[int, int]], NDArray[np.bool_]]]:
    """Some texts: emissions, segments, white space."""
    cases = [draw(segmented()) for _ in range(draw(st.integers(0, 4)))]
    flags = [
        np.array(draw(st.lists(st.booleans(), min_size=len(e), max_size=len(e))), bool) for e, _ in cases
    ]
    return [(*case, blanks) for case, blanks in zip(cases, flags, strict=True)]


@settings(deadline=None, max_examples=60)
@given(several_texts(), st.sampled_from([1.0, 2.0]))
def test_texts_together_are_decoded_as_each_alone(
    texts: list[tuple[Floats, list[tuple[int, int]], NDArray[np.bool_]]], temperature: float
) -> None:
    emissions, segments, blanks = ([case[part] for case in texts] for part in range(3))
    together = decode_texts(
        emissions, segments, blanks=blanks, pairs=[[] for _ in texts], temperature=temperature
    )
    assert len(together) == len(texts)
    for (scores, spans, white), found in zip(texts, together, strict=True):
        alone = decode(scores, spans, blanks=white, temperature=temperature)
        assert plain(found) == plain(alone)
        assert [s.score for s in found] == pytest.approx([s.score for s in alone], abs=1e-9)
        assert not any(white[s.start] or white[s.end - 1] for s in found)


def one_by_one(scores: Floats, spans: list[tuple[int, int, int, int]]) -> list[float]:
    """Probabilities of spans as they were computed at first, each in turn."""
    before, after = _outside_scores(scores)
    inside = np.concatenate([np.zeros_like(scores[:, :1]), np.cumsum(scores, axis=1)], axis=1)
    result = []
    for row, start, end, label in spans:
        base = 1 + 4 * label
        if end - start == 1:
            own = scores[row, start, base + 3]
        else:
            middle = inside[row, end - 1, base + 1] - inside[row, start + 1, base + 1]
            own = scores[row, start, base] + middle + scores[row, end - 1, base + 2]
        result.append(np.exp(min(before[row, start] + own + after[row, end] - before[row, -1], 0.0)))
    return result


@settings(deadline=None, max_examples=60)
@given(emissions_of(st.integers(1, 20)))
def test_probabilities_at_once_are_those_one_by_one(emissions: Floats) -> None:
    length = len(emissions)
    spans = [(0, s, e, k) for s in range(length) for e in range(s + 1, length + 1) for k in range(LABELS)]
    expected = one_by_one(emissions[None], spans)
    assert span_probabilities(emissions[None], spans) == pytest.approx(expected, abs=1e-9)
    assert len(span_probabilities(emissions[None], [])) == 0


def surely(length: int, spans: Spans, *, unsure: dict[int, Floats] | None = None) -> Floats:
    """Emissions that say these spans, but for the scores of some positions."""
    emissions = np.full((length, 1 + 4 * LABELS), -4.0)
    emissions[np.arange(length), tag_numbers(spans, length)] = 4.0
    for at, scores in (unsure or {}).items():
        emissions[at] = scores
    return emissions


def test_a_span_with_one_quote_gets_both_where_that_is_more_probable() -> None:
    wider = surely(8, ((1, 7, 1),))
    wider[[5, 6]] = [-4, -4, -4, -4, -4, -4, 0, 4.2, -4], [3.9, -4, -4, -4, -4, -4, -4, 3.8, -4]
    assert plain(decode(wider, [(0, 8)])) == ((1, 6, 1),)
    assert plain(decode(wider, [(0, 8)], pairs=[(1, 6)])) == ((1, 7, 1),)


def test_a_span_with_one_quote_loses_it_where_that_is_more_probable() -> None:
    narrower = surely(8, ((2, 6, 0),))
    narrower[[1, 2]] = [3.8, 3.9, -4, -4, -4, -4, -4, -4, -4], [-4, 3.8, 3.9, -4, -4, -4, -4, -4, -4]
    assert plain(decode(narrower, [(0, 8)])) == ((1, 6, 0),)
    assert plain(decode(narrower, [(0, 8)], pairs=[(1, 6)])) == ((2, 6, 0),)


def test_neighbours_leave_no_room_for_the_other_quote() -> None:
    emissions = surely(8, ((0, 1, 0), (1, 2, 1), (2, 5, 0)))
    spans = ((0, 1, 0), (1, 2, 1), (2, 5, 0))
    assert plain(decode(emissions, [(0, 8)], pairs=[(1, 6)])) == spans
    assert plain(decode(emissions, [(0, 4), (4, 8)], pairs=[(3, 6)])) == plain(
        decode(emissions, [(0, 4), (4, 8)])
    )


@settings(deadline=None, max_examples=150)
@given(emissions_of(st.integers(2, 5)), st.data())
def test_pairs_part_only_spans_without_room(emissions: Floats, data: st.DataObject) -> None:
    length = len(emissions)
    pair = tuple(sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=2, max_size=2))))
    before = plain(decode(emissions, [(0, length)]))
    spans = decode(emissions, [(0, length)], pairs=[pair])
    after = plain(spans)
    possible = oracle(emissions)
    assert all(left.end <= right.start for left, right in pairwise(spans))
    assert [label for _, _, label in after] == [label for _, _, label in before]
    for old, new in zip(before, after, strict=True):
        whole = [(n in range(*new[:2])) for n in pair]
        assert old == new or (len(set(whole)) == 1 and len({n in range(*old[:2]) for n in pair}) == 2)
    for span in spans:
        probability = sum(p for way, p in possible.items() if (span.start, span.end, span.label) in way)
        assert span.score == pytest.approx(probability, abs=1e-6)


@settings(deadline=None, max_examples=200)
@given(emissions_of(st.integers(2, 5)), st.data())
def test_a_parted_pair_is_mended_the_more_probable_way(emissions: Floats, data: st.DataObject) -> None:
    length = len(emissions)
    first, second = sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=2, max_size=2)))
    before = plain(decode(emissions, [(0, length)]))
    assume(len(before) == 1)  # so that there is room on both sides
    ((start, end, label),) = before
    inside = [start <= position < end for position in (first, second)]
    ways = [(start, end)]
    if inside == [True, False]:
        ways = [(start, second + 1)] + [(start + 1, end)] * (first == start)
    if inside == [False, True]:
        ways = [(first, end)] + [(start, end - 1)] * (second == end - 1)
    possible = oracle(emissions)
    chances = {
        (*way, label): sum(p for spans, p in possible.items() if (*way, label) in spans)
        for way in ways
        if way[0] < way[1]
    }
    (found,) = decode(emissions, [(0, length)], pairs=[(first, second)])
    assert (found.start, found.end, found.label) in chances
    assert found.score == pytest.approx(max(chances.values()), abs=1e-6)


@settings(deadline=None, max_examples=80)
@given(segmented(), st.data())
def test_pairs_are_those_of_their_segment(
    case: tuple[Floats, list[tuple[int, int]]], data: st.DataObject
) -> None:
    emissions, segments = case
    pairs = [
        tuple(sorted(data.draw(st.sets(st.integers(start, end - 1), min_size=2, max_size=2))))
        for start, end in segments
        if end - start > 1
    ]
    alone = [
        (start + s.start, start + s.end, s.label)
        for start, end in segments
        for s in decode(
            emissions[start:end],
            [(0, end - start)],
            pairs=[(a - start, b - start) for a, b in pairs if start <= a < end],
        )
    ]
    assert plain(decode(emissions, segments, pairs=pairs)) == tuple(alone)


def test_what_is_decoded_at_once_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def watched(scores: Floats) -> NDArray[np.int64]:
        sizes.append(scores.shape[:2])
        return best_paths(scores)

    monkeypatch.setattr("zhengling.decoding.best_paths", watched)
    monkeypatch.setattr("zhengling.decoding.BATCH_CHARACTERS", 12)
    lengths = [4, 4, 4, 4, 2, 13, 3, 3]
    borders = np.cumsum([0, *lengths]).tolist()
    decode(np.zeros((borders[-1], 9)), list(pairwise(borders)))
    # By length: each batch is as full as it may be, what is longer is alone.
    assert sizes == [(3, 3), (3, 4), (1, 4), (1, 13)]


def test_a_span_does_not_grow_or_shrink_to_white_space() -> None:
    """A quote with white space beside it: the span without the quote would begin at white space."""
    emissions, blank = surely(8, ((2, 6, 0),)), np.zeros(8, bool)
    blank[[1, 3]] = True
    assert plain(decode(emissions, [(0, 8)], blanks=blank, pairs=[(2, 7)])) == ((2, 8, 0),)
    blank[7] = True
    assert plain(decode(emissions, [(0, 8)], blanks=blank, pairs=[(2, 7)])) == ((2, 6, 0),)
