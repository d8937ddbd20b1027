from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Outcome

import zhengling
from zhengling.formats import read_bulletins, write_bulletins
from zhengling.manifest import seal
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence

Cli = Callable[..., Outcome]
TEXT = "示例市民政局召开会议\n3月5日，示例市民政局召开会议，部署老年人服务工作。\n"
GOLD = [
    Bulletin(
        id=f"g{number}",
        text="示例市民政局召开会议。各地要关心老年人。",
        entities=(Entity(0, 6, "ORG"), Entity(16, 19, "GROUP")),
        sentences=(Sentence(0, 11, "REPORT"), Sentence(11, 20, "DIRECTIVE", ("elderly",))),
    )
    for number in (1, 2)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two bulletins."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_bytes((name[0] + TEXT).encode("utf-8"))
    return tmp_path


def ids(text: str) -> list[str]:
    return [json.loads(line)["id"] for line in text.splitlines()]


def check_one_line(outcome: Outcome, *, code: int, says: str) -> None:
    assert outcome.code == code, outcome
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert says in outcome.err
    assert outcome.out == ""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# analyze


def test_the_installed_command(folder: Path) -> None:
    command = Path(sys.executable).with_name("zhengling")
    done = subprocess.run([command, "analyze", "a.txt", "-f", "jsonl"], capture_output=True, check=False)
    assert done.returncode == 0
    assert done.stderr == b""
    assert json.loads(done.stdout)["text"] == "a" + TEXT


@pytest.mark.parametrize("name", ["table", "jsonl", "html", "conll", "bulletin"])
def test_formats_on_standard_output(cli: Cli, folder: Path, name: str) -> None:
    outcome = cli("analyze", "a.txt", "--format", name, "--threads", "1")
    assert (outcome.code, outcome.err) == (0, "")
    assert "民" in outcome.out


@pytest.mark.parametrize(
    ("output", "beginning"),
    [
        ("o.jsonl", '{"id": "a"'),
        ("o.JSON", '{"id": "a"'),
        ("o.html", "<!doctype html"),
        ("o.htm", "<!doctype html"),
        ("o.conll", "#"),
        ("o.bulletin", "id: a"),
        ("o.txt", ""),
        ("o", ""),
    ],
)
def test_the_suffix_of_the_output_says_the_format(
    cli: Cli, folder: Path, output: str, beginning: str
) -> None:
    outcome = cli("analyze", "a.txt", "--output", output)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    content = (folder / output).read_text(encoding="utf-8")
    assert content.lower().lstrip().startswith(beginning.lower())
    assert "民" in content


def test_the_format_outranks_the_suffix(cli: Cli, folder: Path) -> None:
    assert cli("analyze", "a.txt", "-f", "jsonl", "-o", "o.html").code == 0
    assert ids((folder / "o.html").read_text(encoding="utf-8")) == ["a"]


@pytest.mark.parametrize("arguments", [["a.txt", "b.txt"], ["."], ["*.txt"], ["a.txt", ".", "b.txt"]])
def test_several_inputs_in_one_file(cli: Cli, folder: Path, arguments: list[str]) -> None:
    assert cli("analyze", *arguments, "-o", "new/o.jsonl", "--batch-size", "1").code == 0
    found = list(read_bulletins(folder / "new" / "o.jsonl"))
    assert [b.id for b in found] == ["a", "b"]
    assert [b.text for b in found] == ["a" + TEXT, "b" + TEXT]


def test_files_of_other_kinds_in_a_folder_are_named(cli: Cli, folder: Path) -> None:
    (folder / "c.csv").write_text("1", encoding="utf-8")
    done = cli("analyze", str(folder), "--format", "jsonl")
    assert done.code == 0
    assert "files of other kinds in the folders were left out: 1 .csv" in done.err


def test_standard_input(cli: Cli, folder: Path) -> None:
    outcome = cli("analyze", "-", "-f", "jsonl", stdin=TEXT.encode("gb18030"))
    assert outcome.code == 0
    assert json.loads(outcome.out)["text"] == TEXT


def test_min_score_and_language(cli: Cli, folder: Path) -> None:
    outcome = cli("analyze", "a.txt", "-f", "jsonl", "--min-score", "1")
    assert all(entity["score"] == 1 for entity in json.loads(outcome.out)["entities"])
    assert cli("analyze", "a.txt", "--language", "en").out != cli("analyze", "a.txt", "--language", "zh").out


@pytest.mark.parametrize("name", ["o.csv", "o.xlsx", "o.docx", "o.htlm"])
def test_no_table_under_the_name_of_another_format(cli: Cli, folder: Path, name: str) -> None:
    check_one_line(cli("analyze", "a.txt", "-o", name), code=2, says=f"{name}: an analysis whose --format")
    assert cli("analyze", "a.txt", "-o", name, "-f", "table").code == 0


@pytest.mark.parametrize(
    "arguments", [("check", "g.jsonl"), ("stats", "g.duckdb"), ("compare", "x", "y", "g.jsonl")]
)
def test_figures_are_not_written_under_the_name_of_another_format(
    cli: Cli, folder: Path, arguments: tuple[str, ...]
) -> None:
    check_one_line(cli(*arguments, "-o", "o.csv"), code=2, says="o.csv: a ")


def test_some_inputs_fail_and_the_others_are_written(cli: Cli, folder: Path) -> None:
    (folder / "empty.txt").write_text("")
    outcome = cli("analyze", "a.txt", "none.txt", "empty.txt", "b.txt", "-o", "o.jsonl")
    assert outcome.code == 1
    assert outcome.err.splitlines() == [
        "error: none.txt: no such file or folder",
        "error: empty.txt: empty: there is no text to analyse",
    ]
    assert ids((folder / "o.jsonl").read_text(encoding="utf-8")) == ["a", "b"]


def test_all_inputs_fail_and_the_old_output_stays(cli: Cli, folder: Path) -> None:
    (folder / "o.jsonl").write_text("old")
    check_one_line(cli("analyze", "none*.txt", "-o", "o.jsonl"), code=2, says="none*.txt: no file fits")
    assert (folder / "o.jsonl").read_text() == "old"


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze"],
        ["analyze", "a.txt", "--format", "xml"],
        ["analyze", "a.txt", "--min-score", "2"],
        ["analyze", "a.txt", "--threads", "0"],
        ["analyze", "a.txt", "--batch-size", "0"],
        ["analyse", "a.txt"],
        ["--no-such-option"],
    ],
)
def test_usage(cli: Cli, folder: Path, arguments: list[str]) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("model", ["a.txt", ".", "no_such_model", "/no/such/model"])
def test_a_model_that_is_none(cli: Cli, folder: Path, model: str) -> None:
    (folder / "o.jsonl").write_text("old")
    check_one_line(cli("analyze", "a.txt", "-m", model, "-o", "o.jsonl"), code=2, says=model)
    assert (folder / "o.jsonl").read_text() == "old"


def test_damaged_weights(cli: Cli, folder: Path, model_copy: Path) -> None:
    path = model_copy / "bulletin_encoder" / "encoder.onnx"
    path.write_bytes(path.read_bytes()[:-7])
    (folder / "o.jsonl").write_text("old")
    check_one_line(cli("analyze", "a.txt", "-m", model_copy, "-o", "o.jsonl"), code=2, says=str(path))
    assert (folder / "o.jsonl").read_text() == "old"


def test_weights_that_onnx_runtime_does_not_take(cli: Cli, folder: Path, model_copy: Path) -> None:
    encoder = model_copy / "bulletin_encoder"
    (encoder / "encoder.onnx").write_bytes(b"other")
    seal(model_copy)
    (folder / "o.jsonl").write_text("old")
    outcome = cli("analyze", "a.txt", "-m", model_copy, "-o", "o.jsonl")
    check_one_line(outcome, code=2, says="can't be opened")
    assert (folder / "o.jsonl").read_text() == "old"


def test_an_output_that_can_not_be_written(cli: Cli, folder: Path) -> None:
    before = names(folder)
    check_one_line(cli("analyze", "a.txt", "-f", "jsonl", "-o", "b.txt/o.jsonl"), code=1, says="b.txt")
    assert names(folder) == before


def test_an_output_that_is_a_folder(cli: Cli, folder: Path) -> None:
    (folder / "o.jsonl").mkdir()
    outcome = cli("analyze", "a.txt", "-o", "o.jsonl")
    assert names(folder) == {"a.txt", "b.txt", "o.jsonl"}
    check_one_line(outcome, code=1, says="o.jsonl: ")
    assert ".part" not in outcome.err


def test_a_file_name_in_another_encoding(cli: Cli, folder: Path) -> None:
    name = os.fsdecode("公告.txt".encode("gbk"))
    (folder / name).write_text(TEXT, encoding="utf-8")
    assert cli("analyze", name, "-o", "o.jsonl").code == 0


# convert


def test_convert(cli: Cli, folder: Path) -> None:
    write_bulletins(GOLD, folder / "g.jsonl")
    outcome = cli("convert", "g.jsonl", "g.conll")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "2 bulletins written to g.conll\n"
    assert cli("convert", "g.conll", "back.jsonl").code == 0
    assert list(read_bulletins(folder / "back.jsonl")) == GOLD


def faulty_lines(folder: Path) -> Path:
    path = folder / "g.jsonl"
    data = [bulletin.to_dict() for bulletin in GOLD]
    data[1]["entities"][0]["end"] = 99
    path.write_text("".join(json.dumps(one) + "\n" for one in data), encoding="utf-8")
    return path


def test_convert_stops_at_a_fault_and_writes_nothing(cli: Cli, folder: Path) -> None:
    faulty_lines(folder)
    (folder / "o.bulletin").write_text("old")
    check_one_line(cli("convert", "g.jsonl", "o.conll"), code=1, says="g.jsonl:2: ")
    assert names(folder) == {"a.txt", "b.txt", "g.jsonl", "o.bulletin"}


def test_convert_lenient_says_what_it_leaves_out(cli: Cli, folder: Path) -> None:
    faulty_lines(folder)
    outcome = cli("convert", "--lenient", "g.jsonl", "o.jsonl")
    assert outcome.code == 0
    assert "g.jsonl:2: " in outcome.err
    assert outcome.err.endswith("bulletins written to o.jsonl\n")
    kept = list(read_bulletins(folder / "o.jsonl"))
    assert kept[0] == GOLD[0]


def test_convert_that_finds_no_bulletin_says_so(cli: Cli, folder: Path) -> None:
    (folder / "g.jsonl").write_text("")
    outcome = cli("convert", "g.jsonl", "o.jsonl")
    assert (outcome.code, outcome.err) == (1, "0 bulletins written to o.jsonl\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none.jsonl", "o.conll"], 1, "none.jsonl: no such file"),
        (["a.txt", "o.conll"], 1, "a.txt: its name fits no format"),
        (["a.txt", "o.conll", "--from", "jsonll"], 2, "did you mean jsonl?"),
        (["a.txt", "o.conll", "--from", "jsonl"], 1, "a.txt:1: "),
        (["a.txt", "o.conll", "--from", "jsonl", "--scheme", "none.json"], 2, "none.json"),
    ],
)
def test_convert_faults(cli: Cli, folder: Path, arguments: list[str], code: int, says: str) -> None:
    check_one_line(cli("convert", *arguments), code=code, says=says)
    assert not (folder / "o.conll").exists()


# evaluate


def test_evaluate_prints_and_writes(cli: Cli, folder: Path, model: Path, scheme: LabelScheme) -> None:
    write_bulletins(GOLD, folder / "g.jsonl")
    outcome = cli("evaluate", model, "g.jsonl", "--output", "reports/s", "--threads", "1")
    assert outcome.code == 0, outcome.err
    assert "2 bulletins" in outcome.out
    report = json.loads((folder / "reports" / "s" / "report.json").read_text(encoding="utf-8"))
    assert report["model"]["path"] == str(model)
    assert report["data"]["path"] == "g.jsonl"
    assert report["versions"]["zhengling"] == zhengling.__version__
    assert names(folder / "reports" / "s") == {"report.html", "report.json", "report.md"}
    assert cli("compare", "reports/s", "reports/s").code == 0


def test_evaluate_faults(cli: Cli, folder: Path, model: Path) -> None:
    faulty_lines(folder)
    check_one_line(cli("evaluate", model, "g.jsonl", "-o", "s"), code=1, says="g.jsonl:2: ")
    check_one_line(cli("evaluate", model, "none.jsonl", "-o", "s"), code=1, says="none.jsonl")
    check_one_line(cli("evaluate", "none", "g.jsonl", "-o", "s"), code=2, says="none")
    assert not (folder / "s").exists()


# package, train, version


def test_package_faults(cli: Cli, folder: Path) -> None:
    check_one_line(cli("package", "a.txt", "-o", "dist"), code=2, says="a.txt: not a model")
    assert not (folder / "dist").exists()


@pytest.mark.slow
def test_package(cli: Cli, folder: Path, model: Path) -> None:
    outcome = cli("package", model, "--output", "dist")
    assert outcome.code == 0, outcome.err
    (wheel,) = (folder / "dist").iterdir()
    assert outcome.out.split() == [str(wheel.relative_to(folder))]
    assert wheel.name.startswith(f"{model.name}-")


@pytest.mark.parametrize("command", ["train", "pretrain"])
def test_recipes_that_are_not_there(cli: Cli, folder: Path, command: str) -> None:
    before = names(folder)
    check_one_line(cli(command, "none.cfg"), code=2, says="none.cfg")
    check_one_line(cli(command, "none.cfg", "--set", "schedule.seed"), code=2, says="schedule.seed")
    assert names(folder) == before


def test_version_and_help(cli: Cli) -> None:
    assert cli("version").out == f"{zhengling.__version__}\n"
    outcome = cli("--help")
    assert outcome.code == 0
    assert all(name in outcome.out for name in ("analyze", "convert", "train", "evaluate", "package"))


@pytest.mark.parametrize(
    "arguments", [["a.txt", "-f", "jsonl", "-o", "a.txt"], [".", "-f", "table", "-o", "b.txt"]]
)
def test_an_input_is_not_written_over(cli: Cli, folder: Path, arguments: list[str]) -> None:
    before = [(folder / name).read_bytes() for name in ("a.txt", "b.txt")]
    done = cli("analyze", *arguments)
    assert (done.code, "is one of the inputs" in done.err) == (2, True)
    assert [(folder / name).read_bytes() for name in ("a.txt", "b.txt")] == before


def test_a_terminal_that_lacks_characters_ends_nothing(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "zhengling", "analyze", "a.txt"],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
