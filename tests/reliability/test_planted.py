"""The short form of ``tests.endurance.planted``."""

from __future__ import annotations

import pytest
from tests.backends import make_pipeline, mark_backend
from tests.endurance.planted import MARKS, missed, planted, run
from tests.strategies import SCHEME


def test_planted_entities_are_found() -> None:
    assert run(widths=(2, 60), step=7)["found"] > 1000


@pytest.mark.parametrize("width", [1, 9])
def test_at_every_offset_around_two_window_borders(width: int) -> None:
    nlp = make_pipeline(SCHEME, mark_backend(SCHEME, MARKS), size=80, overlap=8)
    assert list(missed(nlp, width=width, sentence=10**6, length=200)) == []


def test_a_network_that_marks_nothing_misses_them() -> None:
    """Guards the tests above."""
    nlp = make_pipeline(SCHEME, mark_backend(SCHEME, {}), size=80, overlap=8)
    assert list(missed(nlp, width=2, sentence=10**6, length=20)) == list(range(19))
    assert len(planted(100, width=7, offset=3, sentence=11)) == 100
