"""The training command under torchrun: processes share each step and learn what one alone would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tests.training.samples import CONFIGS, finetune_recipe

from zhengling_training.checkpoints import Checkpoint, latest_checkpoint
from zhengling_training.finetune import finetune

SMALL = {
    "data.corrections": [],
    "data.detached": [],
    "data.held_out": 0.3,
    "heads.size": 16,
    "windows.size": 60,
    "windows.overlap": 10,
    "windows.batch_characters": 240,
    "schedule.epochs": 2,
    "schedule.batch_windows": 4,
    "schedule.encoder_rate": 3e-4,
    "schedule.heads_rate": 1e-3,
    "schedule.precision": "no",
    "encoder.dropout": 0.0,
    "heads.dropout": 0.0,
}


def newest(folder: Path) -> Checkpoint:
    found = latest_checkpoint(folder)
    assert found is not None
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_two_processes_train_as_one_does(encoder: Path, bulletin_file: Path, tmp_path: Path) -> None:
    places = {
        "data.scheme": str(CONFIGS / "schemes" / "zh_bulletin.json"),
        "data.train": [str(bulletin_file)],
        "encoder.start": str(encoder),
    }
    values = [f"{key}={json.dumps(value)}" for key, value in (SMALL | places).items()]
    launch = ["torch.distributed.run", "--nproc_per_node=2", f"--master_port={free_port()}"]
    train = ["zhengling", "train", str(CONFIGS / "zh_bulletin_sm.cfg")]
    command = [sys.executable, "-m", *launch, "-m", *train, "--output", "model", "--run-folder", "shared"]
    command += [part for value in values for part in ("--set", value)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model" / "meta.json").exists()

    changes = {key.replace(".", "__"): value for key, value in SMALL.items()}
    recipe = finetune_recipe(encoder, bulletin_file, **changes, schedule__accumulate=2)
    finetune(recipe, run_folder=tmp_path / "alone", output=tmp_path / "other")
    shared, alone = newest(tmp_path / "shared"), newest(tmp_path / "alone")
    assert shared.step == alone.step > 0
    for mine, theirs in zip(shared.record["curve"], alone.record["curve"], strict=True):
        assert mine["function_accuracy"] == pytest.approx(theirs["function_accuracy"], abs=0.05)
    for name, value in alone.model.items():
        assert torch.allclose(value, shared.model[name], atol=1e-3), name
