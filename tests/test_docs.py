"""The documentation is run: its snippets, its commands, its recipes, its links and its tables."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from zhengling.formats import REGISTRY, read_bulletins, write_bulletins
from zhengling.schema import LabelScheme
from zhengling.store.database import open_database
from zhengling.store.tables import Stored

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = "README.md", "README.zh.md"
PAGES = (
    ENGLISH,
    CHINESE,
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
)
RUN = ("analyze", "batch", "ledger", "stats", "convert", "evaluate", "compare", "version")
# Files of other tools, and of earlier work, that the pages name.
FOREIGN = {"export.json": "label_studio", "old.conll": "conll"}
SCHEME = LabelScheme.from_file(ROOT / "configs" / "schemes" / "zh_bulletin.json")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)


def commands(name: str) -> list[str]:
    """Commands of the bash blocks, continuation lines joined, without comments."""
    lines = "\n".join(blocks(name, "bash")).replace("\\\n", " ").splitlines()
    return [re.sub(r"\s+#\s.*", "", line).strip() for line in lines]


def distinct(find: Callable[[str], list[str]]) -> list[str]:
    return list(dict.fromkeys(found for name in PAGES for found in find(name)))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The data of the repository in a folder where commands may write."""
    for name in ("configs", "corpus", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "models").symlink_to(ROOT / "models")
    with open_database(tmp_path / "results.duckdb") as database:
        database.add_model("gold", SCHEME)
        gold = read_bulletins(tmp_path / "examples" / "annotated")
        database.add([Stored(bulletin.id, "", "gold", bulletin) for bulletin in gold])
    for name, form in FOREIGN.items():
        write_bulletins(read_bulletins(tmp_path / "examples" / "annotated"), tmp_path / name, format=form)
    script = tmp_path / ".bin" / "zhengling"
    script.parent.mkdir()
    # Guarded, as installed scripts are: worker processes import it.
    script.write_text(
        f"#!{sys.executable}\nfrom zhengling.cli import main\nif __name__ == '__main__':\n    main()\n"
    )
    script.chmod(0o755)
    return tmp_path


def run(command: list[str], *, folder: Path) -> str:
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(str(ROOT / source) for source in ("pipeline", "training")),
        "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.parametrize("snippet", distinct(lambda name: blocks(name, "python")))
def test_snippets_run(snippet: str, checkout: Path) -> None:
    run([sys.executable, "-c", snippet], folder=checkout)


@pytest.mark.parametrize(
    "command",
    [c for c in distinct(commands) if re.match(rf"zhengling ({'|'.join(RUN)})\b", c)],
)
def test_commands_run(command: str, checkout: Path) -> None:
    run(["bash", "-c", command], folder=checkout)
    words = shlex.split(command)
    for option, value in pairwise(words):
        if option in ("--output", "-o"):
            assert (checkout / value).stat().st_size > 0


@pytest.mark.parametrize(
    "command", [c for c in distinct(commands) if re.match(r"zhengling (train|pretrain)\b", c)]
)
def test_recipes_are_valid(command: str) -> None:
    config = pytest.importorskip("zhengling_training.config")
    kinds = {
        "train": pytest.importorskip("zhengling_training.finetune").FinetuneRecipe,
        "pretrain": pytest.importorskip("zhengling_training.pretrain").PretrainRecipe,
    }
    _, kind, recipe, *rest = shlex.split(command)
    changes = dict(value.split("=", 1) for option, value in pairwise(rest) if option == "--set")
    overrides = {key: json.loads(value) for key, value in changes.items()}
    config.load_recipe(ROOT / recipe, kinds[kind], overrides=overrides)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(
        r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```|`[^`\n]*`", "", page(name), flags=re.DOTALL)
    ):
        if re.match(r"\w+://", target):
            continue
        assert ((ROOT / name).parent / target).exists(), f"{name}: {target}"


def test_both_readmes_say_the_same() -> None:
    assert [len(heading) for heading in re.findall(r"^#+(?= )", page(ENGLISH), re.MULTILINE)] == [
        len(heading) for heading in re.findall(r"^#+(?= )", page(CHINESE), re.MULTILINE)
    ]
    for language in ("python", "bash"):
        assert blocks(ENGLISH, language) == blocks(CHINESE, language)
    assert figures(ENGLISH, section="Accuracy") == figures(CHINESE, section="准确率") != []


def figures(name: str, *, section: str) -> list[str]:
    """The last column of a section's table."""
    _, text = page(name).split(f"\n## {section}\n")
    rows = [line for line in text.split("\n## ")[0].splitlines() if line.startswith("| ")]
    return [row.removesuffix(" |").rsplit(" | ", 1)[-1] for row in rows[1:]]


@pytest.mark.parametrize("name", [ENGLISH, CHINESE])
def test_tables_name_all_labels_and_formats(name: str) -> None:
    for label in SCHEME.labels.values():
        assert f"| `{label.name}` | {label.zh} |" in page(name)
    for entry in REGISTRY.values():
        assert f"| `{entry.name}` | " in page(name)
        assert all(f"`{suffix}`" in page(name) for suffix in entry.suffixes)


def test_examples_are_the_annotated_texts() -> None:
    annotated = list(read_bulletins(ROOT / "examples" / "annotated", scheme=SCHEME))
    assert {b.id for b in annotated} == {path.stem for path in (ROOT / "examples").glob("*.txt")}
    for bulletin in annotated:
        assert (ROOT / "examples" / f"{bulletin.id}.txt").read_text(encoding="utf-8") == bulletin.text + "\n"
