"""The command line of evaluate, compare and card, with a pipeline that was never trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Outcome
from tests.training.samples import invented_bulletins, write_jsonl

from zhengling.errors import ZhenglingError
from zhengling_training.evaluation.comparing import conditions

Cli = Callable[..., Outcome]
FAST = ("--resamples", "100", "--threads", "1")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_file: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(data_file, tmp_path / "gold.jsonl")
    return tmp_path


@pytest.fixture
def reports(cli: Cli, folder: Path, pipeline_folder: Path) -> Path:
    """The same model measured twice, the second time better than it is."""
    outcome = cli("evaluate", pipeline_folder, "gold.jsonl", "-o", "a", *FAST)
    assert outcome.code == 0, outcome.err
    shutil.copytree(folder / "a", folder / "b")
    path = folder / "b" / "report.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    strict = data["by_bulletin"]["families"].index("strict")
    for row in data["by_bulletin"]["rows"]:
        hits, predicted, gold = range(3 * strict, 3 * strict + 3)
        row["counts"][hits] = row["counts"][predicted] = row["counts"][gold]
    path.write_text(json.dumps(data), encoding="utf-8")
    return folder


def check_one_line(outcome: Outcome, *, code: int, says: str) -> None:
    assert outcome.code == code, outcome
    assert outcome.err.count("\n") == 1
    assert says in outcome.err


def test_evaluate_prints_and_writes(reports: Path, cli: Cli, pipeline_folder: Path) -> None:
    outcome = cli("evaluate", pipeline_folder, "gold.jsonl", "-o", "a", "--language", "en", *FAST)
    assert outcome.code == 0
    assert "5 bulletins" in outcome.out
    assert outcome.err.endswith("the report is in a\n")
    data = json.loads((reports / "a" / "report.json").read_text(encoding="utf-8"))
    assert data[
        "command"
    ] == f"zhengling evaluate {pipeline_folder} gold.jsonl -o a --language en " + " ".join(FAST)
    assert '<html lang="en">' in (reports / "a" / "report.html").read_text(encoding="utf-8")


def test_evaluate_refuses_before_it_works(cli: Cli, folder: Path) -> None:
    """The model isn't even looked for."""
    check_one_line(cli("evaluate", "none", "gold.jsonl", "-o", "gold.jsonl"), code=2, says="is a file")
    check_one_line(cli("evaluate", "none", "gold.jsonl", "-o", "."), code=2, says="holds gold.jsonl")
    check_one_line(cli("evaluate", "none", "gold.jsonl", "-o", "gold.jsonl/x"), code=2, says="written")


def test_compare_two_reports(reports: Path, cli: Cli) -> None:
    outcome = cli("compare", "a", "b/report.json", "--resamples", "200", "-o", "c.json")
    assert outcome.code == 0, outcome.err
    assert "A: a" in outcome.out and "5 bulletins" in outcome.out
    assert "fewer errors in B, 5" in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())
    assert "…" not in outcome.out
    assert "sentence_boundary_f1 " in outcome.out
    found = json.loads((reports / "c.json").read_text(encoding="utf-8"))
    assert found["measures"]["entity_f1"]["b"] == 1.0
    assert found["measures"]["entity_f1"]["wins"] == 5
    assert len(found["wins"]) == 5
    assert found["losses"] == []


def test_compare_a_model_with_a_report(reports: Path, cli: Cli, pipeline_folder: Path) -> None:
    outcome = cli("compare", pipeline_folder, "a", "gold.jsonl", *FAST, "--no-worse-than", "entity_f1=0")
    assert outcome.code == 0, outcome.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["a", "b", "--fail-under", "entity_f1=0.9"], 0, ""),
        (["b", "a", "--fail-under", "entity_f1=0.9"], 1, "failed: entity_f1 is "),
        (["a", "b", "--no-worse-than", "entity_f1=0.01"], 0, ""),
        (["b", "a", "--no-worse-than", "entity_f1=0.01"], 1, "failed: entity_f1 is worse by "),
        (["b", "a", "--no-worse-than", "entity_f1=1"], 0, ""),
        (["a", "b", "--fail-under", "ece_functions=1"], 0, ""),
        (["a", "b", "--fail-under", "ece_functions=0"], 1, ", over 0"),
        (
            ["a", "b", "--fail-under", "entity_recall/EVENT=0.5"],
            1,
            "failed: entity_recall/EVENT is undefined",
        ),
    ],
)
def test_conditions(reports: Path, cli: Cli, arguments: list[str], code: int, says: str) -> None:
    outcome = cli("compare", *arguments, "--resamples", "100")
    assert (outcome.code, says in outcome.err) == (code, True), outcome
    assert "entity_f1" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a", "none.json"], "none.json: can't be read"),
        (["a", "none"], "none is no report"),
        (["a", "none", "gold.jsonl"], "none: no such model"),
        (["a", "b", "other.jsonl"], "measured on gold.jsonl, which is not other.jsonl"),
        (["a", "gold.json"], "not a report of zhengling evaluate"),
        (["a", "b", "--fail-under", "entity_f=0.5"], "did you mean entity_f1?"),
        (["a", "b", "--fail-under", "entity_f1"], "expected MEASURE=NUMBER"),
        (["a", "b", "--no-worse-than", "entity_f1=2"], "expected MEASURE=NUMBER"),
        (["a", "b", "-o", "a"], "a: a file of figures is one of .json"),
    ],
)
def test_what_can_not_be_compared(reports: Path, cli: Cli, arguments: list[str], says: str) -> None:
    write_jsonl(reports / "other.jsonl", invented_bulletins(2))
    (reports / "gold.json").write_text("{}")
    check_one_line(cli("compare", *arguments, "--resamples", "100"), code=2, says=says)


def test_a_report_that_lacks_its_counts(reports: Path, cli: Cli) -> None:
    path = reports / "a" / "report.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    del data["by_bulletin"]
    path.write_text(json.dumps(data), encoding="utf-8")
    check_one_line(cli("compare", "a", "b"), code=2, says="the report lacks 'by_bulletin'")


def test_conditions_are_read() -> None:
    under, than = conditions(["entity_f1/A=B=0.5"], ["ece_domains=0"])
    assert (under.kind, under.measure, under.value) == ("under", "entity_f1/A=B", 0.5)
    assert (than.kind, than.measure, than.value) == ("than", "ece_domains", 0.0)
    for text in ("=1", "a=", "a=x", "a=nan", "a=-1", "a"):
        with pytest.raises(ZhenglingError, match="expected MEASURE=NUMBER"):
            conditions([text], [])
