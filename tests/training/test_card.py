"""Cards say what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.training.evaluation.samples import FACTS

from zhengling.errors import ZhenglingError
from zhengling.manifest import check_model, read_checked, write_manifest
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence
from zhengling_training.card import write_card
from zhengling_training.config import load_recipe
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.report import make_report, to_json
from zhengling_training.finetune import FinetuneRecipe


def make_model(folder: Path) -> Path:
    recipe = load_recipe(Path("configs/zh_bulletin_sm.cfg"), FinetuneRecipe)
    facts = {
        "recipe": json.loads(recipe.model_dump_json()),
        "train_bulletins": 7,
        "held_out_bulletins": 2,
        "curve": [],
    }
    meta = {"lang": "zh", "name": "example", "version": "1.2.3", "description": "An example"}
    model = folder / "model"
    model.mkdir()
    (model / "meta.json").write_text(
        json.dumps(meta | {"license": "MIT", "zhengling": facts}), encoding="utf-8"
    )
    return model


def make_scores(folder: Path) -> Path:
    scheme = LabelScheme.from_file(Path("configs/schemes/zh_bulletin.json"))
    gold = Bulletin("a", "示例市开会。", (Entity(0, 3, "LOC"),), (Sentence(0, 6, "REPORT"),))
    report = make_report([gold], [gold], scheme=scheme, facts=FACTS, resampling=Resampling(resamples=100))
    path = folder / "report.json"
    path.write_text(to_json(report), encoding="utf-8")
    return path


def test_figures_go_into_card_and_meta(tmp_path: Path) -> None:
    model = make_model(tmp_path)

    card = write_card(model, make_scores(tmp_path)).read_text(encoding="utf-8")

    assert card.startswith("# zh_example 1.2.3")
    assert "| entity_f1 | 1.0000 | – |" in card
    assert "`gold.jsonl`, 1 bulletins" in card
    assert "| LOC | 1.0000 | 1.0000 | 1.0000 | 1 |" in card
    assert "| PERSON | – | – | – | 0 |" in card
    meta = json.loads((model / "meta.json").read_text(encoding="utf-8"))
    assert meta["performance"]["function_accuracy"] == 1.0


def test_the_manifest_knows_the_new_figures(tmp_path: Path) -> None:
    model, report = make_model(tmp_path), make_scores(tmp_path)
    content = (model / "meta.json").read_bytes()
    write_manifest(model, {"meta.json": content})
    write_card(model, report)
    assert check_model(model)
    assert read_checked(model)["meta.json"] != content

    (model / "meta.json").write_bytes(content)
    with pytest.raises(ZhenglingError, match=r"meta\.json: damaged or replaced"):
        write_card(model, report)


def test_a_folder_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match=r"meta\.json: can't be read"):
        write_card(tmp_path, make_scores(tmp_path))


def test_what_is_no_report_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text("{}")
    with pytest.raises(ZhenglingError, match="not a report of zhengling evaluate"):
        write_card(make_model(tmp_path), tmp_path / "scores.json")


def test_intervals_stand_beside_the_figures(tmp_path: Path) -> None:
    path = make_scores(tmp_path)
    data = json.loads(path.read_text(encoding="utf-8"))
    data["measures"]["entity_f1"]["interval"] = [0.91234, 0.98765]
    path.write_text(json.dumps(data), encoding="utf-8")
    card = write_card(make_model(tmp_path), path).read_text(encoding="utf-8")
    assert "| entity_f1 | 1.0000 | 0.9123–0.9877 |" in card
