from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from zhengling.errors import ZhenglingError
from zhengling_training.averaging import load_cycles, mean_of, save_cycle


def test_the_mean_is_taken_of_each_parameter() -> None:
    states = [
        {"a": torch.tensor([1.0, 2.0]), "b": torch.zeros(2, 2)},
        {"a": torch.tensor([3.0, 6.0]), "b": torch.ones(2, 2)},
    ]
    mean = mean_of(states)
    assert mean["a"].tolist() == [2.0, 4.0]
    assert mean["b"].tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_cycles_come_back_as_they_were_saved(tmp_path: Path) -> None:
    layers = [nn.Linear(3, 2), nn.Linear(3, 2)]
    for cycle, layer in enumerate(layers):
        save_cycle(layer, tmp_path / "run", cycle=cycle)
    found = load_cycles(tmp_path / "run", cycles=2)
    for layer, state in zip(layers, found, strict=True):
        assert torch.equal(state["weight"], layer.weight)
        assert torch.equal(state["bias"], layer.bias)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_a_missing_or_damaged_cycle_is_named(tmp_path: Path, damage: str) -> None:
    save_cycle(nn.Linear(3, 2), tmp_path, cycle=0)
    if damage == "cut":
        path = tmp_path / "cycle-0.safetensors"
        path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ZhenglingError, match="weights of a cycle are missing or damaged"):
        load_cycles(tmp_path, cycles=2 if damage == "missing" else 1)
