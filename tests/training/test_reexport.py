from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from tests.conftest import Outcome
from tests.training.samples import SCHEME, finetune_recipe, invented_bulletins, write_jsonl

import zhengling
from zhengling.components import bulletin_of
from zhengling.encoder import WindowSettings
from zhengling.errors import ZhenglingError
from zhengling_training.calibrate import Calibration
from zhengling_training.encoder_files import TOKENIZER
from zhengling_training.export import build_pipeline, numpy_heads, save_pipeline, to_onnx
from zhengling_training.export_command import Wanted, export_and_measure
from zhengling_training.finetune import finetune
from zhengling_training.model import BulletinModel
from zhengling_training.network_weights import read_graph
from zhengling_training.reexport import EXACT, encoder_of, measure, print_measured, reexport
from zhengling_training.torch_backend import use_torch

BULLETINS = invented_bulletins(4)


@pytest.fixture
def pipeline(model: BulletinModel, encoder: Path, tmp_path: Path) -> Path:
    """A pipeline in fp32 whose network was never trained."""
    heads = numpy_heads(model)
    nlp = build_pipeline(
        model=to_onnx(model),
        tokenizer=(encoder / TOKENIZER).read_bytes(),
        heads=heads,
        calibration=Calibration(1.5, dict.fromkeys(heads, 2.0), dict.fromkeys(SCHEME.domain_names, 0.4)),
        scheme=SCHEME,
        windows=WindowSettings(60, 10, 300),
        meta={"name": "untrained", "version": "0.0.1"},
    )
    save_pipeline(nlp, tmp_path / "source")
    return tmp_path / "source"


@pytest.mark.parametrize("form", ["rows", "blocks"])
def test_another_form_changes_the_network_alone(pipeline: Path, tmp_path: Path, form: str) -> None:
    reexport(pipeline, tmp_path / form, form=form)
    for part in ("entity_tagger", "sentence_classifier", "config.cfg"):
        files = [pipeline / part] if (pipeline / part).is_file() else sorted((pipeline / part).iterdir())
        for file in files:
            other = tmp_path / form / file.relative_to(pipeline)
            assert other.read_bytes() == file.read_bytes()
    mine, theirs = (zhengling.load(folder, threads=1) for folder in (tmp_path / form, pipeline))
    content = encoder_of(mine).files()["encoder.onnx"]
    assert (b"MatMulNBits" in content, b"MatMulIntegerToFloat" in content) == (
        form == "blocks",
        form == "rows",
    )
    for bulletin in BULLETINS:
        one, other = (bulletin_of(nlp(bulletin.text)) for nlp in (mine, theirs))
        scores = [[s.scores[n] for s in b.sentences for n in SCHEME.function_names] for b in (one, other)]
        np.testing.assert_allclose(*scores, atol=0.05)


def test_windows_can_be_replaced(pipeline: Path, tmp_path: Path) -> None:
    reexport(pipeline, tmp_path / "new", form=EXACT, windows={"window": 80, "overlap": 20})
    assert encoder_of(zhengling.load(tmp_path / "new")).settings == WindowSettings(80, 20, 300)


def test_what_does_not_go_is_refused(pipeline: Path, tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match="no form 'int4'"):
        reexport(pipeline, tmp_path / "new", form="int4")
    with pytest.raises(ZhenglingError, match="overlap 50 must be below half"):
        reexport(pipeline, tmp_path / "new", form="rows", windows={"overlap": 50})
    with pytest.raises(ZhenglingError, match="no such model"):
        reexport(tmp_path / "nowhere", tmp_path / "new", form="rows")
    assert not (tmp_path / "new").exists()


def test_forms_are_measured_against_fp32(pipeline: Path, tmp_path: Path) -> None:
    reexport(pipeline, tmp_path / "rows", form="rows")
    found = measure({EXACT: pipeline, "rows": tmp_path / "rows"}, BULLETINS)
    assert found[EXACT].logits == 0
    assert 0 < found["rows"].logits < 0.1
    assert found["rows"].megabytes < found[EXACT].megabytes
    assert all(0 <= (value or 0) <= 1 for one in found.values() for value in one.scores.values())
    written = io.StringIO()
    print_measured(found, console=Console(file=written, width=200))
    assert "rows" in written.getvalue()
    assert "(+0.00)" in written.getvalue()


def test_a_run_is_exported(encoder: Path, bulletin_file: Path, tmp_path: Path) -> None:
    recipe = finetune_recipe(encoder, bulletin_file, schedule__epochs=1)
    finetune(recipe, run_folder=tmp_path / "run", output=tmp_path / "trained")
    file = tmp_path / "recipe.cfg"
    file.write_text(_as_cfg(recipe.model_dump(mode="json")), encoding="utf-8")
    data = write_jsonl(tmp_path / "data.jsonl", BULLETINS)
    wanted = Wanted(str(tmp_path / "run"), file)
    found = export_and_measure(wanted, tmp_path / "again", form="rows", data=data)
    assert list(found) == [EXACT, "rows"]
    for name in ("bulletin_encoder/encoder.onnx", "entity_tagger/tagger.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "trained" / name).read_bytes()


def _as_cfg(recipe: dict[str, dict[str, object]]) -> str:
    from confection import Config  # noqa: PLC0415

    return Config({name: dict(section) for name, section in recipe.items() if section}).to_str()


def test_the_command(pipeline: Path, tmp_path: Path, cli: Callable[..., Outcome]) -> None:
    outcome = cli("export", str(pipeline), "--output", str(tmp_path / "new"), "--form", "blocks")
    assert (outcome.code, outcome.err.count("\n")) == (0, 1)
    assert (tmp_path / "new" / "config.cfg").is_file()
    refused = cli("export", str(pipeline), "--output", str(tmp_path / "other"), "--form", "int4")
    assert refused.code == 2
    assert "rows" in refused.err
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("precision, tolerance", [(None, 1e-4), (torch.bfloat16, 0.1)])
def test_a_pipeline_runs_on_torch(pipeline: Path, precision: torch.dtype | None, tolerance: float) -> None:
    plain, other = zhengling.load(pipeline, threads=1), zhengling.load(pipeline, threads=1)
    saved = encoder_of(other).files()
    use_torch(other, device="cpu", precision=precision, batch_characters=4000)
    texts = [bulletin.text for bulletin in BULLETINS]
    for one, two in zip(plain.pipe(texts), other.pipe(texts), strict=True):
        mine, theirs = bulletin_of(one), bulletin_of(two)
        for left, right in zip(mine.sentences, theirs.sentences, strict=True):
            assert left.scores == pytest.approx(right.scores, abs=tolerance)
    assert encoder_of(other).files() == saved
    assert encoder_of(other).settings.batch_characters == 4000


def test_parameters_survive_torch(pipeline: Path) -> None:
    nlp = zhengling.load(pipeline)
    network = read_graph(encoder_of(nlp).files()["encoder.onnx"])
    use_torch(nlp, device="cpu", precision=None)
    backend = encoder_of(nlp).encoder.backend  # type: ignore[union-attr]
    for name, value in backend.model.state_dict().items():  # type: ignore[attr-defined]
        np.testing.assert_array_equal(value.numpy(), network.parameters[name])
