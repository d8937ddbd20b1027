from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from zhengling.formats.tags import decode, encode, is_tag, marks_ends


@st.composite
def spans(draw: st.DrawFn) -> tuple[int, list[tuple[int, int, str]]]:
    lengths = draw(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["", "A", "B-C"])), max_size=8))
    found, position = [], 0
    for length, label in lengths:
        if label:
            found.append((position, position + length, label))
        position += length
    return position, found


def fail(index: int, message: str) -> None:
    raise AssertionError(f"{index}: {message}")


@given(spans(), st.sampled_from(["BIO", "BIOES"]))
def test_decoding_undoes_encoding(case: tuple[int, list[tuple[int, int, str]]], scheme: str) -> None:
    length, expected = case
    tags = encode(expected, length=length, scheme=scheme)  # type: ignore[arg-type]
    assert all(map(is_tag, tags))
    source = "\n".join(f"字 {tag}" for tag in tags)
    assert marks_ends(source) == (scheme == "BIOES" and bool(expected))
    assert decode(tags, ends=scheme == "BIOES", fault=fail) == expected
    plain = [(label, start, end - 1) for start, end, label in expected]
    assert get_entities(tags) == plain


@pytest.mark.parametrize(
    ("tags", "ends", "faulty", "kept"),
    [
        (["I-A", "B-A"], False, [0], [(1, 2, "A")]),
        (["B-A", "I-B", "O"], False, [1], [(0, 1, "A")]),
        (["B-A", "O", "S-A"], True, [0], [(2, 3, "A")]),
        (["B-A", "E-B"], True, [0, 1], []),
        (["B-A", "I-A"], True, [0], []),
        (["B-A", "M-A", "E-A"], True, [], [(0, 3, "A")]),
    ],
)
def test_tags_that_do_not_fit(
    tags: list[str], ends: bool, faulty: list[int], kept: list[tuple[int, int, str]]
) -> None:
    told: list[int] = []
    assert decode(tags, ends=ends, fault=lambda index, _: told.append(index)) == kept
    assert told == faulty
