from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from tests.training.samples import heads_recipe, make_encoder, pretrain_recipe

from zhengling.errors import ZhenglingError
from zhengling_training.encoder_card import CARD, HEADS_PICTURE, PICTURE, learning_curve, write_encoder_card
from zhengling_training.evaluation.models import HEADS
from zhengling_training.ner_heads import RECORD
from zhengling_training.pretrain import HISTORY


def seen(characters: int, loss: float, accuracy: float) -> dict[str, float]:
    return {"characters": characters, "held_out_loss": loss, "held_out_accuracy": accuracy}


@pytest.fixture
def pretrained(tmp_path: Path) -> Path:
    encoder = make_encoder(tmp_path / "encoder")
    recipe = pretrain_recipe(encoder, tmp_path / "corpus.txt").model_dump()
    stages = [
        {"recipe": "by hand", "curve": [seen(1_000_000, 4.5, 0.25)], "seconds": 1800.0},
        {"recipe": recipe, "curve": [seen(500_000, 4.0, 0.3), seen(2_000_000, 3.0, 0.4)], "seconds": 3600.0},
    ]
    (encoder / HISTORY).write_text(json.dumps(stages), encoding="utf-8")
    return encoder


def test_the_curve_counts_characters_over_all_stages(pretrained: Path) -> None:
    points = learning_curve(json.loads((pretrained / HISTORY).read_text(encoding="utf-8")))
    assert [point.characters for point in points] == [1_000_000, 1_500_000, 3_000_000]
    assert [point.accuracy for point in points] == [0.25, 0.3, 0.4]


def test_the_card_tells_stages_and_size(pretrained: Path) -> None:
    assert write_encoder_card(pretrained) == pretrained / CARD
    card = (pretrained / CARD).read_text(encoding="utf-8")
    assert "| by hand | 1.0 | 0.5 | 4.500 | 0.250 |" in card
    assert "| 2.0 | 1.0 | 3.000 | 0.400 |" in card
    assert "2 layers of 32" in card
    assert f"({PICTURE})" in card


def test_the_picture_has_a_dot_for_every_measurement(pretrained: Path) -> None:
    write_encoder_card(pretrained)
    picture = ET.fromstring((pretrained / PICTURE).read_text(encoding="utf-8"))
    dots = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert len(dots) == 6  # three of accuracy, three of loss
    heights = [float(dot.attrib["cy"]) for dot in dots[:3]]
    assert heights == sorted(heights, reverse=True)  # accuracy rises


def test_the_card_shows_heads_with_a_line_for_each(pretrained: Path) -> None:
    recipe = heads_recipe(pretrained, {"msra": {"scheme": "x", "train": []}}).model_dump()
    score = {"p": 0.5, "r": 0.25, "f1": 1 / 3, "tp": 1, "fp": 1, "fn": 3, "texts": 2}
    curve = [{"step": 5, "msra_f1": None}, {"step": 10, "msra_f1": 0.4}]
    record = {"recipe": recipe, "curve": curve, "seconds": 3600.0, "scores": {"msra": score}}
    path = pretrained / HEADS / RECORD
    path.parent.mkdir()
    path.write_text(json.dumps(record), encoding="utf-8")
    card = write_encoder_card(pretrained).read_text(encoding="utf-8")
    assert "| msra | 2 | 4 | 0.500 | 0.250 | 0.333 |" in card
    assert f"({HEADS_PICTURE})" in card
    picture = ET.fromstring((pretrained / HEADS_PICTURE).read_text(encoding="utf-8"))
    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == 1


def test_an_encoder_without_history_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match=HISTORY):
        write_encoder_card(make_encoder(tmp_path / "encoder"))
