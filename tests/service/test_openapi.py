"""Requests made up from the API's own description never make the service fail."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from spacy.language import Language
from tests.service.conftest import SETTINGS

from zhengling.service.app import create_app

schemathesis = pytest.importorskip("schemathesis")
OPERATIONS = [
    ("/v1/analyze", "POST"),
    ("/v1/analyze/batch", "POST"),
    ("/v1/ledger", "POST"),
    ("/v1/schema", "GET"),
    ("/healthz", "GET"),
    ("/metrics", "GET"),
]


@pytest.fixture(scope="module")
def api(nlp: Language) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(nlp, settings=SETTINGS))


def test_all_operations_are_tried(api: Any) -> None:
    described = {(found.ok().path, found.ok().method.upper()) for found in api.get_all_operations()}
    assert described == set(OPERATIONS)


@pytest.mark.parametrize(
    ("path", "method", "mode"),
    # What takes no input can't be asked wrongly.
    [
        (*one, mode)
        for one in OPERATIONS
        for mode in ("positive", "negative")
        if (mode, one[1]) != ("negative", "GET")
    ],
)
def test_no_request_makes_it_fail(api: Any, path: str, method: str, mode: str) -> None:
    """Not by the plugin for pytest, which knows older versions of it only."""
    statuses = set[int]()

    @settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=api[path][method].as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    def send(case: Any) -> None:
        statuses.add(case.call().status_code)

    send()
    assert statuses
    assert max(statuses) < 500
