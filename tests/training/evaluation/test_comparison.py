from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from tests.training.evaluation.samples import noisy
from tests.training.samples import MSRA, SCHEME, invented_bulletins, plain_names

from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.comparison import Comparison, compare_ledgers
from zhengling_training.evaluation.ledger import Ledger, make_ledger, measures
from zhengling_training.evaluation.metrics import score, score_each

SETTINGS = Resampling(resamples=2000)
GOLD = invented_bulletins(40)


def ledger(predicted: list[Bulletin], gold: list[Bulletin] = GOLD) -> Ledger:
    return make_ledger(gold, score_each(gold, predicted, scheme=SCHEME), scheme=SCHEME)


def compared(a: list[Bulletin], b: list[Bulletin]) -> Comparison:
    return compare_ledgers(ledger(a), ledger(b), names=("a", "b"), settings=SETTINGS)


def test_a_clear_difference() -> None:
    worse, better = noisy(GOLD, rate=0.8), noisy(GOLD, rate=0.1)
    found = compared(worse, better)
    one, other = (score(GOLD, side, scheme=SCHEME).summary() for side in (worse, better))
    for name in one:
        difference = found.find(name)
        assert difference.a == pytest.approx(one[name])
        assert difference.b == pytest.approx(other[name])
    entity = found.find("entity_f1")
    assert entity.difference == pytest.approx((entity.b or 0) - (entity.a or 0))
    assert entity.interval is not None
    assert 0 < entity.interval.low < entity.difference < entity.interval.high
    assert entity.p_bootstrap is not None and entity.p_bootstrap < 0.01
    assert entity.p_randomisation is not None and entity.p_randomisation < 0.01
    assert entity.wins > entity.losses
    assert len(found.wins) > len(found.losses)
    gains = [change.a - change.b for change in found.wins]
    assert gains == sorted(gains, reverse=True)


def test_the_other_way_round() -> None:
    worse, better = noisy(GOLD, rate=0.6), noisy(GOLD, rate=0.3)
    one, other = compared(worse, better), compared(better, worse)
    for name in ("entity_f1", "domain_micro_f1", "ece_entities"):
        mine, theirs = one.find(name), other.find(name)
        assert mine.difference == pytest.approx(-(theirs.difference or 0))
        assert (mine.wins, mine.losses) == (theirs.losses, theirs.wins)
        assert mine.p_randomisation == pytest.approx(theirs.p_randomisation, abs=0.03)
    assert one.find("ece_entities").less_is_better


def test_the_same_answers_are_no_difference() -> None:
    same = noisy(GOLD)
    found = compared(same, same)
    for difference in found.differences.values():
        assert difference.difference in (0.0, None)
        assert difference.p_bootstrap in (1.0, None)
        assert difference.p_randomisation in (1.0, None)
        assert (difference.wins, difference.losses) == (0, 0)
    assert found.wins == found.losses == ()


def test_randomisation_agrees_with_all_swaps() -> None:
    """Of eight bulletins every swap can be tried."""
    gold = GOLD[:8]
    a, b = ledger(noisy(gold, rate=0.5), gold), ledger(noisy(gold, rate=0.3, seed=1), gold)
    measure = measures(a.families)["entity_f1"]
    gap = abs(float(measure.of(b.total) - measure.of(a.total)))
    hits = 0
    for swap in product((0.0, 1.0), repeat=8):
        moved = np.array(swap)
        one = a.sums(1 - moved) + b.sums(moved)
        two = b.sums(1 - moved) + a.sums(moved)
        hits += abs(float(measure.of(two) - measure.of(one))) >= gap - 1e-12
    found = compare_ledgers(a, b, names=("a", "b"), settings=Resampling(resamples=20_000))
    assert found.find("entity_f1").p_randomisation == pytest.approx(hits / 2**8, abs=0.015)


def test_where_there_is_no_difference_p_is_spread_evenly() -> None:
    """Of models that err alike, one pair in five has a p below 0.2."""
    random = np.random.default_rng(8)
    gold, below = GOLD[:20], []
    for _ in range(100):
        one, other = (
            ledger(noisy(gold, rate=0.4, seed=int(random.integers(1 << 30))), gold) for _ in range(2)
        )
        found = compare_ledgers(one, other, names=("a", "b"), settings=Resampling(resamples=200))
        below.append((found.find("entity_f1").p_randomisation or 1) < 0.2)
    assert 0.1 <= np.mean(below) <= 0.3


def test_the_order_of_bulletins_does_not_matter() -> None:
    a, b = ledger(noisy(GOLD)), ledger(noisy(GOLD, rate=0.4))
    turned = b.take(list(reversed(range(len(GOLD)))))
    settings = Resampling(resamples=100)
    straight = compare_ledgers(a, b, names=("a", "b"), settings=settings)
    assert compare_ledgers(a, turned, names=("a", "b"), settings=settings) == straight


def test_what_can_not_be_compared() -> None:
    a = ledger(GOLD)
    with pytest.raises(ZhenglingError, match="'invented-0' was measured for one of the two only"):
        compare_ledgers(a, a.take(range(1, 40)), names=("a", "b"), settings=SETTINGS)
    other = [replace(GOLD[0], entities=GOLD[0].entities[1:]), *GOLD[1:]]
    with pytest.raises(ZhenglingError, match="'invented-0': text or gold annotation differ"):
        compare_ledgers(a, ledger(other, other), names=("a", "b"), settings=SETTINGS)
    plain = plain_names(GOLD)
    names = make_ledger(plain, score_each(plain, plain, scheme=MSRA), scheme=MSRA)
    with pytest.raises(ZhenglingError, match="different labels, such as"):
        compare_ledgers(a, names, names=("a", "b"), settings=SETTINGS)


def test_a_measure_that_is_none() -> None:
    found = compared(GOLD, GOLD)
    with pytest.raises(ZhenglingError, match="no measure 'entity_f'; did you mean entity_f1"):
        found.find("entity_f")
    with pytest.raises(ZhenglingError, match="there are entity_f1"):
        found.find("???")
