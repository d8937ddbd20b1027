"""Checkpoints of a training run: safetensors and JSON, written whole, the newest few kept."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from zhengling.errors import ZhenglingError
from zhengling.files import atomic_folder

PREFIX = "step-"


@dataclass(frozen=True)
class Checkpoint:
    """What a run needs to go on exactly where it was.

    Attributes:
        step: optimizer steps done.
        model: parameters by name.
        optimizer: optimizer state tensors, ``"<parameter index>/<name>"``.
        record: anything JSON: the recipe's fingerprint, logged curves.
    """

    step: int
    model: dict[str, torch.Tensor]
    optimizer: dict[str, torch.Tensor]
    record: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, keep: int = 2) -> Path:
    """Write ``folder/step-<n>`` and remove all but the ``keep`` newest checkpoints.

    Raises:
        OSError: the disk is full or the folder can't be written; earlier checkpoints stay.
    """
    target = folder / f"{PREFIX}{checkpoint.step:08d}"
    with atomic_folder(target) as temporary:
        save_file(_contiguous(checkpoint.model), temporary / "model.safetensors")
        save_file(_contiguous(checkpoint.optimizer), temporary / "optimizer.safetensors")
        state = {"step": checkpoint.step, "record": checkpoint.record}
        (temporary / "state.json").write_text(json.dumps(state), encoding="utf-8")
    for old in _complete(folder)[:-keep]:
        shutil.rmtree(old)
    return target


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest complete checkpoint, or None.

    Raises:
        ZhenglingError: a checkpoint is there but can't be read.
    """
    found = _complete(folder)
    if not found:
        return None
    path = found[-1]
    try:
        state = json.loads((path / "state.json").read_text(encoding="utf-8"))
        return Checkpoint(
            step=state["step"],
            model=load_file(path / "model.safetensors"),
            optimizer=load_file(path / "optimizer.safetensors"),
            record=state["record"],
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise ZhenglingError(
            f"{path}: damaged checkpoint ({error}); remove the folder to go on from the one before"
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Flatten an optimizer's state to named tensors."""
    state = optimizer.state_dict()["state"]
    return {f"{index}/{name}": value for index, entry in state.items() for name, value in entry.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put tensors of ``optimizer_tensors`` back."""
    whole = optimizer.state_dict()
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split("/", 1)
        state.setdefault(int(index), {})[name] = value
    whole["state"] = state
    optimizer.load_state_dict(whole)


def _complete(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first; temporary folders start with a dot and don't match."""
    return sorted(path for path in folder.glob(f"{PREFIX}*") if (path / "state.json").exists())


def _contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
