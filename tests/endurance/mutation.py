"""Mutation testing with mutmut: small changes of the code, and whether its tests notice each of them.

    pip install mutmut
    python -m tests.endurance.mutation --part windows

It works on a copy, in which both source roots are one folder ``src``: mutmut knows no others.
Exit status: 0 every part has enough of its mutants killed, 1 one hasn't.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).parents[2]
FATES = ("killed", "timeout", "survived", "suspicious", "segfault", "no_tests")
COPIED = ("configs", "corpus", "docs", "examples", "models", "tests")
SETTINGS = """
[tool.pytest.ini_options]
pythonpath = ["src"]
addopts = "--import-mode=importlib"

[tool.mutmut]
source_paths = ["src"]
only_mutate = [{modules}]
also_copy = [{copied}]
pytest_add_cli_args_test_selection = [{tests}]
"""


@dataclass(frozen=True)
class Part:
    """What is changed, and the tests that should notice."""

    modules: Sequence[str]
    tests: Sequence[str]


PARTS: Mapping[str, Part] = {
    "windows": Part(["zhengling/windows.py"], ["tests/test_windows.py"]),
    "decoding": Part(["zhengling/decoding.py"], ["tests/test_decoding.py"]),
    "formats": Part(["zhengling/formats/*.py"], ["tests/formats"]),
    "metrics": Part(
        ["zhengling_training/evaluation/metrics.py"], ["tests/training/evaluation/test_metrics.py"]
    ),
}


def run(part: Part, folder: Path, *, ending: str = "") -> dict[str, int]:
    """Test the mutants of a part in a folder, those whose numbers end so; their number by fate."""
    for source in ("pipeline/zhengling", "training/zhengling_training"):
        shutil.copytree(ROOT / source, folder / "src" / Path(source).name)
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name)
    settings = SETTINGS.format(
        modules=_list(f"src/{name}" for name in part.modules), copied=_list(COPIED), tests=_list(part.tests)
    )
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    # CI: Hypothesis then draws the same examples for each mutant, and takes no busy machine for a fault.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"CI": "1"}
    program = Path(sys.executable).with_name("mutmut")
    for command in (["run", *([f"*{ending}"] if ending else [])], ["export-cicd-stats"]):
        subprocess.run([program, *command], cwd=folder, env=environment, check=True)
    stats = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    found = {name: count for name, count in stats.items() if isinstance(count, int) and count}
    return found | {"total": sum(found.get(fate, 0) for fate in FATES)}


def _list(names: Iterable[str]) -> str:
    return json.dumps(list(names))[1:-1]


def main(
    part: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(PARTS)}; all if left out.")] = None,
    ending: Annotated[str, typer.Option(help="A sample: mutants whose numbers end so, such as 3.")] = "",
    least: Annotated[float, typer.Option(help="Share of mutants to be killed.")] = 0.85,
) -> None:
    """Test mutants and print how many were killed."""
    short = []
    for name in part or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            found = run(PARTS[name], Path(folder), ending=ending)
        killed = (found.get("killed", 0) + found.get("timeout", 0)) / found["total"]
        print(json.dumps({"part": name, "killed_share": round(killed, 3), **found}), flush=True)
        if killed < least:
            short.append(name)
    if short:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
