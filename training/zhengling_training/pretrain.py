"""Masked-LM pretraining of the encoder on unlabelled text, resumable to the exact step.

Data order and masks are functions of the seed and the step alone, and nothing else is random
(no dropout, after Geiping & Goldstein 2022, "Cramming"), so that a killed run goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from zhengling.characters import CharacterVocabulary
from zhengling.errors import ZhenglingError
from zhengling_training.checkpoints import (
    Checkpoint,
    latest_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from zhengling_training.config import Section
from zhengling_training.corpus import PackedCorpus, pack
from zhengling_training.encoder_files import TOKENIZER, load_encoder, load_weights, save_encoder

LOG = logging.getLogger(__name__)


class EncoderSection(Section):
    """Where the encoder starts."""

    start: str
    layers: int | None = None


class CorpusSection(Section):
    """What it reads."""

    files: list[str]
    exclude: list[str] = []
    row_length: int = 256
    held_out_rows: int = 256


class MaskingSection(Section):
    """What it must guess: ``rate`` of the characters, in spans of 1 to ``len(span_weights)``."""

    rate: float = 0.2
    span_weights: list[float] = [0.4, 0.3, 0.15, 0.15]


class ScheduleSection(Section):
    """How it learns; ``batch_rows`` are rows in one optimizer step over all processes."""

    seed: int = 1
    steps: int
    batch_rows: int = 16
    accumulate: int = 1
    learning_rate: float = 5e-4
    warmup_steps: int = 100
    final_rate: float = 0.05
    weight_decay: float = 0.01
    precision: str = "no"
    checkpoint_minutes: float = 10.0
    evaluate_every: int = 500


class PretrainRecipe(Section):
    """A whole recipe, ``configs/pretrain.cfg``."""

    encoder: EncoderSection
    corpus: CorpusSection
    masking: MaskingSection = MaskingSection()
    schedule: ScheduleSection


@dataclass(frozen=True)
class MaskedBatch:
    """Rows with ``[CLS]`` and ``[SEP]``: ids as seen ``(rows, length + 2)``, the chosen flat positions, the truth."""

    seen: Tensor
    positions: Tensor
    truth: Tensor


class MaskedLanguageModel(nn.Module):
    """An encoder with BERT's output head, its matrix tied to the embeddings."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        size = encoder.config.hidden_size
        self.encoder = encoder
        self.transform = nn.Linear(size, size)
        self.norm = nn.LayerNorm(size)
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocab_size))
        nn.init.eye_(self.transform.weight)
        nn.init.zeros_(self.transform.bias)

    def forward(self, seen: Tensor, positions: Tensor) -> Tensor:
        """Logits over the vocabulary at the chosen positions, shape ``(chosen, vocabulary)``."""
        hidden = self.encoder(input_ids=seen).last_hidden_state.flatten(0, 1)[positions]
        hidden = self.norm(functional.gelu(self.transform(hidden)))
        table = self.encoder.embeddings.word_embeddings.weight
        return functional.linear(hidden, table, self.bias)


def choose_positions(
    shape: tuple[int, int], *, masking: MaskingSection, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose ``round(rate * length)`` positions of every row, in contiguous spans.

    Each row is tiled with spans of random length; spans are taken in random order until the
    count is reached, so every row has the same count (processes then weigh alike).
    """
    rows, length = shape
    wanted = round(masking.rate * length)
    lengths = random.choice(
        np.arange(1, len(masking.span_weights) + 1), size=shape, p=np.asarray(masking.span_weights)
    )
    ends = np.cumsum(lengths, axis=1)
    keys = np.take_along_axis(random.random(shape), _tiles(ends, length), axis=1)
    order = np.argsort(keys, axis=1, kind="stable")[:, :wanted]
    chosen = np.zeros(shape, bool)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen


def _tiles(ends: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """For each position the index of its span, given where spans end."""
    flags = np.zeros((len(ends), length + 1), np.int64)
    np.put_along_axis(flags, np.minimum(ends, length), 1, axis=1)
    return np.cumsum(flags[:, :length], axis=1)


def mask_rows(
    rows: NDArray[np.uint16],
    vocabulary: CharacterVocabulary,
    *,
    masking: MaskingSection,
    random: np.random.Generator,
) -> MaskedBatch:
    """Hide characters: 80% ``[MASK]``, 10% a random character, 10% themselves (Devlin et al. 2019)."""
    chosen = choose_positions((len(rows), rows.shape[1]), masking=masking, random=random)
    ids = rows.astype(np.int64)
    fate = random.random(ids.shape)
    first_character = vocabulary.ids[" "]
    noise = random.integers(first_character, len(vocabulary), ids.shape)
    seen = np.where(chosen & (fate < 0.8), vocabulary.id_of("[MASK]"), ids)
    seen = np.where(chosen & (fate >= 0.9), noise, seen)
    edge = np.ones((len(rows), 1), np.int64)
    framed = np.concatenate(
        [edge * vocabulary.id_of("[CLS]"), seen, edge * vocabulary.id_of("[SEP]")], axis=1
    )
    around = np.pad(chosen, ((0, 0), (1, 1)))
    return MaskedBatch(
        seen=torch.from_numpy(framed),
        positions=torch.from_numpy(np.flatnonzero(around)),
        truth=torch.from_numpy(ids[chosen]),
    )


def batch_indices(count: int, *, step: int, batch_rows: int, seed: int) -> NDArray[np.int64]:
    """Row numbers of one step: each pass over the corpus is a fresh permutation."""
    per_pass = count // batch_rows
    round_, position = divmod(step, per_pass)
    order = np.random.default_rng([seed, round_]).permutation(count)
    return order[position * batch_rows : (position + 1) * batch_rows]


def learning_rate_at(step: int, schedule: ScheduleSection) -> float:
    """Linear warm-up, then a cosine to ``final_rate`` of the peak."""
    if step < schedule.warmup_steps:
        return schedule.learning_rate * (step + 1) / schedule.warmup_steps
    done = (step - schedule.warmup_steps) / max(1, schedule.steps - schedule.warmup_steps)
    factor = schedule.final_rate + (1 - schedule.final_rate) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return schedule.learning_rate * factor


def held_out_score(
    model: nn.Module, corpus: PackedCorpus, vocabulary: CharacterVocabulary, *, recipe: PretrainRecipe
) -> tuple[float, float]:
    """Mean cross-entropy (nats) and accuracy on the held-out rows, always with the same masks."""
    random = np.random.default_rng(0)
    loss = hits = total = 0.0
    device = next(model.parameters()).device
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(corpus.held_out), recipe.schedule.batch_rows):
            rows = corpus.held_out[start : start + recipe.schedule.batch_rows]
            batch = mask_rows(rows, vocabulary, masking=recipe.masking, random=random)
            logits = model(batch.seen.to(device), batch.positions.to(device)).float().cpu()
            loss += functional.cross_entropy(logits, batch.truth, reduction="sum").item()
            hits += (logits.argmax(-1) == batch.truth).sum().item()
            total += len(batch.truth)
    model.train()
    return loss / total, hits / total


def fingerprint(recipe: PretrainRecipe) -> str:
    """A hash of all that decides the data order and the model's shape."""
    text = json.dumps(recipe.model_dump(), sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def pretrain(recipe: PretrainRecipe, output: Path) -> dict[str, Any]:
    """Run or resume pretraining; the encoder is written to ``output/encoder``.

    Args:
        recipe: what to do.
        output: the run's folder: checkpoints, ``log.jsonl``, the encoder.

    Returns:
        The record of the run: held-out curve, characters seen, seconds.

    Raises:
        ZhenglingError: bad corpus, or a checkpoint of another recipe, architecture or vocabulary.
    """
    accelerator = Accelerator(mixed_precision=recipe.schedule.precision)
    start = Path(recipe.encoder.start)
    vocabulary = CharacterVocabulary.from_tokenizer(start / TOKENIZER)
    model = MaskedLanguageModel(load_encoder(start, layers=recipe.encoder.layers))
    corpus = pack(
        [Path(name) for name in recipe.corpus.files],
        vocabulary,
        length=recipe.corpus.row_length,
        held_out_rows=recipe.corpus.held_out_rows,
        exclude=[Path(name) for name in recipe.corpus.exclude],
    )
    optimizer = _optimizer(model, recipe.schedule)
    checkpoint = latest_checkpoint(output)
    step, record = (
        0,
        {"recipe": fingerprint(recipe), "curve": [], "seconds": 0.0, "excluded": corpus.excluded},
    )
    if checkpoint is not None:
        if checkpoint.record["recipe"] != record["recipe"]:
            raise ZhenglingError(f"{output}: holds checkpoints of another recipe; choose another folder")
        step, record = checkpoint.step, checkpoint.record
        load_weights(model, checkpoint.model, place=output)
    trained, prepared = accelerator.prepare(model, optimizer)
    if checkpoint is not None:
        restore_optimizer(optimizer, checkpoint.optimizer)

    began = saved = time.monotonic()
    seen_before, elapsed_before = step, record["seconds"]
    while step < recipe.schedule.steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate_at(step, recipe.schedule)
        loss = _step(trained, prepared, accelerator, corpus, vocabulary, recipe, step)
        step += 1
        record["seconds"] = elapsed_before + time.monotonic() - began
        if step % 20 == 0 and accelerator.is_main_process:
            speed = (step - seen_before) * _characters(recipe) / (time.monotonic() - began)
            LOG.info("step %d  loss %.3f  %.0f characters/s", step, loss, speed)
        last = step == recipe.schedule.steps
        if step % recipe.schedule.evaluate_every == 0 or last:
            held, accuracy = held_out_score(model, corpus, vocabulary, recipe=recipe)
            point = {
                "step": step,
                "characters": step * _characters(recipe),
                "loss": held,
                "accuracy": accuracy,
            }
            record["curve"].append(point | {"seconds": record["seconds"]})
            LOG.info(
                "held out: loss %.3f  accuracy %.3f  after %d characters", held, accuracy, point["characters"]
            )
        due = time.monotonic() - saved > 60 * recipe.schedule.checkpoint_minutes
        if (due or last) and accelerator.is_main_process:
            state = Checkpoint(step, model.state_dict(), optimizer_tensors(optimizer), record)
            save_checkpoint(output, state)
            save_encoder(model.encoder, output / "encoder", tokenizer=start / TOKENIZER)
            saved = time.monotonic()
    return record


def _step(
    model: nn.Module,
    optimizer: Any,
    accelerator: Accelerator,
    corpus: PackedCorpus,
    vocabulary: CharacterVocabulary,
    recipe: PretrainRecipe,
    step: int,
) -> float:
    """One optimizer step; each process takes its share of the same rows and masks."""
    schedule = recipe.schedule
    indices = batch_indices(len(corpus.train), step=step, batch_rows=schedule.batch_rows, seed=schedule.seed)
    parts = np.array_split(indices, accelerator.num_processes * schedule.accumulate)
    mine = parts[accelerator.process_index :: accelerator.num_processes]
    total = 0.0
    for number, part in enumerate(mine):
        place = number * accelerator.num_processes + accelerator.process_index
        random = np.random.default_rng([schedule.seed, step, place])
        batch = mask_rows(corpus.train[part], vocabulary, masking=recipe.masking, random=random)
        logits = model(batch.seen.to(accelerator.device), batch.positions.to(accelerator.device))
        loss = functional.cross_entropy(logits.float(), batch.truth.to(accelerator.device)) / len(mine)
        accelerator.backward(loss)
        total += loss.item()
    accelerator.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    return total


def _optimizer(model: nn.Module, schedule: ScheduleSection) -> torch.optim.Optimizer:
    """AdamW, weight decay on matrices only."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": schedule.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=schedule.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


def _characters(recipe: PretrainRecipe) -> int:
    return recipe.schedule.batch_rows * recipe.corpus.row_length
