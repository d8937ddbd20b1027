"""Intermediate fine-tuning on public entity sets: one encoder, a linear tagger for every label scheme.

Sets are annotated by different conventions, so each has its own tagger (as in multi-task learning with hard
parameter sharing, Caruana 1997); a step reads one set. The taggers stay with the encoder, in ``heads/``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from torch import Tensor, nn
from transformers import BertModel

from zhengling.batching import batches
from zhengling.characters import CharacterVocabulary
from zhengling.components import bulletin_of, to_json
from zhengling.encoder import BulletinEncoder, WindowSettings
from zhengling.errors import ZhenglingError
from zhengling.files import read_json
from zhengling.formats import read_bulletins
from zhengling.manifest import check_replaceable
from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.calibrate import Calibration, CalibrationSection, calibrate
from zhengling_training.config import CommonSchedule, Count, Fraction, Section, Weight
from zhengling_training.corpus import cover, ngrams, texts_of
from zhengling_training.data import BUCKET, collate, length_pools, make_dataset, split_held_out
from zhengling_training.encoder_files import (
    load_encoder,
    load_vocabulary,
    load_weights,
    read_weights,
    save_encoder,
)
from zhengling_training.encoders import OpenedEncoder
from zhengling_training.evaluation.metrics import score
from zhengling_training.evaluation.models import HEAD, HEADS, head_names, head_of
from zhengling_training.export import TorchBackend, torch_pipeline
from zhengling_training.finetune import EncoderSection, WindowsSection, start_encoder
from zhengling_training.loop import Share, adamw, loop_settings, process_state, recipe_hash, run_loop
from zhengling_training.model import BulletinModel
from zhengling_training.pretrain import carried_over
from zhengling_training.tagging_loss import character_loss

LOG = logging.getLogger(__name__)
TAGGER, RECORD = "tagger.safetensors", "training.json"
NEAR_DUPLICATE = 0.5  # share of 13-grams


class SetSection(Section):
    """A set of annotated texts.

    ``held_out`` is the share of distinct texts set aside for measuring; ``dev`` are files that belong to that
    part as a whole. Texts to train on of which more than half the 13-grams occur in a held-out text are left
    out, and so are texts seen before. The set is read ``repeat`` times an epoch. ``limit``
    keeps the first texts only.
    """

    scheme: str
    train: list[str]
    dev: list[str] = []
    held_out: Fraction = 0.0
    repeat: Count = 1
    limit: Count | None = None


class ScheduleSection(CommonSchedule):
    """How it learns; ``batch_characters`` bounds a step's characters with padding.

    Every ``evaluate_every`` steps the first ``observed_texts`` held-out texts of each set are measured.
    """

    epochs: Count = 3
    batch_characters: Count = 2048
    encoder_rate: Weight = 1.5e-4
    heads_rate: Weight = 1e-3
    warmup: Fraction = 0.05
    evaluate_every: Count = 1000
    observed_texts: Count = 300


class DataSection(Section):
    """``exclude`` names canonical JSONL of evaluation bulletins: texts that repeat them are never read."""

    exclude: list[str] = []


class HeadsRecipe(Section):
    """A whole recipe, ``configs/ner_heads.cfg``."""

    encoder: EncoderSection
    sets: dict[str, SetSection]
    data: DataSection = DataSection()
    windows: WindowsSection = WindowsSection()
    schedule: ScheduleSection = ScheduleSection()
    calibration: CalibrationSection = CalibrationSection()


@dataclass(frozen=True)
class NerSet:
    """A set, ready to train on.

    Attributes:
        scheme: its labels.
        train: texts with entities.
        held_out: texts never trained on.
    """

    scheme: LabelScheme
    train: list[Bulletin]
    held_out: list[Bulletin]


class TaggerModel(nn.Module):
    """An encoder under one linear layer whose outputs are the tags of all sets, one set after the other.

    One layer for all, so that every step reaches every parameter and processes can share gradients.
    """

    def __init__(self, encoder: BertModel, schemes: Mapping[str, LabelScheme], *, dropout: float) -> None:
        super().__init__()
        sizes = [1 + 4 * len(scheme.entities) for scheme in schemes.values()]
        borders = np.cumsum([0, *sizes])
        self.slices = {name: slice(int(borders[i]), int(borders[i + 1])) for i, name in enumerate(schemes)}
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.tagger = nn.Linear(encoder.config.hidden_size, int(borders[-1]))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Scores of all sets' tags, shape ``(windows, length + 2, tags)``; see ``BulletinModel.read``."""
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return self.tagger(self.dropout(hidden))  # type: ignore[no-any-return]

    def tagger_of(self, name: str) -> nn.Linear:
        """The tagger of one set by itself, a copy."""
        own = nn.Linear(self.tagger.in_features, self.slices[name].stop - self.slices[name].start)
        with torch.no_grad():
            own.weight.copy_(self.tagger.weight[self.slices[name]])
            own.bias.copy_(self.tagger.bias[self.slices[name]])
        return own


def train_heads(recipe: HeadsRecipe, *, run_folder: Path, output: Path) -> dict[str, Any]:
    """Train, or go on training, and write the encoder with its heads.

    Args:
        recipe: what to do.
        run_folder: checkpoints of the run.
        output: the encoder's folder.

    Returns:
        The record of the run; ``scores`` holds the strict scores of each set's held-out texts.

    Raises:
        ZhenglingError: faulty data, encoder, or a run folder of another recipe.
    """
    check_replaceable(output)
    sets = load_sets(recipe)
    torch.manual_seed(recipe.schedule.seed)
    encoder = start_encoder(recipe.encoder)
    schemes = {name: found.scheme for name, found in sets.items()}
    model = TaggerModel(encoder.bert, schemes, dropout=recipe.encoder.dropout)
    _start_from_heads(model, sets, Path(recipe.encoder.start))
    record = _train(model, sets, encoder.vocabulary, recipe, run_folder)
    if process_state().is_main_process:
        _save(model, sets, encoder, recipe, record, output)
    return record


def _start_from_heads(model: TaggerModel, sets: Mapping[str, NerSet], start: Path) -> None:
    """Put the taggers that the encoder already has for the same labels in the place of random ones."""
    for name in set(head_names(start)) & set(sets):
        place = Path(head_of(start, name))
        if _read_head(place).scheme.entity_names != sets[name].scheme.entity_names:
            continue
        own = model.tagger_of(name)
        load_weights(own, read_weights(place / TAGGER), place=place / TAGGER)
        with torch.no_grad():
            model.tagger.weight[model.slices[name]] = own.weight
            model.tagger.bias[model.slices[name]] = own.bias
        LOG.info("%s: goes on from the head in %s", name, place)


def load_sets(recipe: HeadsRecipe) -> dict[str, NerSet]:
    """Read the sets, hold out a part of each, and leave out of the rest what repeats held-out texts.

    Raises:
        ZhenglingError: no sets, faulty data, or nothing left to train on.
    """
    if not recipe.sets:
        raise ZhenglingError("the recipe names no sets")
    known: set[str] = set()
    for text in texts_of(map(Path, recipe.data.exclude)):
        known |= ngrams(text)
    return {name: _load_set(name, section, known=known) for name, section in recipe.sets.items()}


def _load_set(name: str, section: SetSection, *, known: set[str]) -> NerSet:
    scheme = LabelScheme.from_file(Path(section.scheme))
    dev = list(_distinct(_read(section.dev, scheme)))
    rest = list(_distinct(_read(section.train, scheme), seen={bulletin.text for bulletin in dev}))
    train, aside = split_held_out(rest, share=section.held_out, seed=0)
    held_out = dev + aside
    measured = known.union(*(ngrams(bulletin.text) for bulletin in held_out))
    kept = [bulletin for bulletin in train if cover(bulletin.text, measured) <= NEAR_DUPLICATE]
    if not kept:
        raise ZhenglingError(f"set {name}: nothing is left to train on")
    LOG.info(
        "%s: %d texts to train on, %d held out, %d near-duplicates of these left out",
        *(name, len(kept), len(held_out), len(train) - len(kept)),
    )
    return NerSet(scheme, kept[: section.limit], held_out)


def _read(paths: Sequence[str], scheme: LabelScheme) -> Iterator[Bulletin]:
    for path in paths:
        yield from read_bulletins(Path(path), scheme=scheme, lenient=True, report=LOG.warning)


def _distinct(bulletins: Iterable[Bulletin], *, seen: set[str] | None = None) -> Iterator[Bulletin]:
    """Each text once."""
    texts = set(seen or ())
    for bulletin in bulletins:
        if bulletin.text not in texts:
            texts.add(bulletin.text)
            yield bulletin


def plan_batches(
    lengths: Mapping[str, NDArray[np.int64]], *, repeats: Mapping[str, int], settings: ScheduleSection
) -> list[tuple[str, NDArray[np.int64]]]:
    """All steps of a run: which windows of which set each of them reads.

    Every epoch reads each set ``repeats`` times in a fresh order; windows of like length share a step, steps
    of all sets are mixed.

    Args:
        lengths: by set, characters of each window.
        repeats: by set.
        settings: seed, epochs and the bound of a step.
    """
    plan: list[tuple[str, NDArray[np.int64]]] = []
    for epoch in range(settings.epochs):
        steps = [
            (name, chosen)
            for number, (name, own) in enumerate(lengths.items())
            for again in range(repeats[name])
            for chosen in _batches_of(
                own,
                budget=settings.batch_characters,
                random=np.random.default_rng([settings.seed, epoch, number, again]),
            )
        ]
        order = np.random.default_rng([settings.seed, epoch]).permutation(len(steps))
        plan += [steps[index] for index in order]
    return plan


def _batches_of(
    lengths: NDArray[np.int64], *, budget: int, random: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    size = max(1, BUCKET * budget // max(1, int(lengths.mean())))
    for pool in length_pools(lengths, size=size, random=random):
        for batch in batches(pool, fits=lambda chosen, new: (len(chosen) + 1) * lengths[new] <= budget):
            yield np.array(batch)


def _train(
    model: TaggerModel,
    sets: Mapping[str, NerSet],
    vocabulary: CharacterVocabulary,
    recipe: HeadsRecipe,
    run_folder: Path,
) -> dict[str, Any]:
    schedule, windows = recipe.schedule, recipe.windows.settings()
    rows = {
        name: make_dataset(found.train, scheme=found.scheme, vocabulary=vocabulary, windows=windows)
        for name, found in sets.items()
    }
    plan = plan_batches(
        {name: np.array([len(ids) for ids in own["ids"]]) for name, own in rows.items()},
        repeats={name: recipe.sets[name].repeat for name in sets},
        settings=schedule,
    )
    optimizer = adamw(
        [(model.encoder, schedule.encoder_rate), (model.tagger, schedule.heads_rate)],
        weight_decay=schedule.weight_decay,
    )
    warmup = round(schedule.warmup * len(plan))
    settings = loop_settings(schedule, steps=len(plan), warmup=warmup, observe_every=schedule.evaluate_every)

    def loss_of(wrapped: nn.Module, share: Share, device: torch.device) -> Tensor:
        name, chosen = plan[share.step]
        mine = np.array_split(np.resize(chosen, max(len(chosen), share.places)), share.places)[share.place]
        batch = collate(
            [rows[name][int(index)] for index in mine], scheme=sets[name].scheme, vocabulary=vocabulary
        ).to(device)
        scores = wrapped(batch.ids, batch.mask)[..., model.slices[name]]
        return character_loss(scores.float(), batch.tags)

    def observe(wrapped: nn.Module, step: int) -> dict[str, Any]:
        scores = {}
        for name, found in sets.items():
            network = _network(model.encoder, found.scheme, model.tagger_of(name))
            nlp = torch_pipeline(network, vocabulary, scheme=found.scheme, windows=windows)
            scores[f"{name}_f1"] = _scores(nlp, found, limit=schedule.observed_texts)["f1"]
        return scores

    return run_loop(
        model,
        optimizer,
        settings=settings,
        loss_of=loss_of,
        observe=observe,
        output=run_folder,
        recipe_hash=recipe_hash(recipe),
    )


def _scores(nlp: Language, found: NerSet, *, limit: int | None = None) -> dict[str, Any]:
    """Strict micro scores on the (first ``limit``) held-out texts."""
    gold = found.held_out[:limit]
    if not gold:
        return {"texts": 0, "f1": None}
    predicted = [bulletin_of(doc) for doc in nlp.pipe(bulletin.text for bulletin in gold)]
    counts = score(gold, predicted, scheme=found.scheme).entity_micro
    return {"texts": len(gold), **counts.to_dict()}


def _save(
    model: TaggerModel,
    sets: Mapping[str, NerSet],
    encoder: OpenedEncoder,
    recipe: HeadsRecipe,
    record: dict[str, Any],
    output: Path,
) -> None:
    """Calibrate each head on its held-out texts, measure it, and write all of it with the encoder."""
    parts: dict[str, nn.Module] = {}
    texts: dict[str, str] = {}
    windows = recipe.windows.settings()
    record["scores"] = {}
    for name, found in sets.items():
        network = _network(model.encoder, found.scheme, model.tagger_of(name))
        calibration = calibrate(
            found.held_out,
            encoder=BulletinEncoder(TorchBackend(network), encoder.vocabulary, windows),
            heads={},
            scheme=found.scheme,
            settings=recipe.calibration,
        )
        nlp = torch_pipeline(
            network,
            encoder.vocabulary,
            scheme=found.scheme,
            windows=windows,
            calibration=calibration,
        )
        record["scores"][name] = _scores(nlp, found)
        head = {
            "scheme": found.scheme.to_dict(),
            "temperature": calibration.tagger,
            "windows": recipe.windows.model_dump(),
            "held_out": record["scores"][name],
        }
        parts[f"{HEADS}/{name}/{TAGGER}"] = model.tagger_of(name)
        texts[f"{HEADS}/{name}/{HEAD}"] = to_json(head).decode("utf-8")
    record = {**record, "recipe": recipe.model_dump(), "before": _runs_before(Path(recipe.encoder.start))}
    texts[f"{HEADS}/{RECORD}"] = to_json(record).decode("utf-8")
    parts_before, texts_before = carried_over(Path(recipe.encoder.start))
    save_encoder(
        model.encoder,
        output,
        tokenizer=encoder.tokenizer,
        parts=parts_before | parts,
        texts=texts_before | texts,
    )


def _runs_before(start: Path) -> list[dict[str, Any]]:
    """Runs that the encoder's heads come from, the oldest first."""
    record = read_training(start)
    if record is None:
        return []
    last = {key: value for key, value in record.items() if key != "before"}
    return [*record.get("before", []), last]


def read_training(encoder: Path) -> dict[str, Any] | None:
    """How the heads were trained, None without heads.

    ``recipe``, ``curve``, ``seconds`` and ``scores`` of the last run; ``before`` holds those of earlier ones.

    Raises:
        ZhenglingError: the file is there and can't be read.
    """
    path = encoder / HEADS / RECORD
    record: dict[str, Any] | None = read_json(path) if path.exists() else None
    return record


def _network(encoder: BertModel, scheme: LabelScheme, tagger: nn.Linear) -> BulletinModel:
    network = BulletinModel(encoder, scheme, head_size=1, dropout=0.0)
    network.tagger = tagger
    return network


def load_head(folder: Path, name: str) -> Language:
    """An encoder with one of its heads as a pipeline, in PyTorch.

    Raises:
        ZhenglingError: there is no such head, or a file is damaged.
    """
    place = Path(head_of(folder, name))
    head = _read_head(place)
    network = BulletinModel(load_encoder(folder), head.scheme, head_size=1, dropout=0.0)
    load_weights(network.tagger, read_weights(place / TAGGER), place=place / TAGGER)
    return torch_pipeline(
        network,
        load_vocabulary(folder),
        scheme=head.scheme,
        windows=head.windows,
        calibration=Calibration(head.temperature, {}, {}),
    )


@dataclass(frozen=True, slots=True)
class _Head:
    scheme: LabelScheme
    windows: WindowSettings
    temperature: float


def _read_head(place: Path) -> _Head:
    try:
        head = json.loads((place / HEAD).read_text(encoding="utf-8"))
        return _Head(
            LabelScheme.from_dict(head["scheme"]),
            WindowSettings(**head["windows"]),
            float(head["temperature"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ZhenglingError(f"{place / HEAD}: not the description of a head ({error})") from error
