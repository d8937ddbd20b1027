"""The short form of ``tests.endurance.service``."""

from __future__ import annotations

import pytest
from tests.endurance.service import run


@pytest.mark.slow
def test_bad_manners_harm_nobody() -> None:
    # The slow client has a test of its own, in tests/service/test_server.py.
    found = run(clients=8, seconds=5, pause=None, changes={"timeout_seconds": 300})
    assert found["faults"] == []
    assert {"200", "413"} <= found["answers"].keys()
    assert found["answers"].keys() & {"400", "415", "422"}
