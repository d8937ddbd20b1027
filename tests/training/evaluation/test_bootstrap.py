"""Intervals hold the true value as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.training.evaluation.samples import noisy
from tests.training.samples import SCHEME, invented_bulletins

from zhengling_training.evaluation.bootstrap import Resampling, draws, interval, intervals, intervals_of
from zhengling_training.evaluation.ledger import f1_of, make_ledger, measures
from zhengling_training.evaluation.metrics import score, score_each

Floats = NDArray[np.float64]


def population(random: np.random.Generator, bulletins: int) -> Floats:
    """Hits, predictions and gold of bulletins that differ in length and in difficulty."""
    gold = random.poisson(random.gamma(3, 8 / 3, size=bulletins)) + 1
    quality = random.beta(12, 2, size=bulletins)
    hits = random.binomial(gold, quality)
    spurious = random.poisson(gold * (1 - quality) * 0.8)
    return np.stack([hits, hits + spurious, gold], axis=1).astype(np.float64)


@pytest.mark.parametrize("bulletins", [40, 100])
def test_intervals_hold_the_truth_in_95_of_100_cases(bulletins: int) -> None:
    random = np.random.default_rng(11)
    truth = float(f1_of(population(random, 1_000_000).sum(axis=0)))
    held = []
    for case in range(1000):
        rows = population(random, bulletins)[:, None]
        (found,) = intervals_of(rows, [f1_of], settings=Resampling(resamples=1000, seed=case))
        assert found is not None
        held.append(found.low <= truth <= found.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_the_same_seed_gives_the_same_intervals() -> None:
    rows = population(np.random.default_rng(0), 30)
    one, again, other = (
        intervals_of(rows[:, None], [f1_of], settings=Resampling(seed=seed)) for seed in (1, 1, 2)
    )
    assert one == again != other


def test_blocks_of_draws_make_the_number_asked_for() -> None:
    blocks = list(draws(30, settings=Resampling(resamples=10), cells=100))
    assert [block.shape for block in blocks] == [(3, 30)] * 3 + [(1, 30)]
    assert all((block.sum(axis=1) == 30).all() for block in blocks)


def test_every_measure_lies_in_its_interval() -> None:
    gold = invented_bulletins(30)
    predicted = noisy(gold)
    ledger = make_ledger(gold, score_each(gold, predicted, scheme=SCHEME), scheme=SCHEME)
    found = intervals(ledger, measures(ledger.families).values(), settings=Resampling(resamples=300))
    summary = score(gold, predicted, scheme=SCHEME).summary()
    for name, value in summary.items():
        held = found[name]
        assert value is not None
        assert held is not None, name
        assert held.low <= value <= held.high, name


def test_a_measure_below_all_its_resamples_lies_in_an_interval_that_has_a_width() -> None:
    replicates = np.random.default_rng(0).normal(0.03, 0.004, 1000)
    found = interval(0.01, replicates, np.full(40, 0.01), level=0.95)
    assert found is not None
    assert found.low == 0.01
    assert found.high == pytest.approx(0.03 + 1.96 * 0.004, abs=0.002)


def test_what_never_occurs_and_few_bulletins_have_no_interval() -> None:
    gold = invented_bulletins(9)
    ledger = make_ledger(gold, score_each(gold, gold, scheme=SCHEME), scheme=SCHEME)
    every = measures(ledger.families)
    assert intervals(ledger, [every["entity_f1/EVENT"]], settings=Resampling()) == {"entity_f1/EVENT": None}
    few = ledger.take(range(7))
    assert intervals(few, [every["entity_f1"]], settings=Resampling()) == {"entity_f1": None}
    assert intervals(ledger, [every["entity_f1"]], settings=Resampling())["entity_f1"] is not None
    assert intervals_of(np.ones((7, 1, 3)), [f1_of], settings=Resampling()) == [None]


def test_no_spread_gives_a_point() -> None:
    rows = np.full((9, 1, 3), 2.0)
    (found,) = intervals_of(rows, [f1_of], settings=Resampling(resamples=100))
    assert found is not None
    assert (found.low, found.high) == (1.0, 1.0)
