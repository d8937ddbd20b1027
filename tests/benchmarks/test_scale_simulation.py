"""The simulated cluster: nothing gets lost, and known jobs take what they have to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scale_simulation import (
    Cluster,
    Parts,
    Plan,
    Service,
    durations,
    make_parts,
    sample_lengths,
    simulate,
    work,
)

TIMES = st.lists(st.floats(0.01, 100), min_size=1, max_size=60).map(np.array)
LENGTHS = st.lists(st.integers(1, 5000), min_size=1, max_size=80).map(np.array)
PLANS = st.builds(
    Plan,
    documents=st.none(),
    characters=st.integers(1, 3000),
    longest_first=st.booleans(),
    split=st.none() | st.integers(1, 2000),
) | st.builds(Plan, documents=st.integers(1, 30), longest_first=st.booleans())


@given(LENGTHS, PLANS)
def test_every_character_is_in_one_part(lengths: np.ndarray, plan: Plan) -> None:
    parts = make_parts(lengths, plan)

    assert parts.characters.sum() == lengths.sum()
    assert parts.documents.min() > 0
    if plan.split is None:
        assert parts.documents.sum() == len(lengths)
    if plan.longest_first:
        assert (np.diff(parts.characters) <= 0).all()


@given(LENGTHS, st.integers(1, 3000), st.integers(1, 3000))
def test_parts_by_characters_are_of_like_size(lengths: np.ndarray, size: int, split: int) -> None:
    whole = make_parts(lengths, Plan(characters=size))
    cut = make_parts(lengths, Plan(characters=size, split=split))

    together = whole.characters[whole.documents > 1]
    assert (together < 2 * size).all()
    assert cut.characters.max() < max(2 * size, split + 1)


def test_pieces_of_a_long_document() -> None:
    parts = make_parts(np.array([10, 25, 20]), Plan(documents=1, split=10))

    assert parts.characters.tolist() == [10, 10, 10, 5, 10, 10]


@pytest.mark.parametrize("plan", [Plan(), Plan(documents=1, characters=1)])
def test_a_plan_says_one_size(plan: Plan) -> None:
    with pytest.raises(ValueError, match="either documents or characters"):
        make_parts(np.array([1]), plan)


@given(TIMES, st.floats(0, 10))
def test_one_worker_takes_the_sum(seconds: np.ndarray, load: float) -> None:
    run = simulate(seconds, Cluster(1), load=load)

    assert run.makespan == pytest.approx(load + seconds.sum())
    assert run.busy == pytest.approx(seconds.sum())
    assert (run.lost, run.retries, run.tail) == (0, 0, 0)


@given(TIMES, st.integers(1, 20), st.floats(0, 10))
def test_makespan_lies_within_graham_s_bounds(seconds: np.ndarray, workers: int, load: float) -> None:
    run = simulate(seconds, Cluster(workers), load=load)

    mean = seconds.sum() / workers
    assert run.busy == pytest.approx(seconds.sum())
    assert run.makespan >= load + max(mean, seconds.max()) - 1e-6
    assert run.makespan <= load + mean + seconds.max() * (1 - 1 / workers) + 1e-6


@given(TIMES, st.integers(1, 20))
def test_another_worker_never_makes_it_later(seconds: np.ndarray, workers: int) -> None:
    fewer, more = (simulate(seconds, Cluster(count), load=1).makespan for count in (workers, workers + 1))

    assert more <= fewer + 1e-6


@given(TIMES, st.integers(1, 5), st.integers(0, 2**32))
def test_failures_cost_and_lose_no_part(seconds: np.ndarray, workers: int, seed: int) -> None:
    cluster = Cluster(workers, failures=60, replacement=5)
    run = simulate(seconds, cluster, load=1, seed=seed)

    assert run.busy == pytest.approx(seconds.sum())
    assert (run.lost > 0) == (run.retries > 0)
    assert run.makespan * workers >= run.busy + run.lost
    if workers == 1:
        assert run.makespan == pytest.approx(1 + run.busy + run.lost + 6 * run.retries)


def test_failures_come_at_their_rate() -> None:
    run = simulate(np.full(20_000, 36.0), Cluster(10, failures=1), load=0)

    hours = (run.busy + run.lost) / 3600
    assert run.retries / hours == pytest.approx(1, abs=0.25)
    assert run.lost / run.retries == pytest.approx(18, rel=0.2)


@given(TIMES, st.integers(1, 20), st.floats(0, 1), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_run(
    seconds: np.ndarray, workers: int, spread: float, seed: int
) -> None:
    cluster = Cluster(workers, failures=60, spread=spread)
    first, second = (simulate(seconds, cluster, load=1, seed=seed) for _ in range(2))

    assert first.makespan == second.makespan
    assert (first.busy, first.lost, first.retries) == (second.busy, second.lost, second.retries)
    assert (first.last == second.last).all()


@given(TIMES, st.integers(1, 20), st.floats(0, 1), st.integers(0, 2**32))
def test_no_job_is_more_than_efficient(seconds: np.ndarray, workers: int, spread: float, seed: int) -> None:
    run = simulate(seconds, Cluster(workers, spread=spread), load=0, seed=seed)

    assert run.efficiency(seconds.sum()) <= 1 + 1e-9
    assert 0 <= run.tail < 1


def test_seconds_of_parts() -> None:
    service = Service(load=9, document=0.5, character=0.001, part=2, row=0.25)
    parts = Parts(np.array([2, 1]), np.array([1000, 4000]))

    assert work(parts, service).tolist() == [2.5, 4.75]
    assert durations(parts, service, commit=1).tolist() == [5.5, 7.75]


def test_lengths_are_the_measured_ones_and_long_ones() -> None:
    drawn = sample_lengths([5, 7], 50_000, long_share=0.1, longest=10_000, seed=3)

    long = drawn[drawn > 7]
    assert set(drawn[drawn <= 7].tolist()) == {5, 7}
    assert len(long) / len(drawn) == pytest.approx(0.1, abs=0.01)
    assert 100 <= long.min() <= long.max() <= 10_000
    assert np.median(long) == pytest.approx(1000, rel=0.1)
    assert (drawn == sample_lengths([5, 7], 50_000, long_share=0.1, longest=10_000, seed=3)).all()
