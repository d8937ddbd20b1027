from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import SCHEME

from zhengling.schema import Bulletin, Entity, Sentence
from zhengling.scoring import match_sentences
from zhengling_training.evaluation.calibration import (
    Reliability,
    curves,
    expected_calibration_error,
    threshold_curve,
)
from zhengling_training.evaluation.metrics import score

ANSWERS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(ANSWERS, st.integers(1, 20))
def test_ece_agrees_with_a_slow_one(answers: list[tuple[float, bool]], bins: int) -> None:
    total = 0.0
    for number in range(bins):
        last = number == bins - 1
        inside = [(c, r) for c, r in answers if number <= c * bins and (c * bins < number + 1 or last)]
        if inside:
            gap = np.mean([c for c, _ in inside]) - np.mean([r for _, r in inside])
            total += len(inside) / len(answers) * abs(float(gap))
    found = expected_calibration_error(answers, bins=bins)
    assert found == pytest.approx(total, abs=1e-9)
    assert found is not None
    assert 0 <= found <= 1


def test_ece_of_known_cases() -> None:
    assert expected_calibration_error([]) is None
    assert expected_calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == pytest.approx(0.0)
    assert expected_calibration_error([(1.0, False), (0.0, True)]) == pytest.approx(1.0)


@given(ANSWERS, ANSWERS)
def test_reliability_adds_up(one: list[tuple[float, bool]], other: list[tuple[float, bool]]) -> None:
    both, added = Reliability.of(one + other), Reliability.of(one) + Reliability.of(other)
    assert (both.sizes, both.right) == (added.sizes, added.right)
    assert both.confidence == pytest.approx(added.confidence)
    for confidence, right, size in both.points():
        assert 0 <= confidence <= 1 and 0 <= right <= 1 and size > 0
    assert sum(size for _, _, size in both.points()) == both.total == len(one) + len(other)


@given(ANSWERS, st.integers(0, 5))
def test_curves_agree_with_slow_ones(answers: list[tuple[float, bool]], missed: int) -> None:
    gold = sum(right for _, right in answers) + missed
    curve = threshold_curve(answers, gold=gold, steps=10)
    for place, threshold in enumerate(curve.thresholds):
        kept = [right for confidence, right in answers if confidence >= threshold]
        assert curve.precision[place] == (pytest.approx(sum(kept) / len(kept)) if kept else None)
        assert curve.recall[place] == (pytest.approx(sum(kept) / gold) if gold else None)
    best = max((value for value in curve.f1 if value), default=None)
    assert curve.at(curve.suggested)[2] == best


def test_the_suggested_threshold() -> None:
    answers = [(0.9, True), (0.8, True), (0.3, False), (0.2, False)]
    curve = threshold_curve(answers, gold=2)
    assert curve.suggested == 0.31
    assert curve.at(curve.suggested) == (1.0, 1.0, 1.0)
    assert threshold_curve([], gold=0).suggested is None
    assert curve.at(None) == (None, None, None)


def labelled(function: str, *domains: str, scores: dict[str, float] | None = None) -> Bulletin:
    return Bulletin("a", "民政部。", (), (Sentence(0, 4, function, domains, scores or {}),))


def test_ece_by_head() -> None:
    gold = replace(labelled("REPORT", "elderly"), entities=(Entity(0, 3, "ORG"),))
    predicted = replace(
        labelled("REPORT", "elderly", scores={"REPORT": 0.8, "OTHER": 0.2, "elderly": 0.9, "charity": 0.3}),
        entities=(Entity(0, 3, "ORG", 0.6), Entity(3, 4, "LOC", 0.1)),
    )
    assert score([gold], [predicted], scheme=SCHEME).ece == {
        "entities": pytest.approx((0.4 + 0.1) / 2),
        "functions": pytest.approx(0.2),
        "domains": pytest.approx((0.1 + 0.3) / 2),
    }
    found = curves([(gold, predicted)], match_sentences(gold, predicted), scheme=SCHEME)
    assert list(found) == ["entities", "functions", "domains", "domains/elderly", "domains/charity"]
    assert found["entities"].suggested == 0.11
    assert found["domains"].suggested == 0.31


def test_domains_are_not_asked_of_sentences_that_bear_none() -> None:
    predicted = labelled("OTHER", scores={"OTHER": 1.0, "elderly": 0.9})
    assert score([labelled("OTHER")], [predicted], scheme=SCHEME).ece == {"functions": 0.0}
    assert "domains" not in curves([], match_sentences(labelled("OTHER"), predicted), scheme=SCHEME)
