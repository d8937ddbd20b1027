from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhengling.windows import cut_windows


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, list[int], int, int]:
    size = draw(st.integers(1, 60))
    overlap = draw(st.integers(0, (size - 1) // 2))
    length = draw(st.integers(0, 500))
    borders = sorted(draw(st.sets(st.integers(0, length), max_size=40)))
    return length, borders, size, overlap


@settings(deadline=None, max_examples=1000)
@given(cases().filter(lambda case: case[0] > 0))
def test_every_character_has_one_owner(case: tuple[int, list[int], int, int]) -> None:
    length, borders, size, overlap = case
    windows = cut_windows(length, borders, size=size, overlap=overlap)
    assert [n for w in windows for n in range(w.own_start, w.own_end)] == list(range(length))
    for window in windows:
        assert 0 <= window.start <= window.own_start <= window.own_end <= window.end <= length
        assert window.end - window.start <= size


@settings(deadline=None, max_examples=300)
@given(cases().filter(lambda case: case[0] > 0))
def test_an_owner_sees_some_way_beyond_what_it_owns(case: tuple[int, list[int], int, int]) -> None:
    length, borders, size, overlap = case
    windows = cut_windows(length, borders, size=size, overlap=overlap)
    for left, right in pairwise(windows):
        assert left.end - right.start >= overlap
        if left.own_end not in borders:
            assert left.end - left.own_end >= overlap // 2
            assert right.own_start - right.start >= overlap // 2


@settings(deadline=None, max_examples=300)
@given(cases().filter(lambda case: case[0] > 0))
def test_ownership_changes_at_the_border_nearest_to_the_middle(case: tuple[int, list[int], int, int]) -> None:
    length, borders, size, overlap = case
    windows = cut_windows(length, borders, size=size, overlap=overlap)
    for left, right in pairwise(windows):
        middle = (right.start + left.end) // 2
        inside = [border for border in borders if right.start <= border <= left.end]
        assert abs(left.own_end - middle) == min((abs(border - middle) for border in inside), default=0)


def test_the_only_border_ends_a_window() -> None:
    assert [window.end for window in cut_windows(300, [200], size=254, overlap=16)] == [200, 300]


@pytest.mark.parametrize("length", [1, 253, 254])
def test_a_text_that_fits_is_one_window(length: int) -> None:
    (window,) = cut_windows(length, [0, length // 2], size=254, overlap=48)
    assert (window.start, window.end, window.own_start, window.own_end) == (0, length, 0, length)


@pytest.mark.parametrize("length", [255, 508, 10_000, 100_000])
def test_long_texts_without_borders(length: int) -> None:
    windows = cut_windows(length, [], size=254, overlap=48)
    assert len(windows) == -(-(length - 48) // (254 - 48))
    assert sum(w.own_end - w.own_start for w in windows) == length


def test_ownership_changes_at_a_sentence_border() -> None:
    borders = list(range(0, 2000, 40))
    windows = cut_windows(2000, borders, size=254, overlap=48)
    assert all(window.own_start in borders for window in windows)


def test_a_sentence_that_fits_is_owned_whole() -> None:
    borders = [0, 100, 180, 300, 420, 500, 610, 700]
    windows = cut_windows(760, borders, size=254, overlap=48)
    owners = {n: number for number, w in enumerate(windows) for n in range(w.own_start, w.own_end)}
    assert all(len({owners[n] for n in range(*sentence)}) == 1 for sentence in pairwise([*borders, 760]))


@pytest.mark.parametrize(("size", "overlap"), [(10, 5), (10, -1), (0, 0), (11, 6)])
def test_an_overlap_must_leave_room(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        cut_windows(100, [], size=size, overlap=overlap)


def test_no_text_no_window() -> None:
    assert cut_windows(0, [], size=254, overlap=48) == []
