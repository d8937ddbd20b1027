from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from tests.training.samples import make_encoder, pretrain_recipe

from zhengling.characters import CharacterVocabulary
from zhengling.errors import ZhenglingError
from zhengling_training.checkpoints import latest_checkpoint
from zhengling_training.corpus import pack
from zhengling_training.encoder_files import TOKENIZER, WEIGHTS, load_encoder
from zhengling_training.loop import Share
from zhengling_training.pretrain import (
    HISTORY,
    MaskingSection,
    PretrainRecipe,
    batch_at,
    batch_indices,
    choose_positions,
    load_masked_model,
    mask_rows,
    pretrain,
    read_history,
)

RUN = """
import sys, torch
from pathlib import Path
from zhengling_training.pretrain import PretrainRecipe, pretrain
torch.set_num_threads(1)
pretrain(PretrainRecipe.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
"""

# Two processes over gloo, forked before any of them computes. Who writes the encoder is noted, and only the
# first process really writes, so that one fault doesn't hide the other.
RUN_TWO = """
import json, os, sys, torch
from pathlib import Path
import zhengling_training.pretrain as module
from zhengling_training.pretrain import PretrainRecipe, pretrain

folder, write = Path(sys.argv[2]), module.save_encoder
torch.set_num_threads(1)
child = os.fork()
rank = 0 if child else 1
os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1",
               "MASTER_PORT": sys.argv[3], "ACCELERATE_USE_CPU": "true"}

def noted(*args, **options):
    (folder / f"writer-{rank}").touch()
    if rank == 0:
        write(*args, **options)

module.save_encoder = noted
record = pretrain(PretrainRecipe.model_validate_json(sys.argv[1]), folder)
torch.distributed.destroy_process_group()
if rank == 0:
    (folder / "record.json").write_text(json.dumps(record))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@dataclass(frozen=True)
class Run:
    """A finished run: its curve without seconds, its weights."""

    curve: list[dict[str, Any]]
    weights: dict[str, torch.Tensor]


def run_of(folder: Path, record: dict[str, Any]) -> Run:
    checkpoint = latest_checkpoint(folder)
    assert checkpoint is not None
    curve = [{key: value for key, value in seen.items() if key != "seconds"} for seen in record["curve"]]
    return Run(curve, checkpoint.model)


@pytest.fixture(scope="module")
def recipe(encoder: Path, corpus_file: Path) -> PretrainRecipe:
    return pretrain_recipe(encoder, corpus_file, schedule__steps=150, schedule__checkpoint_minutes=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pretrained")


@pytest.fixture(scope="module")
def uninterrupted(recipe: PretrainRecipe, folder: Path) -> Run:
    return run_of(folder, pretrain(recipe, folder))


def runs(flags: np.ndarray) -> list[int]:
    """Lengths of the stretches of True."""
    return [len(list(group)) for flag, group in groupby(flags.tolist()) if flag]


@given(
    rows=st.integers(1, 6),
    length=st.integers(1, 80),
    rate=st.floats(0, 1),
    weights=st.lists(st.integers(0, 3), min_size=1, max_size=5).filter(any),
    seed=st.integers(0, 99),
)
def test_every_row_hides_exactly_its_share(
    rows: int, length: int, rate: float, weights: list[int], seed: int
) -> None:
    masking = MaskingSection(rate=rate, span_weights=[weight / sum(weights) for weight in weights])
    chosen = choose_positions((rows, length), masking=masking, random=np.random.default_rng(seed))
    assert chosen.shape == (rows, length)
    assert (chosen.sum(axis=1) == round(rate * length)).all()


@given(span=st.integers(1, 5), seed=st.integers(0, 99))
def test_hidden_places_are_whole_spans(span: int, seed: int) -> None:
    weights = [0.0] * (span - 1) + [1.0]
    masking = MaskingSection(rate=0.2, span_weights=weights)
    chosen = choose_positions((8, 20 * span), masking=masking, random=np.random.default_rng(seed))
    for row in chosen:
        assert all(length % span == 0 for length in runs(row))
        assert sum(runs(row)) == 4 * span


def test_places_are_hidden_evenly_and_rows_differ() -> None:
    masking = MaskingSection(rate=0.2)
    chosen = choose_positions((4000, 50), masking=masking, random=np.random.default_rng(1))
    assert np.abs(chosen.mean(axis=0) - 0.2).max() < 0.03
    assert len({bytes(row) for row in chosen}) > 3900
    single = np.concatenate([runs(row) for row in chosen])
    assert single.mean() > 1.8  # spans of mean length 2.05, some of which touch


def test_what_is_hidden_and_what_is_seen(vocabulary: CharacterVocabulary) -> None:
    generator = np.random.default_rng(2)
    rows = generator.integers(6, len(vocabulary), (400, 50)).astype(np.uint16)
    batch = mask_rows(rows, vocabulary, masking=MaskingSection(), random=generator)
    assert batch.seen.shape == (400, 52)
    assert (batch.seen[:, 0] == vocabulary.id_of("[CLS]")).all()
    assert (batch.seen[:, -1] == vocabulary.id_of("[SEP]")).all()
    framed = torch.from_numpy(np.pad(rows.astype(np.int64), ((0, 0), (1, 1)))).flatten()
    assert torch.equal(framed[batch.positions], batch.truth)
    assert len(batch.positions.unique()) == len(batch.positions) == 400 * 10
    column = batch.positions % 52
    assert column.min() >= 1
    assert column.max() <= 50
    elsewhere = torch.ones(400 * 52, dtype=torch.bool)
    elsewhere[batch.positions] = False
    elsewhere &= torch.arange(52).repeat(400).remainder(51) != 0
    assert torch.equal(batch.seen.flatten()[elsewhere], framed[elsewhere])


def test_eighty_ten_ten(vocabulary: CharacterVocabulary) -> None:
    generator = np.random.default_rng(3)
    rows = generator.integers(6, len(vocabulary), (1000, 100)).astype(np.uint16)
    batch = mask_rows(rows, vocabulary, masking=MaskingSection(), random=generator)
    seen = batch.seen.flatten()[batch.positions]
    masked, kept = seen == vocabulary.id_of("[MASK]"), seen == batch.truth
    other = ~masked & ~kept
    chance = 0.1 / (len(vocabulary) - vocabulary.ids[" "])
    assert masked.float().mean().item() == pytest.approx(0.8, abs=0.015)
    assert kept.float().mean().item() == pytest.approx(0.1 + chance, abs=0.01)
    assert other.float().mean().item() == pytest.approx(0.1 - chance, abs=0.01)
    assert seen[other].min() >= vocabulary.ids[" "]  # never a special token
    assert len(seen[other].unique()) > 0.9 * (len(vocabulary) - 5)


@given(count=st.integers(1, 60), batch_rows=st.integers(1, 12), seed=st.integers(0, 5))
def test_a_pass_takes_no_row_twice(count: int, batch_rows: int, seed: int) -> None:
    per_pass = count // batch_rows
    for start in (0, per_pass):
        taken = [
            row
            for step in range(start, start + per_pass)
            for row in batch_indices(count, step=step, batch_rows=batch_rows, seed=seed).tolist()
        ]
        assert len(taken) == len(set(taken)) == per_pass * batch_rows
        assert set(taken) <= set(range(count))
        if count % batch_rows == 0:
            assert set(taken) == set(range(count))


def test_passes_and_seeds_have_orders_of_their_own() -> None:
    orders = [batch_indices(50, step=s, batch_rows=50, seed=seed) for s, seed in ((0, 1), (1, 1), (0, 2))]
    assert len({bytes(order) for order in orders}) == 3
    assert np.array_equal(orders[0], batch_indices(50, step=0, batch_rows=50, seed=1))


def test_shares_are_a_partition_of_the_step(recipe: PretrainRecipe, vocabulary: CharacterVocabulary) -> None:
    corpus = pack([Path(recipe.corpus.files[0])], vocabulary, length=30, held_out_rows=16)
    indices = batch_indices(len(corpus.train), step=5, batch_rows=8, seed=recipe.schedule.seed)
    wanted = [corpus.train[index].astype(np.int64).tolist() for index in indices]
    found = []
    for place in range(3):
        batch = batch_at(corpus, vocabulary, recipe=recipe, share=Share(5, place, 3))
        restored = batch.seen.flatten().clone()
        restored[batch.positions] = batch.truth
        found += restored.reshape(-1, 32)[:, 1:-1].tolist()
    assert found == wanted


def test_the_held_out_loss_falls(uninterrupted: Run, vocabulary: CharacterVocabulary) -> None:
    losses = [seen["held_out_loss"] for seen in uninterrupted.curve]
    assert losses[0] < np.log(len(vocabulary))
    assert losses[-1] < losses[0] - 0.1
    assert uninterrupted.curve[-1]["characters"] == 150 * 8 * 30


def test_the_encoder_is_written(uninterrupted: Run, folder: Path, encoder: Path) -> None:
    written = load_encoder(folder / "encoder").state_dict()
    for name, value in written.items():
        assert torch.equal(value, uninterrupted.weights[f"encoder.{name}"].half().float())
    assert any(not torch.equal(v, written[k]) for k, v in load_encoder(encoder).state_dict().items())
    assert (folder / "encoder" / TOKENIZER).read_bytes() == (encoder / TOKENIZER).read_bytes()


def test_a_killed_run_goes_on_to_the_same_weights_and_curve(
    recipe: PretrainRecipe, uninterrupted: Run, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", RUN, recipe.model_dump_json(), str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(tmp_path.glob("step-*")):
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.4))
        process.kill()
        _, errors = process.communicate()
    assert process.returncode == -signal.SIGKILL, errors
    reached = latest_checkpoint(tmp_path)
    assert reached is not None
    assert 0 < reached.step < recipe.schedule.steps
    resumed = run_of(tmp_path, pretrain(recipe, tmp_path))
    assert resumed.curve == uninterrupted.curve, f"killed behind step {reached.step}"
    assert resumed.weights.keys() == uninterrupted.weights.keys()
    for name, value in uninterrupted.weights.items():
        assert torch.equal(value, resumed.weights[name]), f"{name}, killed behind step {reached.step}"
    assert (
        load_file(tmp_path / "encoder" / WEIGHTS).keys()
        == load_encoder(tmp_path / "encoder").state_dict().keys()
    )


@pytest.fixture(scope="module")
def two_processes(recipe: PretrainRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a run of 40 steps shared by two processes."""
    folder = tmp_path_factory.mktemp("two")
    short = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"steps": 40})})
    port = str(random.randrange(20000, 50000))
    command = [sys.executable, "-c", RUN_TWO, short.model_dump_json(), str(folder), port]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def test_two_processes_learn_as_one_does(recipe: PretrainRecipe, two_processes: Path, tmp_path: Path) -> None:
    changes = {"steps": 40, "accumulate": 2}
    one = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update=changes)})
    alone = run_of(tmp_path, pretrain(one, tmp_path))
    shared = run_of(two_processes, json.loads((two_processes / "record.json").read_text(encoding="utf-8")))
    assert [seen["step"] for seen in shared.curve] == [seen["step"] for seen in alone.curve] == [20, 40]
    for mine, theirs in zip(shared.curve, alone.curve, strict=True):
        assert mine["held_out_loss"] == pytest.approx(theirs["held_out_loss"], abs=1e-4)
    for name, value in alone.weights.items():
        assert torch.allclose(value, shared.weights[name], atol=1e-3), name


def test_of_two_processes_one_writes_the_encoder(two_processes: Path) -> None:
    assert [path.name for path in two_processes.glob("writer-*")] == ["writer-0"]


def test_another_recipe_in_the_same_folder_is_refused(
    recipe: PretrainRecipe, uninterrupted: Run, folder: Path
) -> None:
    other = recipe.model_copy(update={"schedule": recipe.schedule.model_copy(update={"seed": 5})})
    with pytest.raises(ZhenglingError, match="another recipe"):
        pretrain(other, folder)


def test_a_cut_encoder_is_pretrained_with_its_layers(
    encoder: Path, corpus_file: Path, tmp_path: Path
) -> None:
    pretrain(pretrain_recipe(encoder, corpus_file, schedule__steps=2, encoder__layers=1), tmp_path)
    assert load_encoder(tmp_path / "encoder").config.num_hidden_layers == 1


def test_a_corpus_smaller_than_a_batch_is_refused(encoder: Path, corpus_file: Path, tmp_path: Path) -> None:
    recipe = pretrain_recipe(encoder, corpus_file, schedule__batch_rows=100_000)
    with pytest.raises(ZhenglingError, match="batch_rows"):
        pretrain(recipe, tmp_path)


def test_no_held_out_rows_are_refused_or_left_out(encoder: Path, corpus_file: Path, tmp_path: Path) -> None:
    recipe = pretrain_recipe(encoder, corpus_file, schedule__steps=2, corpus__held_out_rows=0)
    try:
        record = pretrain(recipe, tmp_path)
    except ZhenglingError as error:
        assert "held_out_rows" in str(error)
    else:
        assert record["curve"][-1]["step"] == 2


def test_span_weights_are_scaled_or_refused(encoder: Path, corpus_file: Path, tmp_path: Path) -> None:
    recipe = pretrain_recipe(encoder, corpus_file, schedule__steps=2, masking__span_weights=[4, 3, 2])
    try:
        record = pretrain(recipe, tmp_path)
    except ZhenglingError as error:
        assert "span_weights" in str(error)
    else:
        assert record["curve"][-1]["step"] == 2


def test_a_tokenizer_of_another_encoder_is_refused(corpus_file: Path, tmp_path: Path) -> None:
    start = make_encoder(tmp_path / "start")
    tokenizer = json.loads((start / TOKENIZER).read_text(encoding="utf-8"))
    vocab = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {token: n if n < 5 else n + 500 for token, n in vocab.items()}
    (start / TOKENIZER).write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(ZhenglingError, match="tokenizer"):
        pretrain(pretrain_recipe(start, corpus_file, schedule__steps=2), tmp_path / "run")


def test_a_second_stage_goes_on_with_the_head_and_adds_to_the_history(
    recipe: PretrainRecipe, folder: Path, uninterrupted: Run, corpus_file: Path, tmp_path: Path
) -> None:
    first = read_history(folder / "encoder")
    assert [stage["curve"][-1]["step"] for stage in first] == [150]
    assert first[0]["recipe"] == recipe.model_dump()
    kept = load_masked_model(folder / "encoder", layers=None).head.state_dict()
    for name, value in kept.items():
        assert torch.allclose(value, uninterrupted.weights[f"head.{name}"], atol=1e-2)
    assert kept["bias"].abs().max() > 0
    pretrain(pretrain_recipe(folder / "encoder", corpus_file, schedule__steps=3), tmp_path)
    assert read_history(tmp_path / "encoder")[:1] == first
    assert [stage["curve"][-1]["step"] for stage in read_history(tmp_path / "encoder")] == [150, 3]


def test_a_history_that_is_no_json_is_named(tmp_path: Path) -> None:
    (tmp_path / HISTORY).write_text("[", encoding="utf-8")
    with pytest.raises(ZhenglingError, match=HISTORY):
        read_history(tmp_path)
