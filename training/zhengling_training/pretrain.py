"""Masked-LM pretraining of the encoder on unlabelled text, resumable to the exact step.

Nothing is random but the order of rows and the masks (no dropout, after Geiping & Goldstein 2022,
"Cramming"); both follow from the seed and the step.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, field_validator
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from zhengling.characters import CharacterVocabulary
from zhengling.errors import ZhenglingError
from zhengling.files import read_json
from zhengling.manifest import check_replaceable
from zhengling_training.config import CommonSchedule, Count, Fraction, Section, Weight
from zhengling_training.corpus import PackedCorpus, pack
from zhengling_training.encoder_files import (
    MASKED_HEAD,
    TOKENIZER,
    load_encoder,
    load_vocabulary,
    load_weights,
    read_weights,
    save_encoder,
)
from zhengling_training.loop import Share, adamw, loop_settings, process_state, recipe_hash, run_loop

HISTORY = "pretraining.json"


class EncoderSection(Section):
    """Where the encoder starts."""

    start: str
    layers: int | None = None


class CorpusSection(Section):
    """What it reads."""

    files: list[str]
    exclude: list[str] = []
    row_length: Count = 256
    held_out_rows: Annotated[int, Field(ge=0)] = 256


class MaskingSection(Section):
    """What it must guess: ``rate`` of the characters, in spans of 1 to ``len(span_weights)``."""

    rate: Fraction = 0.2
    span_weights: Annotated[list[Weight], Field(min_length=1)] = [0.4, 0.3, 0.15, 0.15]

    @field_validator("span_weights")
    @classmethod
    def _not_all_zero(cls, weights: list[float]) -> list[float]:
        if not sum(weights):
            raise ValueError("all weights are 0")
        return weights


class ScheduleSection(CommonSchedule):
    """How it learns; ``batch_rows`` are rows in one optimizer step over all processes."""

    steps: Count
    batch_rows: Count = 16
    learning_rate: Weight = 5e-4
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    final_rate: Weight = 0.05
    evaluate_every: Count = 500


class PretrainRecipe(Section):
    """A whole recipe, ``configs/pretrain.cfg``."""

    encoder: EncoderSection
    corpus: CorpusSection
    masking: MaskingSection = MaskingSection()
    schedule: ScheduleSection


@dataclass(frozen=True)
class MaskedBatch:
    """Rows in which characters are hidden.

    Attributes:
        seen: ids with ``[CLS]`` and ``[SEP]``, shape ``(rows, length + 2)``.
        positions: hidden places in the flattened rows, shape ``(hidden,)``.
        truth: ids that were there, shape ``(hidden,)``.
    """

    seen: Tensor
    positions: Tensor
    truth: Tensor


class MaskedHead(nn.Module):
    """BERT's output head; its matrix is the embeddings', given when called."""

    def __init__(self, *, size: int, vocabulary: int) -> None:
        super().__init__()
        self.transform = nn.Linear(size, size)
        self.norm = nn.LayerNorm(size)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.eye_(self.transform.weight)
        nn.init.zeros_(self.transform.bias)

    def forward(self, hidden: Tensor, table: Tensor) -> Tensor:
        """Logits ``(chosen, vocabulary)`` of hidden states ``(chosen, size)``."""
        return functional.linear(self.norm(functional.gelu(self.transform(hidden))), table, self.bias)


class MaskedLanguageModel(nn.Module):
    """An encoder with the head that guesses hidden characters, tied to the embeddings."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = MaskedHead(size=encoder.config.hidden_size, vocabulary=encoder.config.vocab_size)

    def forward(self, seen: Tensor, positions: Tensor) -> Tensor:
        """Logits over the vocabulary at the chosen positions, shape ``(chosen, vocabulary)``."""
        hidden = self.encoder(input_ids=seen).last_hidden_state.flatten(0, 1)[positions]
        return self.head(hidden, self.encoder.embeddings.word_embeddings.weight)  # type: ignore[no-any-return]


def load_masked_model(folder: Path, *, layers: int | None) -> MaskedLanguageModel:
    """An encoder with the head that it was pretrained with, or with a fresh one where the folder has none.

    Raises:
        ZhenglingError: no encoder, or a head of another architecture or vocabulary.
    """
    model = MaskedLanguageModel(load_encoder(folder, layers=layers))
    path = folder / MASKED_HEAD
    if path.exists():
        load_weights(model.head, read_weights(path), place=path)
    return model


def choose_positions(
    shape: tuple[int, int], *, masking: MaskingSection, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose ``round(rate * length)`` positions of every row, in contiguous spans.

    Each row is tiled with spans of random length; spans are taken in random order until the
    count is reached, so every row has the same count (processes then weigh alike).
    """
    length = shape[1]
    wanted = round(masking.rate * length)
    weights = np.asarray(masking.span_weights)
    lengths = random.choice(np.arange(1, len(weights) + 1), size=shape, p=weights / weights.sum())
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


def pretrain(recipe: PretrainRecipe, output: Path) -> dict[str, Any]:
    """Run or resume pretraining; the encoder is written to ``output/encoder``.

    Args:
        recipe: what to do.
        output: the run's folder: checkpoints and the encoder.

    Returns:
        The record of the run: held-out curve, characters seen, seconds.

    Raises:
        ZhenglingError: bad corpus, or a checkpoint of another recipe, architecture or vocabulary.
    """
    check_replaceable(output / "encoder")
    start, schedule = Path(recipe.encoder.start), recipe.schedule
    vocabulary = load_vocabulary(start)
    model = load_masked_model(start, layers=recipe.encoder.layers)
    corpus = pack(
        [Path(name) for name in recipe.corpus.files],
        vocabulary,
        length=recipe.corpus.row_length,
        held_out_rows=recipe.corpus.held_out_rows,
        exclude=[Path(name) for name in recipe.corpus.exclude],
    )
    if len(corpus.train) < schedule.batch_rows:
        raise ZhenglingError(
            f"schedule.batch_rows is {schedule.batch_rows}, but the corpus has only {len(corpus.train)} rows"
        )
    settings = loop_settings(
        schedule,
        steps=schedule.steps,
        warmup=schedule.warmup_steps,
        observe_every=schedule.evaluate_every,
    )

    def save(*stages: dict[str, Any]) -> None:
        history = json.dumps([*read_history(start), *stages], ensure_ascii=False, indent=1) + "\n"
        save_encoder(
            model.encoder,
            output / "encoder",
            tokenizer=(start / TOKENIZER).read_bytes(),
            parts={MASKED_HEAD: model.head},
            texts={HISTORY: history},
        )

    def loss_of(wrapped: nn.Module, share: Share, device: torch.device) -> Tensor:
        batch = batch_at(corpus, vocabulary, recipe=recipe, share=share)
        logits = wrapped(batch.seen.to(device), batch.positions.to(device))
        return functional.cross_entropy(logits.float(), batch.truth.to(device))

    def observe(wrapped: nn.Module, step: int) -> dict[str, Any]:
        save()
        seen = {"characters": step * schedule.batch_rows * recipe.corpus.row_length}
        if not len(corpus.held_out):
            return seen
        loss, accuracy = held_out_score(wrapped, corpus, vocabulary, recipe=recipe)
        return seen | {"held_out_loss": loss, "held_out_accuracy": accuracy}

    record = run_loop(
        model,
        adamw([(model, schedule.learning_rate)], weight_decay=schedule.weight_decay),
        settings=settings,
        loss_of=loss_of,
        observe=observe,
        output=output,
        recipe_hash=recipe_hash(recipe),
    )
    if process_state().is_main_process:
        save({"recipe": recipe.model_dump(), "curve": record["curve"], "seconds": record["seconds"]})
    return record


def read_history(encoder: Path) -> list[dict[str, Any]]:
    """The pretraining that an encoder has had, stage by stage: ``recipe``, ``curve``, ``seconds`` of each.

    Raises:
        ZhenglingError: the file is there and can't be read.
    """
    path = encoder / HISTORY
    stages: list[dict[str, Any]] = read_json(path) if path.exists() else []
    return stages


def carried_over(encoder: Path) -> tuple[dict[str, nn.Module], dict[str, str]]:
    """What pretraining left in an encoder's folder, for those who train it further: its head and its history.

    Returns:
        Modules and texts by path in the folder (see ``save_encoder``), empty where there was none.
    """
    parts: dict[str, nn.Module] = {}
    texts: dict[str, str] = {}
    if (encoder / MASKED_HEAD).exists():
        parts[MASKED_HEAD] = load_masked_model(encoder, layers=None).head
    if (encoder / HISTORY).exists():
        texts[HISTORY] = (encoder / HISTORY).read_text(encoding="utf-8")
    return parts, texts


def batch_at(
    corpus: PackedCorpus, vocabulary: CharacterVocabulary, *, recipe: PretrainRecipe, share: Share
) -> MaskedBatch:
    """The rows and masks of one share of one step."""
    schedule = recipe.schedule
    indices = batch_indices(
        len(corpus.train), step=share.step, batch_rows=schedule.batch_rows, seed=schedule.seed
    )
    mine = np.array_split(indices, share.places)[share.place]
    random = np.random.default_rng([schedule.seed, share.step, share.place])
    return mask_rows(corpus.train[mine], vocabulary, masking=recipe.masking, random=random)
