from __future__ import annotations

from hypothesis import given
from tests.strategies import TEXTS

from zhengling.formats.utf16 import has_astral, span_to_points, to_points, to_units


@given(TEXTS)
def test_units_are_those_of_the_codec(text: str) -> None:
    units = to_units(text)
    assert units == [len(text[:end].encode("utf-16-le")) // 2 for end in range(len(text) + 1)]
    table = to_points(text)
    assert [table[unit] for unit in units] == list(range(len(text) + 1))
    assert (None in table) == has_astral(text) == (len(table) > len(text) + 1)


def test_spans() -> None:
    table = to_points("😀甲")
    assert span_to_points(table, 2, 3) == (1, 2)
    assert span_to_points(table, 1, 3) is None
    assert span_to_points(table, 0, 4) is None
    assert span_to_points(table, -1, 2) is None
