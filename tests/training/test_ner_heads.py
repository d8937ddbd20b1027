from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.samples import (
    MSRA,
    heads_recipe,
    invented_bulletins,
    make_encoder,
    plain_names,
    set_of,
    write_jsonl,
)

from zhengling.components import bulletin_of
from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import write_bulletins
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.metrics import score
from zhengling_training.evaluation.models import head_names, head_of, load_model
from zhengling_training.evaluation.running import Options, evaluate
from zhengling_training.ner_heads import (
    DataSection,
    NerSet,
    ScheduleSection,
    _scores,
    load_head,
    load_sets,
    plan_batches,
    read_training,
    train_heads,
)
from zhengling_training.pretrain import HISTORY, read_history


@dataclass(frozen=True)
class Trained:
    folder: Path
    record: dict[str, Any]
    sets: dict[str, NerSet]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("heads")
    encoder = make_encoder(folder / "start")
    history = [{"recipe": "by hand", "curve": [{"characters": 1000}], "seconds": 1.0}]
    (encoder / HISTORY).write_text(json.dumps(history), encoding="utf-8")
    names = write_jsonl(folder / "names.jsonl", plain_names(invented_bulletins(60)))
    other = write_jsonl(folder / "other.jsonl", plain_names(invented_bulletins(20, seed=1)))
    recipe = heads_recipe(
        encoder, {"names": set_of(names, held_out=0.3), "other": set_of(other, held_out=0.3, repeat=2)}
    )
    record = train_heads(recipe, run_folder=folder / "run", output=folder / "encoder")
    return Trained(folder / "encoder", record, load_sets(recipe))


def test_every_set_gets_a_head_that_loads_and_scores_as_recorded(trained: Trained) -> None:
    assert head_names(trained.folder) == ["names", "other"]
    for name, found in trained.sets.items():
        nlp = load_head(trained.folder, name)
        predicted = [bulletin_of(doc) for doc in nlp.pipe(b.text for b in found.held_out)]
        counts = score(found.held_out, predicted, scheme=MSRA).entity_micro
        recorded = trained.record["scores"][name]
        assert recorded["texts"] == len(found.held_out) > 0
        assert counts.f1 == pytest.approx(recorded["f1"], abs=0.02)  # heads are kept in half precision


def test_the_encoder_keeps_its_history_and_that_of_its_heads(trained: Trained) -> None:
    assert read_history(trained.folder)[0]["recipe"] == "by hand"
    kept = read_training(trained.folder)
    assert kept is not None
    assert kept["recipe"]["encoder"]["start"] == str(trained.folder.parent / "start")
    assert (kept["curve"], kept["scores"]) == (trained.record["curve"], trained.record["scores"])


def test_curves_are_of_the_first_held_out_texts_alone(trained: Trained) -> None:
    nlp, found = load_head(trained.folder, "names"), trained.sets["names"]
    assert _scores(nlp, found, limit=3)["texts"] == 3
    assert _scores(nlp, found)["texts"] == len(found.held_out) > 3


def test_an_encoder_without_heads_has_no_record_of_them(tmp_path: Path) -> None:
    assert read_training(make_encoder(tmp_path)) is None


def test_heads_learn(trained: Trained) -> None:
    assert trained.record["scores"]["names"]["f1"] > 0.5
    assert trained.record["curve"][-1]["names_f1"] is not None


def test_a_second_run_goes_on_from_the_heads_of_the_first(trained: Trained, tmp_path: Path) -> None:
    first = load_head(trained.folder, "names")
    names = write_jsonl(tmp_path / "names.jsonl", plain_names(invented_bulletins(60)))
    recipe = heads_recipe(trained.folder, {"names": set_of(names, held_out=0.3)})
    still = recipe.schedule.model_copy(update={"encoder_rate": 1e-12, "heads_rate": 1e-12, "epochs": 1})
    record = train_heads(
        recipe.model_copy(update={"schedule": still}), run_folder=tmp_path / "run", output=tmp_path / "again"
    )
    gold = trained.sets["names"].held_out
    before = [bulletin_of(first(bulletin.text)) for bulletin in gold]
    after = load_head(tmp_path / "again", "names")
    assert [bulletin_of(after(bulletin.text)).entities for bulletin in gold] == [
        bulletin.entities for bulletin in before
    ]
    assert record["scores"]["names"]["f1"] > 0.5
    assert read_training(tmp_path / "again")["before"][0]["scores"] == trained.record["scores"]  # type: ignore[index]


def test_an_unknown_head_is_named_with_those_there(trained: Trained, tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match="no head 'resume'; its heads: names, other"):
        load_head(trained.folder, "resume")
    with pytest.raises(ZhenglingError, match="its heads: none"):
        load_head(make_encoder(tmp_path / "bare"), "names")


def test_held_out_texts_and_their_near_duplicates_are_not_trained_on(tmp_path: Path) -> None:
    bulletins = plain_names(invented_bulletins(40))
    data = write_jsonl(tmp_path / "data.jsonl", bulletins)
    dev = write_jsonl(
        tmp_path / "dev.jsonl",
        [replace(bulletins[0], id="dev"), replace(bulletins[1], id="near", text=bulletins[1].text + "的")],
    )
    (found,) = load_sets(heads_recipe(tmp_path, {"a": set_of(data, dev=[str(dev)])})).values()
    texts = {bulletin.text for bulletin in found.train}
    assert len(found.held_out) == 2
    assert bulletins[0].text not in texts
    assert bulletins[1].text not in texts
    assert len(texts) == len(found.train)


def test_texts_of_evaluation_bulletins_are_left_out(tmp_path: Path) -> None:
    bulletins = plain_names(invented_bulletins(40))
    data = write_jsonl(tmp_path / "data.jsonl", bulletins)
    recipe = heads_recipe(tmp_path, {"a": set_of(data)})
    excluded = write_jsonl(tmp_path / "excluded.jsonl", bulletins[:3])
    before = load_sets(recipe)["a"].train
    after = load_sets(recipe.model_copy(update={"data": DataSection(exclude=[str(excluded)])}))["a"].train
    assert {b.text for b in bulletins[:3]} <= {b.text for b in before}
    assert not {b.text for b in bulletins[:3]} & {b.text for b in after}


def test_a_set_of_which_nothing_is_left_is_named(tmp_path: Path) -> None:
    data = write_jsonl(tmp_path / "data.jsonl", plain_names(invented_bulletins(5)))
    with pytest.raises(ZhenglingError, match="set a: nothing is left"):
        load_sets(heads_recipe(tmp_path, {"a": set_of(data, dev=[str(data)])}))


@given(
    lengths=st.dictionaries(
        st.sampled_from("abc"), st.lists(st.integers(1, 50), min_size=1, max_size=40), min_size=1
    ),
    repeat=st.integers(1, 3),
    epochs=st.integers(1, 3),
    budget=st.integers(50, 300),
)
def test_a_plan_reads_every_window_of_every_set_as_often_as_asked(
    lengths: dict[str, list[int]], repeat: int, epochs: int, budget: int
) -> None:
    plan = plan_batches(
        {name: np.array(own) for name, own in lengths.items()},
        repeats=dict.fromkeys(lengths, repeat),
        settings=ScheduleSection(epochs=epochs, batch_characters=budget),
    )
    read = Counter((name, int(index)) for name, chosen in plan for index in chosen)
    assert read == {(name, i): repeat * epochs for name, own in lengths.items() for i in range(len(own))}
    for name, chosen in plan:
        assert max(lengths[name][i] for i in chosen) * len(chosen) <= budget


def test_heads_are_evaluated_like_pipelines(trained: Trained, tmp_path: Path) -> None:
    gold = plain_names(invented_bulletins(4, seed=9))
    write_bulletins([replace(b, sentences=()) for b in gold], tmp_path / "set.jsonl.gz")
    name = head_names(trained.folder)[0]
    found = evaluate(
        str(trained.folder / "heads" / name),
        tmp_path / "set.jsonl.gz",
        options=Options(resampling=Resampling(resamples=100)),
    ).report
    assert found.facts.model.name == f"{trained.folder.name}/{name}"
    assert len(found.facts.model.sha256) == 64
    assert found.scores.entity_micro.gold == sum(len(b.entities) for b in gold)
    assert found.estimates["function_accuracy"].value is None
    with pytest.raises(DataError, match="unknown label"):
        write_bulletins(invented_bulletins(1), tmp_path / "other.jsonl")
        evaluate(str(trained.folder / "heads" / name), tmp_path / "other.jsonl", options=Options())


def test_a_head_is_found_by_its_scheme(trained: Trained) -> None:
    nlp, facts = load_model(head_of(str(trained.folder), "other"), threads=1)
    assert facts.name == "encoder/other"
    assert nlp.pipe_names == ["bulletin_sentences", "bulletin_encoder", "entity_tagger"]
    with pytest.raises(ZhenglingError, match="has no head 'msra'; its heads: names, other"):
        head_of(str(trained.folder), "msra")
