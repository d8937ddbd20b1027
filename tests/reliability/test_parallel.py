"""The short form of ``tests.endurance.parallel``."""

from __future__ import annotations

import pytest
from tests.endurance.parallel import run


@pytest.mark.slow
def test_threads_and_processes_say_what_one_says_alone() -> None:
    assert run(threads=8, documents=8, processes=2) == {
        "answers_in_threads": 64,
        "answers_in_processes": 16,
    }
