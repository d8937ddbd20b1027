from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from spacy.language import Language
from tests.training.samples import (
    CONFIGS,
    MSRA,
    SCHEME,
    finetune_recipe,
    invented_bulletins,
    plain_names,
    vocabulary_of,
    write_jsonl,
)
from torch.nn import functional

import zhengling
from zhengling.encoder import WindowSettings
from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin, Entity, LabelScheme, faults
from zhengling_training.averaging import load_cycles
from zhengling_training.checkpoints import latest_checkpoint
from zhengling_training.data import IGNORED, collate, make_dataset
from zhengling_training.encoder_files import load_encoder
from zhengling_training.encoders import open_encoder
from zhengling_training.evaluation.metrics import score
from zhengling_training.finetune import FinetuneRecipe, LossSection, average, finetune, loss, prepare
from zhengling_training.model import BulletinModel

STILL = {
    "augment__breaks": 0.0,
    "augment__spaces": 0.0,
    "augment__dropped": 0.0,
    "augment__swap": 0.0,
    "augment__hidden": 0.0,
    "encoder__dropout": 0.0,
    "heads__dropout": 0.0,
}
LEARNED = (
    "bulletin_encoder/encoder.onnx",
    "bulletin_encoder/tokenizer.json",
    "entity_tagger/tagger.json",
    "sentence_classifier/heads.safetensors",
    "sentence_classifier/classifier.json",
)


@dataclass(frozen=True)
class Trained:
    """A finished run."""

    recipe: FinetuneRecipe
    record: dict[str, Any]
    folder: Path

    def nlp(self) -> Language:
        return zhengling.load(self.folder, threads=1)

    def curve(self) -> list[dict[str, Any]]:
        return [{k: v for k, v in seen.items() if k != "seconds"} for seen in self.record["curve"]]


def run(recipe: FinetuneRecipe, folder: Path) -> Trained:
    record = finetune(recipe, run_folder=folder / "run", output=folder / "model")
    return Trained(recipe, record, folder / "model")


def analysed(nlp: Language, bulletins: list[Bulletin]) -> list[Bulletin]:
    return [doc._.bulletin for doc in nlp.pipe(bulletin.text for bulletin in bulletins)]


@pytest.fixture(scope="module")
def recipe(encoder: Path, bulletin_file: Path) -> FinetuneRecipe:
    return finetune_recipe(
        encoder, bulletin_file, schedule__checkpoint_minutes=0.0, augment__hidden=0.1, loss__smoothing=0.1
    )


@pytest.fixture(scope="module")
def trained(recipe: FinetuneRecipe, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Three epochs over six bulletins."""
    return run(recipe, tmp_path_factory.mktemp("trained"))


def test_the_pipeline_analyses_texts(trained: Trained) -> None:
    nlp = trained.nlp()
    assert nlp.pipe_names == [
        "bulletin_sentences",
        "bulletin_encoder",
        "entity_tagger",
        "sentence_classifier",
    ]
    for bulletin in analysed(nlp, invented_bulletins(4, seed=9)):
        assert list(faults(bulletin, scheme=SCHEME)) == []
        assert len(bulletin.sentences) == 4
        for sentence in bulletin.sentences:
            assert set(sentence.scores) == {*SCHEME.function_names, *SCHEME.domain_names}
            assert sum(sentence.scores[name] for name in SCHEME.function_names) == pytest.approx(1.0)
        assert all(0 <= (entity.score or 0) <= 1 for entity in bulletin.entities)


def test_the_curve_has_a_point_for_every_epoch(trained: Trained) -> None:
    steps = [seen["step"] for seen in trained.record["curve"]]
    assert len(steps) == 3
    assert steps == [steps[0], 2 * steps[0], 3 * steps[0]]
    assert trained.record["curve"][-1]["loss"] < trained.record["curve"][0]["loss"]
    assert {"entity_f1", "function_accuracy", "domain_micro_f1"} <= set(trained.record["curve"][0])


def test_the_pipeline_says_where_it_comes_from(trained: Trained) -> None:
    meta = json.loads((trained.folder / "meta.json").read_text(encoding="utf-8"))
    assert (meta["lang"], meta["name"]) == ("zh", "bulletin_sm")
    assert meta["requirements"] == [f"zhengling>={zhengling.__version__}"]
    facts = meta["zhengling"]
    assert FinetuneRecipe.model_validate(facts["recipe"]) == trained.recipe
    assert facts["train_bulletins"] + facts["held_out_bulletins"] == 6
    assert facts["held_out_bulletins"] > 0
    assert [seen["step"] for seen in facts["curve"]] == [seen["step"] for seen in trained.record["curve"]]


def test_the_same_recipe_gives_the_same_bytes(trained: Trained, tmp_path: Path) -> None:
    again = run(trained.recipe, tmp_path)
    assert again.curve() == trained.curve()
    for name in LEARNED:
        assert (again.folder / name).read_bytes() == (trained.folder / name).read_bytes(), name


@contextmanager
def interrupt_at(observation: int) -> Iterator[None]:
    """Strike Ctrl-C when the loop logs its n-th observation, before it is in any checkpoint."""
    logger, left = logging.getLogger("zhengling_training.loop"), [observation]

    class Striking(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            left[0] -= record.getMessage().startswith("{")
            if not left[0]:
                raise KeyboardInterrupt

    handler, level = Striking(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_an_interrupted_run_goes_on_to_the_same_bytes(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), interrupt_at(2):
        run(trained.recipe, tmp_path)
    assert not (tmp_path / "model").exists()
    steps = sorted(int(path.name.removeprefix("step-")) for path in (tmp_path / "run").iterdir())
    assert steps[-1] == trained.record["curve"][1]["step"] - 1
    resumed = run(trained.recipe, tmp_path)
    assert resumed.curve() == trained.curve()
    for name in LEARNED:
        assert (resumed.folder / name).read_bytes() == (trained.folder / name).read_bytes(), name


def test_an_interrupted_run_with_restarts_goes_on_to_the_same_mean(
    encoder: Path, bulletin_file: Path, tmp_path: Path
) -> None:
    recipe = finetune_recipe(
        encoder,
        bulletin_file,
        schedule__epochs=1,
        schedule__restarts=2,
        schedule__restart_epochs=1,
        schedule__checkpoint_minutes=0.0,
    )
    whole = run(recipe, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt), interrupt_at(2):
        run(recipe, tmp_path / "stopped")
    resumed = run(recipe, tmp_path / "stopped")
    assert len(whole.record["curve"]) == 3
    assert resumed.record["mean_of_cycles"] == whole.record["mean_of_cycles"]
    for name in LEARNED:
        assert (resumed.folder / name).read_bytes() == (whole.folder / name).read_bytes(), name
    average(recipe, run_folders=[tmp_path / "whole" / "run"], output=tmp_path / "again")
    for name in LEARNED:
        assert (tmp_path / "again" / name).read_bytes() == (whole.folder / name).read_bytes(), name
    ends = load_cycles(tmp_path / "whole" / "run", cycles=3)
    assert any(not torch.equal(ends[0][name], ends[2][name]) for name in ends[0])


def test_a_frozen_encoder_stays_and_the_heads_learn(
    encoder: Path, bulletin_file: Path, tmp_path: Path
) -> None:
    recipe = finetune_recipe(encoder, bulletin_file, schedule__encoder_rate=0.0)
    record = finetune(recipe, run_folder=tmp_path / "run", output=tmp_path / "model")
    assert record["curve"][-1]["loss"] < record["curve"][0]["loss"]
    checkpoint = latest_checkpoint(tmp_path / "run")
    assert checkpoint is not None
    start = load_encoder(encoder).state_dict()
    for name, value in start.items():
        torch.testing.assert_close(checkpoint.model[f"encoder.{name}"], value, rtol=0, atol=0)


def test_two_bulletins_can_be_learned_by_heart(encoder: Path, tmp_path: Path) -> None:
    bulletins = invented_bulletins(2)
    data = write_jsonl(tmp_path / "two.jsonl", bulletins)
    recipe = finetune_recipe(encoder, data, data__held_out=0.0, schedule__epochs=60, **STILL)
    trained = run(recipe, tmp_path)
    assert trained.record["curve"][-1]["step"] == 60
    scores = score(bulletins, analysed(trained.nlp(), bulletins), scheme=SCHEME)
    assert (scores.entity_micro.f1 or 0) >= 0.99
    assert (scores.function_accuracy or 0) >= 0.99
    assert (scores.domain_micro.f1 or 0) >= 0.99
    state = trained.nlp().get_pipe("sentence_classifier").state  # type: ignore[attr-defined]
    assert set(state.thresholds.values()) == {0.5}  # nothing was held out
    assert set(state.temperatures.values()) == {1.0}


def test_a_second_scheme_without_sentence_labels(encoder: Path, tmp_path: Path) -> None:
    bulletins = plain_names(invented_bulletins(6))
    data = write_jsonl(tmp_path / "names.jsonl", bulletins)
    scheme = str(CONFIGS / "schemes" / "msra.json")
    recipe = finetune_recipe(
        encoder, data, data__scheme=scheme, augment__swap_labels=["PER"], package__name="zh_names"
    )
    nlp = run(recipe, tmp_path).nlp()
    assert nlp.pipe_names == ["bulletin_sentences", "bulletin_encoder", "entity_tagger"]
    assert nlp.get_pipe("entity_tagger").labels == MSRA.entity_names  # type: ignore[attr-defined]
    for bulletin in analysed(nlp, bulletins):
        assert list(faults(bulletin, scheme=MSRA)) == []
        assert all(sentence.function is None and not sentence.domains for sentence in bulletin.sentences)


def test_the_held_out_bulletins_are_apart(recipe: FinetuneRecipe) -> None:
    scheme = LabelScheme.from_file(Path(recipe.data.scheme))
    task = prepare(recipe, open_encoder(recipe.encoder.start), scheme=scheme)
    names = [{b.id for b in part} for part in (task.train, task.held_out)]
    assert not names[0] & names[1]
    assert names[0] | names[1] == {f"invented-{number}" for number in range(6)}


def batch_of(encoder: Path, *bulletins: Bulletin, size: int = 200) -> Any:
    vocabulary = vocabulary_of(encoder)
    rows = make_dataset(bulletins, scheme=SCHEME, vocabulary=vocabulary, windows=WindowSettings(size, 0))
    return collate([rows[n] for n in range(len(rows))], scheme=SCHEME, vocabulary=vocabulary)


def test_the_loss_is_the_sum_of_its_parts(model: BulletinModel, encoder: Path) -> None:
    batch = batch_of(encoder, *invented_bulletins(3))
    emissions, scores = model(batch.ids, batch.mask, batch.pieces)
    tags = [
        functional.cross_entropy(emissions[row, at], tag).item()
        for row, own in enumerate(batch.tags)
        for at, tag in enumerate(own)
        if tag != IGNORED
    ]
    functions = [
        functional.cross_entropy(s, f).item()
        for s, f in zip(scores["functions"], batch.functions, strict=True)
    ]
    domains = []
    for row, gold, asked in zip(scores["domains"], batch.domains, batch.bears_domains, strict=True):
        p = torch.sigmoid(row)
        if asked:
            domains.append(-(2.5 * gold * p.log() + (1 - gold) * (1 - p).log()).sum().item())
    assert len(domains) < len(functions)
    parts = [sum(values) / len(values) for values in (tags, functions, domains)]
    for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.25, 2.0)):
        section = LossSection(entities=weights[0], functions=weights[1], domains=weights[2], positive=2.5)
        expected = sum(weight * part for weight, part in zip(weights, parts, strict=True))
        assert loss(model, batch, weights=section).item() == pytest.approx(expected, rel=1e-4)


def test_smoothing_gives_a_share_of_a_function_to_all_alike(model: BulletinModel, encoder: Path) -> None:
    batch = batch_of(encoder, *invented_bulletins(3))
    _, scores = model(batch.ids, batch.mask, batch.pieces)
    logs = torch.log_softmax(scores["functions"], 1)
    own = logs.gather(1, batch.functions[:, None])[:, 0]
    expected = -(0.8 * own + 0.2 * logs.mean(1)).mean().item()
    section = LossSection(entities=0.0, functions=1.0, domains=0.0, smoothing=0.2)
    assert loss(model, batch, weights=section).item() == pytest.approx(expected, rel=1e-4)


def test_bulletins_without_sentences_teach_entities_alone(model: BulletinModel, encoder: Path) -> None:
    bare = [replace(bulletin, sentences=()) for bulletin in invented_bulletins(2)]
    loss(model, batch_of(encoder, *bare), weights=LossSection()).backward()
    assert all(parameter.grad is None for parameter in model.heads.parameters())
    assert model.tagger.weight.grad is not None
    assert model.tagger.weight.grad.isfinite().all()


def test_a_window_without_any_known_tag_teaches_nothing(model: BulletinModel, encoder: Path) -> None:
    text = "《" + "民政局" * 20 + "》"
    batch = batch_of(encoder, Bulletin("long", text, (Entity(0, len(text), "DOC"),)), size=20)
    assert (batch.tags == IGNORED).all()
    assert loss(model, batch, weights=LossSection()).isfinite()


def refused(recipe: FinetuneRecipe, folder: Path) -> str:
    with pytest.raises(ZhenglingError) as caught:
        finetune(recipe, run_folder=folder / "run", output=folder / "model")
    assert not (folder / "model").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"data__scheme": "none.json"}, "none.json: can't be read"),
        ({"data__train": ["none.jsonl"]}, "none.jsonl"),
        ({"data__train": []}, "no annotated bulletins"),
        ({"data__held_out": 1.0}, "leaves nothing to train on"),
        ({"encoder__start": "nowhere"}, "nowhere"),
        ({"encoder__layers": 9}, "has 2 layers, not 9"),
        ({"data__scheme": str(CONFIGS / "schemes" / "msra.json")}, "unknown label"),
    ],
)
def test_faulty_recipes(
    encoder: Path, bulletin_file: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    assert message in refused(finetune_recipe(encoder, bulletin_file, **changes), tmp_path)


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"windows__size": 60, "windows__overlap": 40}, "windows.overlap"),
        ({"windows__size": 800}, "windows.size"),
        ({"schedule__accumulate": 9}, "schedule.accumulate"),
        ({"schedule__precision": "fp7"}, "schedule.precision"),
        ({"schedule__batch_windows": 0}, "schedule.batch_windows"),
    ],
)
def test_values_out_of_range(encoder: Path, tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    (long,) = invented_bulletins(1)
    text = long.text * 12
    data = write_jsonl(tmp_path / "long.jsonl", [Bulletin("long", text)])
    with pytest.raises(ZhenglingError, match=re.escape(key)):
        finetune(
            finetune_recipe(encoder, data, data__held_out=0.0, **changes),
            run_folder=tmp_path / "run",
            output=tmp_path / "model",
        )
    assert not (tmp_path / "model").exists()


def test_a_run_folder_of_another_recipe_is_refused(trained: Trained, tmp_path: Path) -> None:
    other = trained.recipe.model_copy(
        update={"schedule": trained.recipe.schedule.model_copy(update={"seed": 9})}
    )
    with pytest.raises(ZhenglingError, match="another recipe"):
        finetune(other, run_folder=trained.folder.parent / "run", output=tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_an_average_of_one_run_is_that_run(trained: Trained, tmp_path: Path) -> None:
    run = trained.folder.parent / "run"
    record = average(trained.recipe, run_folders=[run, run], output=tmp_path / "model")
    assert [entry["steps"] for entry in record["runs"]] == [record["runs"][0]["steps"]] * 2
    for name in ("bulletin_encoder/encoder.onnx", "sentence_classifier/heads.safetensors"):
        assert (tmp_path / "model" / name).read_bytes() == (trained.folder / name).read_bytes()


def test_an_average_is_of_finished_runs_of_one_network(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match="holds no checkpoint"):
        average(trained.recipe, run_folders=[tmp_path], output=tmp_path / "model")
    heads = trained.recipe.heads.model_copy(update={"size": 9})
    other = trained.recipe.model_copy(update={"heads": heads})
    with pytest.raises(ZhenglingError, match="another architecture"):
        average(other, run_folders=[trained.folder.parent / "run"], output=tmp_path / "model")
    assert not (tmp_path / "model").exists()
