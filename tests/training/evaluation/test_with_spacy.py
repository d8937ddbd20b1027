"""``spacy evaluate`` on a DocBin gives the figures of the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spacy.cli.evaluate import evaluate as evaluate_with_spacy
from tests.training.samples import invented_bulletins

from zhengling.formats import write_bulletins
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.running import Options, evaluate


def test_the_same_figures(pipeline_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "gold.spacy"
    write_bulletins(invented_bulletins(6), path)
    options = Options(resampling=Resampling(resamples=100), threads=1)
    mine = evaluate(str(pipeline_folder), path, options=options).report.scores

    output = tmp_path / "scores.json"
    evaluate_with_spacy(str(pipeline_folder), path, output=output, per_component=True)
    theirs = json.loads(output.read_text(encoding="utf-8"))

    entities, sentences = theirs["entity_tagger"], theirs["sentence_classifier"]
    assert entities["ents_f"] == pytest.approx(mine.entity_micro.f1)
    assert entities["ents_p"] == pytest.approx(mine.entity_micro.precision)
    assert entities["ents_r"] == pytest.approx(mine.entity_micro.recall)
    assert sentences["functions_acc"] == pytest.approx(mine.function_accuracy)
    assert sentences["domains_micro_f"] == pytest.approx(mine.domain_micro.f1)
    assert sentences["sents_f"] == pytest.approx(mine.boundaries.f1)


def test_what_the_table_of_spacy_shows(pipeline_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "gold.spacy"
    write_bulletins(invented_bulletins(2), path)
    found = evaluate_with_spacy(str(pipeline_folder), path)
    assert {"ents_f", "ents_per_type", "sents_f", "speed"} <= found.keys()
