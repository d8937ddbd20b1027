from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from spacy.language import Language

from zhengling.components import bulletin_of
from zhengling.errors import ZhenglingError
from zhengling.packaging import build_wheel

TEXT = "示例市民政局3月5日召开会议。\n会议要求，各地要在4月底前为困难老年人办妥补贴！"

INSTALLED = f"""
import json, sys
import spacy

nlp = spacy.load(sys.argv[1])
nlp.get_pipe("bulletin_encoder").set_threads(1)
import zhengling
from zhengling.report.page import render_page
from zhengling.loading import scheme_of

bulletin = nlp({TEXT!r})._.bulletin
assert "<html" in render_page([bulletin], scheme=scheme_of(nlp), language="zh")
print(json.dumps({{"file": zhengling.__file__, "path": sys.path, "bulletin": bulletin.to_dict()}}))
"""


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.mark.slow
def test_installed_wheels_need_no_source_tree(
    nlp: Language, model: Path, repository: Path, tmp_path: Path
) -> None:
    wheels, target = tmp_path / "wheels", tmp_path / "installed"
    model_wheel = build_wheel(model, wheels)
    assert [path.name for path in wheels.iterdir()] == [model_wheel.name]
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, repository)
    pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", target)
    run(sys.executable, *pip, *wheels.glob("*.whl"))
    # Without `site` the interpreter reads no .pth file, so an editable install is not found.
    path = os.pathsep.join([str(target), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    environment = os.environ | {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}
    out = run(sys.executable, "-S", "-c", INSTALLED, model.name, cwd=tmp_path, env=environment)
    found = json.loads(out)
    assert Path(found["file"]).is_relative_to(target)
    assert not any(Path(entry).is_relative_to(repository / "pipeline") for entry in found["path"])
    assert found["bulletin"] == bulletin_of(nlp(TEXT)).to_dict()


def test_no_wheel_of_what_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ZhenglingError, match="not a model"):
        build_wheel(tmp_path / "folder", tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


def test_no_wheel_of_a_damaged_model(model_copy: Path, tmp_path: Path) -> None:
    (model_copy / "bulletin_encoder" / "encoder.onnx").write_bytes(b"")
    with pytest.raises(ZhenglingError, match=r"encoder\.onnx: damaged"):
        build_wheel(model_copy, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()
