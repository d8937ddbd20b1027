from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

import zhengling
from zhengling.components import BulletinEncoderPipe, bulletin_of
from zhengling.errors import ZhenglingError
from zhengling.loading import find_model, load_pipeline, scheme_of
from zhengling.manifest import MANIFEST, seal
from zhengling.schema import LabelScheme

TEXT = "示例市民政局3月5日召开会议。\n会议要求，各地要在4月底前为困难老年人办妥补贴！"

# An audit hook sees what the interpreter does, whatever library asks for it.
ALONE = f"""
import sys

def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"network: {{event}} {{arguments}}")

sys.addaudithook(refuse)
# thinc imports torch where it finds it; here it finds none of what only training needs.
for name in ("torch", "transformers", "tokenizers", "accelerate", "datasets", "sklearn", "onnx"):
    sys.modules[name] = None
import json
import spacy

nlp = spacy.load(sys.argv[1])
nlp.get_pipe("bulletin_encoder").set_threads(1)
print(json.dumps(nlp({TEXT!r})._.bulletin.to_dict()))
"""


def test_spacy_alone_opens_a_pipeline_without_network_or_torch(
    nlp: Language, model: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(model)],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == bulletin_of(nlp(TEXT)).to_dict()


def test_no_module_of_the_pipeline_asks_for_what_only_training_needs(repository: Path) -> None:
    training = {
        "torch",
        "transformers",
        "tokenizers",
        "accelerate",
        "datasets",
        "sklearn",
        "zhengling_training",
    }
    for path in (repository / "pipeline").rglob("*.py"):
        found = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
        assert not found & training, path


def test_the_command_line_loads_nothing_heavy_for_its_help() -> None:
    code = "import sys, zhengling.cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"spacy", "onnxruntime", "torch", "numpy"} & set(done.stdout.split())


@pytest.mark.parametrize("how", [str, Path])
def test_folder_name_and_default_are_one_model(
    how: type, nlp: Language, model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = bulletin_of(nlp(TEXT))
    assert bulletin_of(zhengling.load(how(model), threads=1)(TEXT)) == expected
    monkeypatch.chdir(tmp_path)
    assert find_model(None) == find_model(model.name) == model
    assert bulletin_of(zhengling.load(threads=1)(TEXT)) == expected


def test_threads_and_length(model: Path) -> None:
    pipeline = load_pipeline(model, threads=3)
    pipe = pipeline.get_pipe("bulletin_encoder")
    assert isinstance(pipe, BulletinEncoderPipe)
    assert pipe.threads == 3
    assert pipeline.max_length > 10**9


def test_the_scheme_travels_with_the_model(nlp: Language) -> None:
    scheme = scheme_of(nlp)
    assert isinstance(scheme, LabelScheme)
    assert nlp.get_pipe("entity_tagger").labels == scheme.entity_names
    with pytest.raises(ZhenglingError, match="no trained entity_tagger"):
        scheme_of(spacy.blank("zh"))


def test_a_name_that_is_nearly_right() -> None:
    with pytest.raises(ZhenglingError, match=r"did you mean zh_bulletin_sm\?"):
        zhengling.load("zh_buletin_sm")


@pytest.mark.parametrize("name", ["no_such_model", "/no/such/folder", "no/such/folder", "../x"])
def test_a_model_that_is_nowhere(name: str) -> None:
    with pytest.raises(ZhenglingError, match="no such model") as caught:
        zhengling.load(name)
    assert name in str(caught.value)


def test_a_folder_or_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ZhenglingError, match="not a model, it has no config"):
            zhengling.load(path)


@pytest.mark.parametrize("name", ["numpy", "spacy", "tqdm"])
def test_a_package_that_is_no_model(name: str) -> None:
    with pytest.raises(ZhenglingError, match=name):
        zhengling.load(name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.cfg", ""),
        ("config.cfg", "no config"),
        ("config.cfg", "[nlp]\nlang = 7\n"),
        ("config.cfg", '[nlp]\nlang = "zh"\npipeline = ["absent"]\n'),
        ("meta.json", ""),
        ("meta.json", "[]"),
        ("vocab/strings.json", "{"),
        ("vocab/lookups.bin", "x"),
    ],
)
def test_a_faulty_file_gives_one_line(name: str, content: str, model_copy: Path) -> None:
    (model_copy / name).write_text(content)
    seal(model_copy)
    with pytest.raises(ZhenglingError, match="not a pipeline that can be loaded") as caught:
        zhengling.load(model_copy)
    assert str(model_copy) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_without_a_manifest_loads_with_a_warning(
    model_copy: Path, caplog: pytest.LogCaptureFixture
) -> None:
    zhengling.load(model_copy, threads=1)
    assert caplog.messages == []
    (model_copy / MANIFEST).unlink()
    zhengling.load(model_copy, threads=1)
    assert caplog.messages == [
        f"{model_copy}: has no {MANIFEST}, so some of its files can't be checked; see zhengling seal"
    ]
