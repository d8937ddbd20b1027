"""The short form of ``tests.endurance.killed``."""

from __future__ import annotations

import pytest
from tests.endurance.killed import run, some_rows


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "kills"), [("file", 1), ("store", 1), ("batch", 1), ("train", 1)])
def test_killed_and_run_again(kind: str, kills: int) -> None:
    assert run(kind, kills=kills)["kills"] == kills


def test_a_bulletin_without_its_sentences_is_found_out() -> None:
    """Guards the test above."""
    whole = {
        "bulletins": {"('a', 1)", "('b', 2)"},
        "sentences": {"('a', 0)", "('a', 1)", "('b', 0)"},
        "entities": set[str](),
        "directives": set[str](),
    }
    assert some_rows({}, whole)
    assert some_rows({"bulletins": {"('b', 2)"}, "sentences": {"('b', 0)"}}, whole)
    assert not some_rows({"bulletins": {"('a', 1)"}, "sentences": {"('a', 0)"}}, whole)
    assert not some_rows({"bulletins": {"('a', 9)"}}, whole)
