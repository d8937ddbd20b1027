from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from zhengling.errors import ZhenglingError
from zhengling_training.checkpoints import (
    Checkpoint,
    latest_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)

# Forks children that write checkpoints without end, and kills each at a random moment, six times.
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from zhengling_training.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint

folder, done = Path(sys.argv[1]), 0
for _ in range(6):
    child = os.fork()
    if child == 0:
        while True:
            done += 1
            tensors = {"value": torch.full((200_000,), float(done))}
            save_checkpoint(folder, Checkpoint(done, tensors, tensors, {"step": done}))
    time.sleep(random.uniform(0.1, 0.4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found = latest_checkpoint(folder)
    assert found is not None and found.step > done, (found, done)
    assert found.record == {"step": found.step}
    for tensors in (found.model, found.optimizer):
        assert tensors["value"].eq(found.step).all() and tensors["value"].numel() == 200_000
    done = found.step
print(done)
"""


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(
        step,
        {"weight": torch.full((2, 3), float(step)), "half": torch.ones(4, dtype=torch.float16)},
        {"0/exp_avg": torch.arange(3.0) + step},
        {"recipe": "abc", "curve": [{"step": step, "loss": 0.25}]},
    )


def trained(model: nn.Module, *, steps: int, seed: int) -> torch.optim.Optimizer:
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for step in range(steps):
        torch.manual_seed(seed + step)
        _step(model, optimizer)
    return optimizer


def _step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.randn(5, 3)).square().sum().backward()
    optimizer.step()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert save_checkpoint(tmp_path / "run", checkpoint(7)) == tmp_path / "run" / "step-00000007"
    found, wanted = latest_checkpoint(tmp_path / "run"), checkpoint(7)
    assert found is not None
    assert (found.step, found.record) == (wanted.step, wanted.record)
    for mine, theirs in ((found.model, wanted.model), (found.optimizer, wanted.optimizer)):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine)
        assert all(mine[name].dtype == theirs[name].dtype for name in mine)


def test_shared_and_strided_tensors_are_written(tmp_path: Path) -> None:
    table = torch.arange(12.0).reshape(3, 4)
    save_checkpoint(tmp_path, Checkpoint(1, {"a": table, "b": table, "c": table.T}, {}, {}))
    found = latest_checkpoint(tmp_path)
    assert found is not None
    assert torch.equal(found.model["b"], table)
    assert torch.equal(found.model["c"], table.T)


@pytest.mark.parametrize("there", [True, False])
def test_nothing_there_is_none(tmp_path: Path, there: bool) -> None:
    assert latest_checkpoint(tmp_path if there else tmp_path / "none") is None


def test_the_newest_few_are_kept_and_the_last_is_read(tmp_path: Path) -> None:
    for step in (9, 10, 99, 100, 101):
        save_checkpoint(tmp_path, checkpoint(step), keep=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"step-{n:08d}" for n in (99, 100, 101)]
    found = latest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 101


def test_a_step_may_be_written_again(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(4))
    again = Checkpoint(4, {"weight": torch.zeros(1)}, {}, {"second": True})
    save_checkpoint(tmp_path, again)
    found = latest_checkpoint(tmp_path)
    assert found is not None
    assert found.record == {"second": True}
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000004"]


def test_a_write_that_fails_leaves_the_last_one_and_no_litter(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(1))
    with pytest.raises(TypeError):
        save_checkpoint(tmp_path, Checkpoint(2, {}, {}, {"not JSON": object()}))
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_a_killed_write_leaves_the_last_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 6


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors", "state.json"])
@pytest.mark.parametrize("left", [0, 5, -3])
def test_a_truncated_checkpoint_is_named(tmp_path: Path, name: str, left: int) -> None:
    save_checkpoint(tmp_path, checkpoint(1))
    path = save_checkpoint(tmp_path, checkpoint(2))
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[:left])
    with pytest.raises(ZhenglingError, match=r"step-00000002: damaged checkpoint .*remove the folder"):
        latest_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.safetensors"])
def test_a_checkpoint_without_a_file_is_named(tmp_path: Path, name: str) -> None:
    (save_checkpoint(tmp_path, checkpoint(2)) / name).unlink()
    with pytest.raises(ZhenglingError, match=r"step-00000002: damaged checkpoint"):
        latest_checkpoint(tmp_path)


def test_removing_a_damaged_checkpoint_goes_on_from_the_one_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(1))
    path = save_checkpoint(tmp_path, checkpoint(2))
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    found = latest_checkpoint(tmp_path)
    assert found is not None
    assert found.step == 1


def test_a_restored_optimizer_steps_as_the_first_would(tmp_path: Path) -> None:
    model = nn.Linear(3, 2)
    optimizer = trained(model, steps=3, seed=1)
    save_checkpoint(tmp_path, Checkpoint(3, model.state_dict(), optimizer_tensors(optimizer), {}))
    found = latest_checkpoint(tmp_path)
    assert found is not None
    twin = nn.Linear(3, 2)
    twin.load_state_dict(found.model)
    fresh = torch.optim.AdamW(twin.parameters(), lr=0.1)
    restore_optimizer(fresh, found.optimizer)
    for own, other in ((model, optimizer), (twin, fresh)):
        torch.manual_seed(9)
        _step(own, other)
    for name, value in model.state_dict().items():
        assert torch.equal(value, twin.state_dict()[name])
    assert optimizer_tensors(fresh).keys() == optimizer_tensors(optimizer).keys()


def test_the_tensors_of_an_optimizer_that_has_not_stepped_are_none() -> None:
    assert optimizer_tensors(torch.optim.AdamW(nn.Linear(3, 2).parameters())) == {}
