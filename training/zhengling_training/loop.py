"""The one training loop: steps that are functions of their number, checkpoints, exact resume.

A step's batch, masks and dropout follow from the seed and the step's number alone, so a killed run goes
on as if it had not been. Processes share each step's batch through accelerate.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from torch import Tensor, nn
from tqdm import tqdm

from zhengling.errors import ZhenglingError
from zhengling_training.checkpoints import (
    Checkpoint,
    latest_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from zhengling_training.config import CommonSchedule, Section
from zhengling_training.encoder_files import load_weights

LOG = logging.getLogger(__name__)
BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


@dataclass(frozen=True)
class Share:
    """Which part of which step's batch a process computes.

    Attributes:
        step: number of the optimizer step, from 0.
        place: number of the part.
        places: parts of the batch, processes times accumulation.
    """

    step: int
    place: int
    places: int


@dataclass(frozen=True)
class LoopSettings:
    """How long and how often.

    Attributes:
        steps: optimizer steps in all.
        seed: of dropout.
        rate_at: factor of the learning rates at a step.
        accumulate: parts that one process computes for one step.
        precision: ``bf16`` computes in it where torch's autocast holds that safe; ``no`` in fp32 throughout;
            ``auto`` is ``bf16`` where the device has instructions for it; others are slow in it.
        checkpoint_minutes: time between checkpoints.
        observe_every: steps between observations; one is made at the end in any case.
    """

    steps: int
    seed: int
    rate_at: Callable[[int], float]
    accumulate: int = 1
    precision: str = "no"
    checkpoint_minutes: float = 10.0
    observe_every: int = 1000


def process_state() -> PartialState:
    """This process among those that torchrun or ``accelerate launch`` started, alone without them.

    To be asked before accelerate asks itself: where there is no GPU, it takes each process for the only one
    unless told that they share a CPU.
    """
    return PartialState(cpu=not torch.accelerator.is_available())


def loop_settings(schedule: CommonSchedule, *, steps: int, warmup: int, observe_every: int) -> LoopSettings:
    """Settings of a run by a recipe's schedule: linear warm-up over ``warmup`` steps, then a cosine down."""
    return LoopSettings(
        steps=steps,
        seed=schedule.seed,
        rate_at=lambda step: cosine_rate(step, steps=steps, warmup=warmup, final=schedule.final_rate),
        accumulate=schedule.accumulate,
        precision=schedule.precision,
        checkpoint_minutes=schedule.checkpoint_minutes,
        observe_every=observe_every,
    )


def run_loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    settings: LoopSettings,
    loss_of: Callable[[nn.Module, Share, torch.device], Tensor],
    observe: Callable[[nn.Module, int], dict[str, Any]],
    output: Path,
    recipe_hash: str,
) -> dict[str, Any]:
    """Train, or go on training.

    Args:
        model: what is trained, in place.
        optimizer: its groups' ``lr`` are the peaks of the learning rates.
        settings: how long and how often.
        loss_of: the loss of a share, given the (wrapped) model.
        observe: measures the model; its numbers are kept in the record.
        output: folder of checkpoints.
        recipe_hash: a checkpoint of another recipe is refused.

    Returns:
        The record: ``curve`` (observations by step), ``seconds``, ``recipe``.

    Raises:
        ZhenglingError: the folder holds a checkpoint of another recipe or a damaged one.
    """
    process_state()
    accelerator = Accelerator()
    peaks = [group["lr"] for group in optimizer.param_groups]
    step, record = _resume(model, optimizer, output, recipe_hash)
    wrapped, stepper = accelerator.prepare(model, optimizer)
    began = saved = time.monotonic()
    before = record["seconds"]
    wrapped.train()
    with tqdm(total=settings.steps, initial=step, unit="step", disable=None) as bar:
        while step < settings.steps:
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * settings.rate_at(step)
            loss = _step(wrapped, stepper, accelerator, settings, loss_of, step)
            step += 1
            record["seconds"] = before + time.monotonic() - began
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}")
            if step % 50 == 0:
                LOG.info("step %d of %d  loss %.3f  %.0f s", step, settings.steps, loss, record["seconds"])
            last = step == settings.steps
            if accelerator.is_main_process and (step % settings.observe_every == 0 or last):
                seen = {"step": step, "seconds": record["seconds"], "loss": loss} | observe(model, step)
                record["curve"].append(seen)
                LOG.info("%s", json.dumps(seen))
                wrapped.train()
            if accelerator.is_main_process and (
                last or time.monotonic() - saved > 60 * settings.checkpoint_minutes
            ):
                state = Checkpoint(step, model.state_dict(), optimizer_tensors(optimizer), record)
                save_checkpoint(output, state)
                saved = time.monotonic()
    return record


def _resume(
    model: nn.Module, optimizer: torch.optim.Optimizer, output: Path, recipe_hash: str
) -> tuple[int, dict[str, Any]]:
    checkpoint = latest_checkpoint(output)
    if checkpoint is None:
        return 0, {"recipe": recipe_hash, "curve": [], "seconds": 0.0}
    if checkpoint.record["recipe"] != recipe_hash:
        raise ZhenglingError(f"{output}: holds checkpoints of another recipe; choose another folder")
    load_weights(model, checkpoint.model, place=output)
    restore_optimizer(optimizer, checkpoint.optimizer)
    return checkpoint.step, checkpoint.record


def _step(
    model: nn.Module,
    optimizer: Any,
    accelerator: Accelerator,
    settings: LoopSettings,
    loss_of: Callable[[nn.Module, Share, torch.device], Tensor],
    step: int,
) -> float:
    """One optimizer step over this process's shares; returns its mean loss."""
    places = accelerator.num_processes * settings.accumulate
    in_bf16 = computes_in_bf16(settings.precision, accelerator.device)
    total = 0.0
    for place in range(accelerator.process_index, places, accelerator.num_processes):
        torch.manual_seed(hash((settings.seed, step, place)) % 2**63)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=in_bf16):
            loss = loss_of(model, Share(step, place, places), accelerator.device) / settings.accumulate
        accelerator.backward(loss)
        total += loss.item()
    accelerator.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return total


def computes_in_bf16(precision: str, device: torch.device) -> bool:
    """Whether products are computed in bf16, see ``LoopSettings``."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cpu":
        return any(torch.cpu.get_capabilities().get(name) for name in BF16_INSTRUCTIONS)
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def adamw(groups: list[tuple[nn.Module, float]], *, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019), a learning rate for each module, weight decay on matrices only.

    A module whose rate is 0 stays as it is and gets no gradients, which are about half of what a step costs.
    """
    for module, rate in groups:
        if not rate:
            module.requires_grad_(False)
    parameters = [
        {
            "params": [p for p in module.parameters() if (p.ndim >= 2) == matrices],
            "weight_decay": weight_decay if matrices else 0.0,
            "lr": rate,
        }
        for module, rate in groups
        for matrices in (True, False)
    ]
    return torch.optim.AdamW(parameters, betas=(0.9, 0.98), eps=1e-6, fused=True)


def cosine_rate(step: int, *, steps: int, warmup: int, final: float) -> float:
    """Linear warm-up to 1, then a cosine down to ``final``."""
    if step < warmup:
        return (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, steps - warmup))
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))


def restarting_rate(step: int, *, first: int, warmup: int, cycle: int, peak: float, final: float) -> float:
    """``cosine_rate`` over ``first`` steps, then cosines from ``peak`` to ``final``, ``cycle`` steps each.

    Source: Loshchilov & Hutter 2017, "SGDR".
    """
    if step < first:
        return cosine_rate(step, steps=first, warmup=warmup, final=final)
    done = (step - first) % cycle / cycle
    return final + (peak - final) * 0.5 * (1 + math.cos(math.pi * done))


def recipe_hash(recipe: Section) -> str:
    """A hash of all that a recipe decides."""
    text = json.dumps(recipe.model_dump(), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
