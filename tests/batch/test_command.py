"""``zhengling batch`` as the shell sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.batch.conftest import BOMB
from tests.batch.runs import manifest, rows, texts, write_jsonl
from tests.conftest import Outcome

Cli = Callable[..., Outcome]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "in.jsonl", [*texts(3), BOMB])
    return tmp_path


def test_a_run_and_its_repetition(cli: Cli, folder: Path, tiny: Path) -> None:
    outcome = cli("batch", "in.jsonl", "out", "--model", tiny, "--processes", "1", "--min-score", "0.5")
    assert outcome.out == "4 documents in = 3 rows out + 1 quarantined\n"
    assert outcome.err.endswith("why they are quarantined is in out/quarantine.jsonl\n")
    assert outcome.code == 1
    found = [entity for row in rows(folder / "out") for entity in row["entities"]]
    assert found and all(entity["score"] >= 0.5 for entity in found)
    assert manifest(folder / "out")["settings"]["min_score"] == 0.5
    again = cli("batch", "in.jsonl", "out", "--model", tiny, "--processes", "1", "--min-score", "0.5")
    assert (again.code, again.out) == (outcome.code, outcome.out)
    refused = cli("batch", "in.jsonl", "out", "--model", tiny)
    assert refused.code == 2
    assert "out: holds a run that differs in settings min_score (0.5 there, 0.0 now)" in refused.err


def test_documents_in_a_folder(cli: Cli, folder: Path, tiny: Path) -> None:
    (folder / "in" / "sub").mkdir(parents=True)
    (folder / "in" / "a.txt").write_text("一丁七", encoding="utf-8")
    (folder / "in" / "sub" / "b.md").write_text("一丁七", encoding="utf-8")
    (folder / "in" / "c.jpg").write_bytes(b"\xff")
    outcome = cli("batch", "in", "out", "-m", tiny, "-p", "1")
    assert (outcome.code, outcome.out) == (0, "2 documents in = 2 rows out + 0 quarantined\n")
    assert outcome.err == "1 files are no input of kind documents: 1 .jpg\n"
    assert [row["id"] for row in rows(folder / "out")] == ["a.txt", "sub/b.md"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none", "out"], 1, "none: no such file or folder"),
        (["in.jsonl", "in.jsonl/out"], 2, "input and output lie in one another"),
        (["in.jsonl", "note/out"], 1, "note"),
        (["in.jsonl", "note"], 2, "note: not a folder"),
        (["in.jsonl", "out", "--from", "csv"], 2, "unknown kind of input 'csv'"),
        (["in.jsonl", "out", "--from", "parquet"], 1, "in.jsonl: damaged, not a Parquet file"),
        (["in.jsonl", "out", "--model", "none"], 2, "none: no such model"),
        (["in.jsonl", "out", "--rules", "none.json"], 1, "none.json"),
    ],
)
def test_faults_are_one_line(cli: Cli, folder: Path, arguments: list[str], code: int, says: str) -> None:
    (folder / "note").write_text("")
    outcome = cli("batch", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert says in outcome.err


@pytest.mark.parametrize("option", [["--engine", "slurm"], ["--processes", "0"], ["--part-documents", "0"]])
def test_usage(cli: Cli, folder: Path, option: list[str]) -> None:
    assert cli("batch", "in.jsonl", "out", *option).code == 2
    assert not (folder / "out").exists()


def test_help_names_what_is_written(cli: Cli) -> None:
    outcome = cli("batch", "--help")
    assert all(
        word in outcome.out for word in ("INPUT", "OUTPUT", "quarantine.jsonl", "--overwrite", "--engine")
    )


def test_the_ids_are_those_of_the_input(cli: Cli, folder: Path, tiny: Path) -> None:
    lines = [{"nr": 7, "body": "一丁"}, {"body": "七万"}]
    (folder / "b.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    options = ["--text-column", "body", "--id-column", "nr", "-m", tiny, "-p", "1"]
    assert cli("batch", "b.jsonl", "out", *options).code == 0
    assert [row["id"] for row in rows(folder / "out")] == ["7", "b.jsonl:2"]
