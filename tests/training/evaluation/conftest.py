from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.training.evaluation.samples import EVIL, FACTS, noisy
from tests.training.samples import SCHEME, invented_bulletins, write_jsonl

from zhengling.encoder import WindowSettings
from zhengling.schema import Bulletin
from zhengling_training.calibrate import Calibration
from zhengling_training.encoder_files import TOKENIZER, load_encoder
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.breakdown import strings_of
from zhengling_training.evaluation.report import Report, make_report
from zhengling_training.export import build_pipeline, numpy_heads, save_pipeline, to_onnx
from zhengling_training.model import BulletinModel


@pytest.fixture(scope="session")
def gold() -> list[Bulletin]:
    """Twelve bulletins, one with a title that a page must not run, one without any annotation."""
    found = invented_bulletins(12)
    found[1] = replace(found[1], meta={**found[1].meta, "title": EVIL, "source": f"来源{EVIL}"})
    found[2] = replace(found[2], entities=(), sentences=())
    text = f"{EVIL}。"
    return [*found, replace(found[2], id="evil", text=text)]


@pytest.fixture(scope="session")
def predicted(gold: list[Bulletin]) -> list[Bulletin]:
    return noisy(gold, rate=0.5)


@pytest.fixture(scope="session")
def report(gold: list[Bulletin], predicted: list[Bulletin]) -> Report:
    return make_report(
        gold,
        predicted,
        scheme=SCHEME,
        facts=FACTS,
        seen=strings_of(gold[:3]),
        resampling=Resampling(resamples=200),
    )


@pytest.fixture(scope="session")
def pipeline_folder(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline on disk whose network was never trained."""
    torch.manual_seed(4)
    model = BulletinModel(load_encoder(encoder), SCHEME, head_size=16, dropout=0.1).eval()
    heads = numpy_heads(model)
    nlp = build_pipeline(
        model=to_onnx(model),
        tokenizer=(encoder / TOKENIZER).read_bytes(),
        heads=heads,
        calibration=Calibration.none(heads, SCHEME),
        scheme=SCHEME,
        windows=WindowSettings(),
        meta={"name": "untrained", "version": "0.0.1"},
    )
    folder = tmp_path_factory.mktemp("models") / "untrained"
    save_pipeline(nlp, folder)
    return folder


@pytest.fixture(scope="session")
def data_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_jsonl(tmp_path_factory.mktemp("data") / "gold.jsonl", invented_bulletins(5))
