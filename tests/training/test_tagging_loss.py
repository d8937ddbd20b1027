from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zhengling.decoding import spans_of_tags, tag_numbers
from zhengling_training.data import IGNORED
from zhengling_training.tagging_loss import character_loss, path_loss


def valid_paths(length: int, labels: int) -> list[tuple[int, ...]]:
    """All paths that are the tags of some set of spans."""
    paths = []
    for path in product(range(1 + 4 * labels), repeat=length):
        spans = list(spans_of_tags(np.array(path)))
        if all(start >= 0 for start, _, _ in spans) and tuple(tag_numbers(spans, length)) == path:
            paths.append(path)
    return paths


PATHS = {(length, labels): valid_paths(length, labels) for length in (1, 2, 3, 4) for labels in (1, 2)}


def slow_loss(emissions: torch.Tensor, path: tuple[int, ...], paths: list[tuple[int, ...]]) -> float:
    scores = [sum(float(emissions[at, tag]) for at, tag in enumerate(p)) for p in paths]
    total = float(np.logaddexp.reduce(scores))
    return total - sum(float(emissions[at, tag]) for at, tag in enumerate(path))


@settings(deadline=None)
@given(st.sampled_from(sorted(PATHS)), st.integers(0, 999), st.data())
def test_the_loss_is_that_of_the_gold_path_among_all_valid_ones(
    shape: tuple[int, int], seed: int, data: st.DataObject
) -> None:
    length, labels = shape
    paths = PATHS[shape]
    path = data.draw(st.sampled_from(paths))
    generator = torch.Generator().manual_seed(seed)
    emissions = 3 * torch.randn(1, length, 1 + 4 * labels, generator=generator)
    found = path_loss(emissions, torch.tensor([path]))
    assert found.item() * length == pytest.approx(slow_loss(emissions[0], path, paths), abs=1e-4)


def test_unknown_tags_change_nothing() -> None:
    emissions = torch.randn(1, 3, 9)
    framed = torch.cat([torch.randn(1, 2, 9), emissions, torch.randn(1, 4, 9)], dim=1)
    tags = torch.tensor([[1, 2, 3]])
    unknown = torch.full((1, 9), IGNORED)
    unknown[:, 2:5] = tags
    for loss in (path_loss, character_loss):
        assert loss(framed, unknown).item() == pytest.approx(loss(emissions, tags).item(), abs=1e-6)
        assert loss(framed, torch.full((1, 9), IGNORED)).item() == 0.0


def test_gradients_are_finite_and_reach_every_known_character() -> None:
    emissions = torch.randn(2, 6, 9, requires_grad=True)
    tags = torch.tensor([[0, 1, 2, 3, 0, 8], [IGNORED, 5, 7, 0, IGNORED, IGNORED]])
    path_loss(emissions, tags).backward()
    assert emissions.grad is not None
    assert emissions.grad.isfinite().all()
    assert ((emissions.grad != 0).any(-1) == (tags != IGNORED)).all()


def test_learning_by_it_makes_the_gold_path_certain() -> None:
    emissions = torch.zeros(1, 5, 9, requires_grad=True)
    tags = torch.tensor([[0, 1, 3, 8, 0]])
    optimizer = torch.optim.Adam([emissions], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        path_loss(emissions, tags).backward()
        optimizer.step()
    assert path_loss(emissions, tags).item() < 0.01
