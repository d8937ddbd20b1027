from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.training.samples import invented_bulletins, write_jsonl

from zhengling.errors import DataError, ZhenglingError
from zhengling.schema import Entity
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.facts import digest
from zhengling_training.evaluation.report import read_report
from zhengling_training.evaluation.running import Options, check_output, evaluate, write_report

OPTIONS = Options(resampling=Resampling(resamples=100), threads=1, command="zhengling evaluate")


def test_from_model_and_data_to_three_files(pipeline_folder: Path, data_file: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, training=(data_file,))
    found = evaluate(str(pipeline_folder), data_file, options=options)
    write_report(found, tmp_path / "new" / "out", language="en")
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == {
        "report.html",
        "report.json",
        "report.md",
    }
    data = read_report(tmp_path / "new" / "out")
    assert data["model"]["name"] == "zh_untrained"
    assert data["model"]["path"] == str(pipeline_folder)
    assert data["data"]["sha256"] == digest(data_file)
    assert data["data"]["bulletins"] == data["bulletins"] == 5
    assert data["training"][0]["entities"] == data["data"]["entities"]
    assert data["command"] == "zhengling evaluate"
    assert data["run"]["peak_memory"] > 1e7
    assert data["run"]["characters"] == data["data"]["characters"]
    (seen,) = [entry for entry in data["breakdowns"] if entry["by"] == "seen"]
    assert seen["groups"][0]["name"] == "seen"


def test_a_report_replaces_a_report(pipeline_folder: Path, data_file: Path, tmp_path: Path) -> None:
    found = evaluate(str(pipeline_folder), data_file, options=OPTIONS)
    for language in ("zh", "en"):
        write_report(found, tmp_path / "out", language=language)
    assert (tmp_path / "out" / "report.md").read_text(encoding="utf-8").startswith("# Evaluation")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_outputs_that_can_not_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(ZhenglingError, match="is a file; the report needs a folder"):
        check_output(file)
    with pytest.raises(ZhenglingError, match="holds file, which is no report"):
        check_output(tmp_path)
    with pytest.raises(ZhenglingError, match=r"out: can't be written: .*file is a file"):
        check_output(file / "new" / "out")
    check_output(tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()
    with pytest.raises(ZhenglingError, match=r"can't be written: "):
        check_output(Path("/proc/out"))
    assert file.read_text() == "mine"


def test_data_that_can_not_be_measured_on(pipeline_folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(DataError, match=r"empty\.jsonl: nothing to measure on"):
        evaluate(str(pipeline_folder), empty, options=OPTIONS)
    (bulletin,) = invented_bulletins(1)
    strange = replace(bulletin, entities=(Entity(0, 2, "PLANET"),))
    path = write_jsonl(tmp_path / "strange.jsonl", [strange])
    with pytest.raises(DataError, match=r"strange\.jsonl:1: .*unknown label 'PLANET', the scheme has PERSON"):
        evaluate(str(pipeline_folder), path, options=OPTIONS)


@pytest.mark.parametrize("name", ["set.bmes", "set.jsonl.gz"])
def test_sets_of_entities_in_other_forms(pipeline_folder: Path, tmp_path: Path, name: str) -> None:
    """Bulletins without sentences: what the set lacks is undefined, not wrong."""
    path = tmp_path / name
    if name.endswith("bmes"):
        rows = ["赵 B-PERSON", "青 M-PERSON", "山 E-PERSON", "在 O", "", "北 B-LOC", "岭 E-LOC", ""]
        path.write_text("\n".join(rows), encoding="utf-8")
    else:
        lines = [
            {"text": "赵青山在", "ents": [[0, 3, "PERSON"]]},
            {"text": "北岭", "ents": [[0, 2, "LOC"]]},
        ]
        path.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    found = evaluate(str(pipeline_folder), path, options=OPTIONS).report
    assert (found.scores.bulletins, found.scores.entity_micro.gold) == (2, 2)
    assert found.facts.data.sentences == 0
    summary = found.scores.summary()
    assert summary["function_accuracy"] is summary["sentence_boundary_f1"] is None
    assert summary["entity_f1"] is not None
