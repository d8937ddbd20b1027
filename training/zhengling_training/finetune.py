"""Fine-tuning: annotated bulletins in, a spaCy pipeline out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from pydantic import Field, model_validator
from spacy.language import Language
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertModel

from zhengling import __version__
from zhengling.characters import CharacterVocabulary
from zhengling.components import bulletin_of
from zhengling.encoder import BulletinEncoder, OnnxBackend, WindowSettings
from zhengling.errors import ZhenglingError
from zhengling.manifest import check_replaceable
from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.augment import AugmentSection, augment, hide, mentions
from zhengling_training.averaging import State, load_cycles, mean_of, save_cycle
from zhengling_training.calibrate import CalibrationSection, calibrate
from zhengling_training.checkpoints import Checkpoint, latest_checkpoint
from zhengling_training.config import CommonSchedule, Count, Fraction, Section, Weight
from zhengling_training.convolution import ConvolutionConfig, ConvolutionEncoder, start_convolution
from zhengling_training.data import Batch, collate, load_bulletins, make_dataset, plan_epoch, split_held_out
from zhengling_training.distill import DistillSection, Lesson, lesson_loss, lessons_of, plan_lessons
from zhengling_training.encoder_files import load_weights
from zhengling_training.encoders import OpenedEncoder, open_encoder
from zhengling_training.evaluation.metrics import score
from zhengling_training.export import (
    build_pipeline,
    numpy_heads,
    save_pipeline,
    to_onnx,
    torch_pipeline,
)
from zhengling_training.loop import (
    Share,
    adamw,
    loop_settings,
    process_state,
    recipe_hash,
    restarting_rate,
    run_loop,
)
from zhengling_training.model import BulletinModel
from zhengling_training.shrinking import choose_layers, narrow
from zhengling_training.tagging_loss import character_loss, cross_entropy, path_loss

LOG = logging.getLogger(__name__)


class DataSection(Section):
    """What it learns from: files or folders in any format that ``zhengling convert`` reads.

    ``detached`` annotation is joined with its texts and ``corrections`` are applied to all of them;
    ``held_out`` is the share of bulletins set aside for calibration.
    """

    scheme: str
    train: list[str]
    detached: list[str] = []
    corrections: list[str] = []
    held_out: Fraction = 0.1


class ConvolutionSection(Section):
    """Sizes of a new encoder of convolutions, see ``zhengling_training.convolution``.

    ``pairs`` are rows of a table of pairs of characters, each of ``pair_size`` numbers; 0 for no such table.
    """

    width: Count
    units: Count
    dilations: Annotated[list[Count], Field(min_length=1)]
    pairs: Annotated[int, Field(ge=0)] = 0
    pair_size: Count = 64


class EncoderSection(Section):
    """Where the encoder starts: a folder, or the name of a BERT on the Hugging Face hub.

    ``layers`` keeps the first so many of its layers, or those of the given numbers, from 0; ``intermediate``
    keeps so many of each layer's units between its two products, those that weigh most. With ``convolution``
    only its characters are taken, and the rest is new.
    """

    start: str
    layers: Count | list[int] | None = None
    intermediate: Count | None = None
    convolution: ConvolutionSection | None = None
    dropout: Fraction = 0.1

    @model_validator(mode="after")
    def _one_way_to_be_small(self) -> Self:
        if self.convolution is not None and (self.layers is not None or self.intermediate is not None):
            raise ValueError("encoder.convolution goes with neither encoder.layers nor encoder.intermediate")
        return self


class HeadsSection(Section):
    """Width and dropout of the sentence heads."""

    size: Count = 256
    dropout: Fraction = 0.1


class WindowsSection(Section):
    """See ``zhengling.encoder.WindowSettings``."""

    size: Count = 254
    overlap: Annotated[int, Field(ge=0)] = 48
    batch_characters: Count = 1024

    @model_validator(mode="after")
    def _overlap_is_small(self) -> Self:
        if 2 * self.overlap >= self.size:
            raise ValueError("windows.overlap must be below half of windows.size")
        return self

    def settings(self) -> WindowSettings:
        """The same, for the encoder."""
        return WindowSettings(self.size, self.overlap, self.batch_characters)


class LossSection(Section):
    """Weights of the losses; ``positive`` is the weight of a domain that is there against one that isn't.

    ``tagger`` says what the tagger learns from: each character's tag, or whole paths. ``smoothing`` is the
    share of a sentence's function that goes to all functions alike.
    """

    tagger: Literal["characters", "paths"] = "characters"
    entities: Weight = 1.0
    functions: Weight = 0.3
    domains: Weight = 0.3
    positive: Weight = 2.0
    smoothing: Fraction = 0.0


class ScheduleSection(CommonSchedule):
    """How it learns; rates are peaks of AdamW's learning rate, ``warmup`` is a share of the first ``epochs``.

    After these the rates start again ``restarts`` times, at ``restart_rate`` of their peaks, and come down
    in ``restart_epochs``; the model is the mean of the weights at the ends of all cycles.
    """

    epochs: Count = 10
    restarts: Annotated[int, Field(ge=0)] = 0
    restart_epochs: Count = 2
    restart_rate: Weight = 0.5
    batch_windows: Count = 8
    encoder_rate: Weight = 1.5e-4
    heads_rate: Weight = 1e-3
    warmup: Fraction = 0.05


class PackageSection(Section):
    """What the pipeline is called and says of itself.

    ``quantise`` stores weights in 8 bits, ``form`` says how: see ``zhengling_training.products``.
    """

    name: str
    version: str = __version__
    description: str = ""
    license: str = "Apache-2.0"
    quantise: bool = True
    # No part of the run's record: the same run can be exported in either form.
    form: Annotated[Literal["rows", "blocks"], Field(exclude=True)] = "rows"


class FinetuneRecipe(Section):
    """A whole recipe, such as ``configs/zh_bulletin_sm.cfg``."""

    data: DataSection
    encoder: EncoderSection
    heads: HeadsSection = HeadsSection()
    windows: WindowsSection = WindowsSection()
    augment: AugmentSection = AugmentSection()
    loss: LossSection = LossSection()
    schedule: ScheduleSection = ScheduleSection()
    distill: DistillSection | None = None
    calibration: CalibrationSection = CalibrationSection()
    package: PackageSection


@dataclass(frozen=True)
class Task:
    """What a run is about: data, labels, characters."""

    scheme: LabelScheme
    vocabulary: CharacterVocabulary
    tokenizer: bytes
    train: list[Bulletin]
    held_out: list[Bulletin]
    windows: WindowSettings


def finetune(recipe: FinetuneRecipe, *, run_folder: Path, output: Path) -> dict[str, Any]:
    """Train and write a pipeline.

    Args:
        recipe: what to do.
        run_folder: checkpoints of the run; an interrupted run goes on from there.
        output: the pipeline's folder.

    Returns:
        The record of the run, also kept in the pipeline's ``meta.json``.

    Raises:
        ZhenglingError: faulty data, encoder, or a run folder of another recipe.
    """
    check_replaceable(output)
    # First, as the labels are files of our own: away from where the recipe's paths count from, the encoder's
    # path would be looked up as a name on the hub.
    scheme = LabelScheme.from_file(Path(recipe.data.scheme))
    torch.manual_seed(recipe.schedule.seed)
    encoder = start_encoder(recipe.encoder)
    task = prepare(recipe, encoder, scheme=scheme)
    model = BulletinModel(
        encoder.model, task.scheme, head_size=recipe.heads.size, dropout=recipe.heads.dropout
    )
    record = _train(model, task, recipe, run_folder)
    if process_state().is_main_process:
        save_pipeline(package(model, task, recipe, record), output)
    return record


def average(recipe: FinetuneRecipe, *, run_folders: Sequence[Path], output: Path) -> dict[str, Any]:
    """Write a pipeline with the mean weights of several runs (model soup, Wortsman et al. 2022).

    The runs must have started from the same encoder and have the same labels and held-out bulletins; they may
    differ in seed, schedule and loss.

    Args:
        recipe: the encoder, the data to calibrate on, and the package; nothing is trained.
        run_folders: their newest checkpoints are taken, means of cycles if the recipe has restarts.
        output: the pipeline's folder.

    Returns:
        The record: of one run its ``curve``; of more, ``runs``, steps, seconds and last observation of each.

    Raises:
        ZhenglingError: a folder without checkpoints, or checkpoints of different networks.
    """
    check_replaceable(output)
    found = [_newest(folder) for folder in run_folders]
    scheme = LabelScheme.from_file(Path(recipe.data.scheme))
    encoder = start_encoder(recipe.encoder)
    task = prepare(recipe, encoder, scheme=scheme)
    model = BulletinModel(encoder.model, task.scheme, head_size=recipe.heads.size, dropout=0.0)
    weights = [
        _weights(folder, checkpoint, restarts=recipe.schedule.restarts)
        for folder, checkpoint in zip(run_folders, found, strict=True)
    ]
    for folder, state in zip(run_folders, weights, strict=True):
        load_weights(model, state, place=folder)  # refuses what is of another network
    load_weights(model, mean_of(weights), place=run_folders[0])
    runs = [{"steps": c.step, "seconds": c.record["seconds"], "last": c.record["curve"][-1:]} for c in found]
    record: dict[str, Any] = {"curve": found[0].record["curve"]}
    if len(runs) > 1:
        record = {"curve": [], "runs": runs}
    save_pipeline(package(model, task, recipe, record), output)
    return record


def _newest(folder: Path) -> Checkpoint:
    checkpoint = latest_checkpoint(folder)
    if checkpoint is None:
        raise ZhenglingError(f"{folder}: holds no checkpoint of a run")
    return checkpoint


def _weights(folder: Path, checkpoint: Checkpoint, *, restarts: int) -> State:
    """What a run ended with: its last weights, or their mean over its cycles."""
    return mean_of(load_cycles(folder, cycles=restarts + 1)) if restarts else checkpoint.model


def start_encoder(section: EncoderSection) -> OpenedEncoder:
    """Open the encoder that training starts from, and make it as small as the recipe wants it.

    Raises:
        ZhenglingError: it can't be loaded, or has no such layers, units or width.
    """
    some = section.layers if isinstance(section.layers, int) else None
    encoder = open_encoder(section.start, layers=some, dropout=section.dropout)
    if isinstance(section.layers, list):
        choose_layers(encoder.bert, section.layers)
    if section.intermediate is not None:
        narrow(encoder.bert, section.intermediate)
    if section.convolution is not None:
        return replace(encoder, model=_convolution(encoder.bert, section.convolution, section.dropout))
    return encoder


def _convolution(model: BertModel, section: ConvolutionSection, dropout: float) -> ConvolutionEncoder:
    table = model.embeddings.word_embeddings.weight
    if section.width > (width := table.shape[1]):
        raise ZhenglingError(
            f"encoder.convolution.width: {section.width} is more than the {width} of encoder.start"
        )
    config = ConvolutionConfig(
        vocab_size=len(table),
        hidden_size=section.width,
        intermediate_size=section.units,
        dilations=tuple(section.dilations),
        pairs=section.pairs,
        pair_size=section.pair_size,
        dropout=dropout,
    )
    return start_convolution(table, config)


def prepare(recipe: FinetuneRecipe, encoder: OpenedEncoder, *, scheme: LabelScheme) -> Task:
    """Read the data that the recipe names."""
    bulletins = load_bulletins(
        recipe.data.train, scheme=scheme, detached=recipe.data.detached, corrections=recipe.data.corrections
    )
    train, held_out = split_held_out(bulletins, share=recipe.data.held_out, seed=0)
    if not train:
        raise ZhenglingError("data.held_out leaves nothing to train on")
    if recipe.windows.size > encoder.longest:
        raise ZhenglingError(
            f"windows.size is {recipe.windows.size}, the encoder reads {encoder.longest} at most"
        )
    windows = recipe.windows.settings()
    return Task(scheme, encoder.vocabulary, encoder.tokenizer, train, held_out, windows)


def _train(model: BulletinModel, task: Task, recipe: FinetuneRecipe, run_folder: Path) -> dict[str, Any]:
    schedule = recipe.schedule
    if (parts := process_state().num_processes * schedule.accumulate) > schedule.batch_windows:
        raise ZhenglingError(
            f"schedule.accumulate: {schedule.batch_windows} windows can't be shared by {parts} parts; "
            "raise schedule.batch_windows"
        )
    epoch_of = _epochs(task, recipe)
    lessons = _lessons(task, recipe)
    per_epoch = len(epoch_of(0)[1])
    first, cycle = schedule.epochs * per_epoch, schedule.restart_epochs * per_epoch
    steps = first + schedule.restarts * cycle
    heads = nn.ModuleList([model.tagger, model.heads])
    optimizer = adamw(
        [(model.encoder, schedule.encoder_rate), (heads, schedule.heads_rate)],
        weight_decay=schedule.weight_decay,
    )
    warmup = round(schedule.warmup * first)
    settings = replace(
        loop_settings(schedule, steps=steps, warmup=warmup, observe_every=per_epoch),
        rate_at=partial(
            restarting_rate,
            first=first,
            warmup=warmup,
            cycle=cycle,
            peak=schedule.restart_rate,
            final=schedule.final_rate,
        ),
    )

    def loss_of(wrapped: nn.Module, share: Share, device: torch.device) -> Tensor:
        epoch, position = divmod(share.step, per_epoch)
        rows, batches = epoch_of(epoch)
        chosen = batches[position % len(batches)]
        mine = [rows[int(i)] for i in np.array_split(chosen, share.places)[share.place]]
        heard = lessons(share)
        batch = collate(
            mine + [lesson.row for lesson in heard], scheme=task.scheme, vocabulary=task.vocabulary
        )
        if recipe.augment.hidden:
            # 5: a stream of its own, beside those of epochs and lessons.
            random = np.random.default_rng([schedule.seed, 5, share.step, share.place])
            ids = hide(batch.ids, rate=recipe.augment.hidden, vocabulary=task.vocabulary, random=random)
            batch = replace(batch, ids=ids)
        return loss(wrapped, batch.to(device), weights=recipe.loss, lessons=heard, distill=recipe.distill)

    def observe(wrapped: nn.Module, step: int) -> dict[str, Any]:
        ended, rest = divmod(step - first, cycle)
        if schedule.restarts and ended >= 0 and not rest:
            save_cycle(model, run_folder, cycle=ended)
        return measure(model, task)

    record = run_loop(
        model,
        optimizer,
        settings=settings,
        loss_of=loss_of,
        observe=observe,
        output=run_folder,
        recipe_hash=recipe_hash(recipe),
    )
    if schedule.restarts and process_state().is_main_process:
        load_weights(model, mean_of(load_cycles(run_folder, cycles=schedule.restarts + 1)), place=run_folder)
        record["mean_of_cycles"] = measure(model, task)
    return record


def _epochs(task: Task, recipe: FinetuneRecipe) -> Callable[[int], tuple[Dataset, NDArray[np.int64]]]:
    """The windows of an epoch, each with its own variants of the bulletins, and the batches of its steps."""
    pool = mentions(task.train, labels=recipe.augment.swap_labels)

    @lru_cache(maxsize=1)
    def epoch_of(epoch: int) -> tuple[Dataset, NDArray[np.int64]]:
        random = np.random.default_rng([recipe.schedule.seed, epoch, 1])
        bulletins = [augment(b, settings=recipe.augment, pool=pool, random=random) for b in task.train]
        rows = make_dataset(bulletins, scheme=task.scheme, vocabulary=task.vocabulary, windows=task.windows)
        lengths = np.array([len(ids) for ids in rows["ids"]])
        order = np.random.default_rng([recipe.schedule.seed, epoch])
        return rows, plan_epoch(lengths, size=recipe.schedule.batch_windows, random=order)

    return epoch_of


def _lessons(task: Task, recipe: FinetuneRecipe) -> Callable[[Share], list[Lesson]]:
    """What each part of a step hears of the teacher, nothing without one."""
    section, seed = recipe.distill, recipe.schedule.seed
    if section is None:
        return lambda share: []
    lessons = lessons_of(
        section, scheme=task.scheme, vocabulary=task.vocabulary, windows=task.windows, seed=seed
    )

    lessons_at = plan_lessons(lessons, size=section.batch_windows, seed=seed)
    return lambda share: lessons_at(share.step)[share.place :: share.places]


def loss(
    model: nn.Module,
    batch: Batch,
    *,
    weights: LossSection,
    lessons: Sequence[Lesson] = (),
    distill: DistillSection | None = None,
) -> Tensor:
    """Weighted sum of the heads' losses, and of what a teacher says of the last windows of the batch.

    For tags as ``weights.tagger`` says; cross-entropy a sentence for functions; for domains the binary
    cross-entropies of a sentence are summed, so that rare domains are heard; sentences that bear no domains
    are left out.
    """
    emissions, scores = model(batch.ids, batch.mask, batch.pieces)
    tagging_loss = path_loss if weights.tagger == "paths" else character_loss
    total = weights.entities * tagging_loss(emissions, batch.tags)
    if "functions" in scores:
        total = total + weights.functions * cross_entropy(
            scores["functions"], batch.functions, smoothing=weights.smoothing
        )
    if "domains" in scores:
        each = functional.binary_cross_entropy_with_logits(
            scores["domains"],
            batch.domains,
            reduction="none",
            pos_weight=torch.tensor(weights.positive, device=batch.domains.device),
        ).sum(1)
        asked = batch.bears_domains
        total = total + weights.domains * (each * asked).sum() / asked.sum().clamp(min=1)
    if lessons and distill is not None:
        count = sum(len(lesson.row["starts"]) for lesson in lessons)
        total = total + distill.weight * lesson_loss(
            emissions[len(emissions) - len(lessons) :],
            {name: own[len(own) - count :] for name, own in scores.items()},
            lessons,
            weights=weights.model_dump(include={"entities", "functions", "domains"}),
            temperature=distill.temperature if distill.loss == "probabilities" else None,
        )
    return total


def measure(model: BulletinModel, task: Task) -> dict[str, Any]:
    """Scores on the held-out bulletins with gold sentence boundaries and plain thresholds."""
    if not task.held_out:
        return {}
    nlp = torch_pipeline(model, task.vocabulary, scheme=task.scheme, windows=task.windows)
    predicted = [bulletin_of(doc) for doc in nlp.pipe(b.text for b in task.held_out)]
    return score(task.held_out, predicted, scheme=task.scheme).summary()


def package(model: BulletinModel, task: Task, recipe: FinetuneRecipe, record: Mapping[str, Any]) -> Language:
    """Export, calibrate on the exported network, and put the pipeline together."""
    exported = to_onnx(model, form=recipe.package.form if recipe.package.quantise else "fp32")
    heads = numpy_heads(model)
    calibration = calibrate(
        task.held_out,
        encoder=BulletinEncoder(OnnxBackend(exported), task.vocabulary, task.windows),
        heads=heads,
        scheme=task.scheme,
        settings=recipe.calibration,
    )
    meta = {
        "name": recipe.package.name.removeprefix("zh_"),
        "version": recipe.package.version,
        "description": recipe.package.description,
        "license": recipe.package.license,
        "requirements": [f"zhengling>={__version__}"],
        "zhengling": {
            "recipe": json.loads(recipe.model_dump_json()),
            "train_bulletins": len(task.train),
            "held_out_bulletins": len(task.held_out),
            "curve": list(record["curve"]),
            **({"averaged": record["runs"]} if "runs" in record else {}),
            **({"mean_of_cycles": record["mean_of_cycles"]} if "mean_of_cycles" in record else {}),
        },
    }
    return build_pipeline(
        model=exported,
        tokenizer=task.tokenizer,
        heads=heads,
        calibration=calibration,
        scheme=task.scheme,
        windows=task.windows,
        meta=meta,
    )
