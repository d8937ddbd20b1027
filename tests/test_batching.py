from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from zhengling.batching import batches


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 30)), st.integers(1, 60))
def test_batches_are_as_full_as_neighbours_allow(sizes: list[int], limit: int) -> None:
    found = list(batches(sizes, fits=lambda batch, size: sum(batch) + size <= limit))
    assert [size for batch in found for size in batch] == sizes
    assert all(batch for batch in found)
    assert all(sum(batch) <= limit or len(batch) == 1 for batch in found)
    for batch, following in pairwise(found):
        assert sum(batch) + following[0] > limit


def test_items_are_taken_as_they_are_needed() -> None:
    items = iter(range(10))
    stream = batches(items, fits=lambda batch, item: len(batch) < 3)
    assert next(stream) == [0, 1, 2]
    assert next(items) == 4
