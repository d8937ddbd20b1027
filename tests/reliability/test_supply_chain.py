"""Nothing is unpickled, evaluated or fetched: by what the sources say, and by what happens when they run."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhengling.manifest import read_checked

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for part in ("pipeline", "training") for path in (ROOT / part).rglob("*.py"))
UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CLIENTS = {
    "socket",
    "urllib.request",
    "http.client",
    "requests",
    "httpx",
    "aiohttp",
    "ftplib",
    "huggingface_hub",
}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {"torch.load", "np.load", "numpy.load", "yaml.load", "yaml.unsafe_load", "os.system", "os.popen"}
KEYWORDS = {"trust_remote_code", "allow_pickle", "shell", "weights_only"}


def forbidden(source: str) -> Iterator[str]:
    """What a source holds that it must not, each with its line."""
    for node in ast.walk(ast.parse(source)):
        found: set[str] = set()
        if isinstance(node, ast.Import):
            found = _modules(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found = _modules([node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found = {name} & (BUILTINS | CALLS) | {keyword.arg or "" for keyword in node.keywords} & KEYWORDS
        yield from (f"{node.lineno}: {name}" for name in sorted(found))  # type: ignore[attr-defined]


def _modules(names: Iterator[str] | list[str]) -> set[str]:
    return {name for name in names if name in CLIENTS | CALLS or name.split(".")[0] in UNPICKLERS | CLIENTS}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_sources_neither_unpickle_nor_evaluate_nor_fetch(path: Path) -> None:
    assert list(forbidden(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.numpy_pickle",
        "from torch import load",
        "torch.load(path)",
        "np.load(path)",
        "model = f(x, trust_remote_code=True)",
        "eval(text)",
        "import socket",
        "from urllib.request import urlopen",
        "from urllib import request",
        "subprocess.run(command, shell=True)",
    ],
)
def test_they_would_be_found(source: str) -> None:
    """Guards the test above."""
    assert list(forbidden(source))


# Audit events can't be avoided by any library, and what is noted can't be swallowed by one.
WATCHED = """
import json, sys
seen = {}

def note(event, arguments):
    if event.startswith(("socket.", "urllib.", "ftplib.", "smtplib.")) or event == "pickle.find_class":
        seen.setdefault(now, []).append(f"{event} {arguments[1:]!r}"[:200])

sys.addaudithook(note)
folder, root = sys.argv[1:]
from pathlib import Path
from zhengling.cli import main

def run(*command):
    sys.argv = ["zhengling", *command]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, (command, stop.code)

now = "analyze"
Path(folder, "a.txt").write_text("各地要在年底前为困难老年人办妥补贴。", encoding="utf-8")
run("analyze", f"{folder}/a.txt", "-o", f"{folder}/o.html")
now = "evaluate"
from tests.strategies import SCHEME
data = f"{root}/examples/annotated"
run("evaluate", f"{root}/models/zh_bulletin_sm", data, "-o", f"{folder}/report", "--resamples", "100")
now = "train"
from tests.training.samples import finetune_overrides, invented_bulletins, make_encoder, write_jsonl
data = write_jsonl(Path(folder, "data.jsonl"), invented_bulletins(4))
changes = finetune_overrides(make_encoder(Path(folder, "encoder")), data, schedule__epochs=1)
settings = [part for key, value in changes.items() for part in ("--set", f"{key}={json.dumps(value)}")]
recipe = f"{root}/configs/zh_bulletin_sm.cfg"
run("train", recipe, "-o", f"{folder}/model", "--run-folder", f"{folder}/run", *settings)
print("seen", json.dumps(seen))
"""
# urllib3, which other libraries import, looks whether this machine has IPv6; nothing leaves it.
PROBE = ["socket.__new__ (10, 1, 0)", "socket.bind (('::1', 0),)"]


@pytest.mark.slow
def test_analysis_evaluation_and_training_open_no_socket_and_unpickle_nothing(tmp_path: Path) -> None:
    paths = os.pathsep.join(str(ROOT / part) for part in ("", "pipeline", "training"))
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(tmp_path), str(ROOT)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("seen "))
    for command, events in json.loads(line.removeprefix("seen ")).items():
        assert [event for event in events if event not in PROBE] == [], command
    assert {"o.html", "report", "model"} <= {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["zh_bulletin_sm", "encoder"])
def test_weights_are_in_forms_that_run_nothing(name: str) -> None:
    model = ROOT / "models" / name
    assert read_checked(model)
    suffixes = {path.suffix for path in model.rglob("*") if path.is_file()}
    assert suffixes <= {".safetensors", ".onnx", ".json", ".cfg", ".md", ".svg", ".bin", ""}
    # spaCy's vocabulary: an array without objects, and MessagePack.
    for path in model.glob("vocab/*"):
        assert not re.search(rb"\x80[\x02-\x05]", path.read_bytes()[:2]), path


def test_versions_are_pinned() -> None:
    """A version that nobody tested can't slip in by ``make``."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line) for line in lines if not line.startswith("#"))
