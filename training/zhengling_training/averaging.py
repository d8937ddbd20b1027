"""The mean of weights that one run passed through, or that several runs ended with.

The mean of points of a flat valley lies deeper in it than they do: weight averaging at the ends of
learning-rate cycles (Izmailov et al. 2018), model soups (Wortsman et al. 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from zhengling.errors import ZhenglingError
from zhengling.files import atomic_file

State = dict[str, torch.Tensor]


def mean_of(states: Sequence[State]) -> State:
    """The mean of each parameter; all states have the same names and shapes."""
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


def save_cycle(model: torch.nn.Module, folder: Path, *, cycle: int) -> None:
    """Keep the weights that a cycle ended with."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
    with atomic_file(_path(folder, cycle)) as temporary:
        save_file(state, temporary)


def load_cycles(folder: Path, *, cycles: int) -> list[State]:
    """The weights of all cycles.

    Raises:
        ZhenglingError: a cycle's file is missing or damaged.
    """
    try:
        return [load_file(_path(folder, cycle)) for cycle in range(cycles)]
    except (OSError, SafetensorError) as error:
        raise ZhenglingError(
            f"{folder}: weights of a cycle are missing or damaged ({error}); train again in another folder"
        ) from error


def _path(folder: Path, cycle: int) -> Path:
    return folder / f"cycle-{cycle}.safetensors"
