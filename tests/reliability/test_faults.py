"""What goes wrong outside: full disks, locked folders, files that vanish or change, loops, equal names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from zhengling.errors import DataError
from zhengling.formats import read_bulletins
from zhengling.inputs import Source, read_sources

ROOT = Path(__file__).parents[2]
TEXT = "示例市民政局召开会议。\n会议要求，各地要在2026年6月底前为困难老年人办妥补贴。\n"
# Every form of output, by the command that writes it.
OUTPUTS = (
    *(("analyze", name) for name in ("o.txt", "o.jsonl", "o.html", "o.conll", "o.bulletin")),
    *(("analyze", name) for name in ("o.parquet", "o.duckdb")),
    *(("ledger", name) for name in ("o.csv", "o.jsonl", "o.xlsx")),
)
# Commands one after the other in one process, which imports and loads but once.
RUNNER = """
import contextlib, io, json, sys
from zhengling.cli import main
outcomes = []
for command in json.load(sys.stdin):
    sys.argv, errors = ["zhengling", *command], io.StringIO()
    with contextlib.redirect_stderr(errors):
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
    outcomes.append([code, errors.getvalue()])
print("outcomes", json.dumps(outcomes))
"""


@dataclass(frozen=True)
class Outcome:
    """Exit status, or what came through as an exception; and standard error."""

    code: int | str
    err: str


def run(
    commands: Sequence[Sequence[str]], *, before: Sequence[str] = (), user: int | None = None
) -> list[Outcome]:
    paths = os.pathsep.join(str(ROOT / part) for part in ("pipeline", "training"))
    done = subprocess.run(
        [*before, sys.executable, "-c", RUNNER],
        input=json.dumps(commands),
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("outcomes "))
    return [Outcome(*entry) for entry in json.loads(line.removeprefix("outcomes "))]


def check_one_line(outcome: Outcome, *, names: str) -> None:
    assert outcome.code in (1, 2), outcome
    lines = [line for line in outcome.err.split("\n") if line.startswith("error: ")]
    assert len(lines) == 1, outcome.err
    assert names in lines[0]
    assert "Traceback" not in outcome.err


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(3):
        (folder / f"t{number}.txt").write_text(f"第{number}号\n" + TEXT * 20, encoding="utf-8")
    return folder


def small_disk(folder: Path, *, kilobytes: int) -> list[str]:
    """The beginning of a command that sees a disk of that size in the folder, and nobody else does."""
    mount = f'mount -t tmpfs -o size={kilobytes}k tmpfs "$0" && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, str(folder)]


def test_a_full_disk(texts: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    before = small_disk(disk, kilobytes=4)
    if subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk")
    commands = [[command, str(texts), "-o", str(disk / name)] for command, name in OUTPUTS]
    outcomes = run(commands, before=before)
    for (_, name), outcome in zip(OUTPUTS, outcomes, strict=True):
        check_one_line(outcome, names=str(disk / name))


def test_standard_output_that_takes_no_more(texts: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zhengling", "analyze", str(texts), "-f", "jsonl"],
            env=os.environ | {"PYTHONPATH": str(ROOT / "pipeline"), "OMP_NUM_THREADS": "1"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_folder_that_can_not_be_written(texts: Path, tmp_path: Path) -> None:
    # Root may write everywhere, unless it gives these rights up.
    before = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    if before and shutil.which(before[0]) is None:
        pytest.skip("root's rights can't be given up without setpriv")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    (texts / "t1.txt").chmod(0)
    commands = [[command, str(texts / "t0.txt"), "-o", str(locked / name)] for command, name in OUTPUTS]
    commands.append(["analyze", str(texts), "-o", "/dev/null/o.jsonl"])
    commands.append(["analyze", str(texts), "-f", "jsonl"])
    *outcomes, device, unreadable = run(commands, before=before)
    for (_, name), outcome in zip(OUTPUTS, outcomes, strict=True):
        check_one_line(outcome, names=str(locked / name))
    assert list(locked.iterdir()) == []
    assert "/dev/null" in device.err
    # A file that may not be read is named, and the others are done.
    check_one_line(unreadable, names="t1.txt: can't be read: Permission denied")


def sources(folder: Path) -> Iterator[Source | DataError]:
    return read_sources([str(folder)])


def test_files_that_vanish_or_change_meanwhile(texts: Path) -> None:
    for number in range(3, 6):
        (texts / f"t{number}.txt").write_text(TEXT, encoding="utf-8")
    found = sources(texts)
    assert isinstance(next(found), Source)
    (texts / "t1.txt").unlink()
    (texts / "t2.txt").unlink()
    (texts / "t2.txt").mkdir()
    (texts / "t3.txt").write_text("另一篇。", encoding="utf-8")
    (texts / "t4.txt").unlink()
    (texts / "t4.txt").symlink_to(texts / "t4.txt")
    gone, folder, other, loop, last = found
    for fault, says in ((gone, "No such file"), (folder, "Is a directory"), (loop, "symbolic links")):
        assert isinstance(fault, DataError)
        assert "can't be read" in str(fault)
        assert says in str(fault)
    assert isinstance(other, Source)
    assert other.text == "另一篇。"
    assert isinstance(last, Source)


def test_links_in_a_circle(texts: Path) -> None:
    (texts / "a.txt").symlink_to(texts / "b.txt")
    (texts / "b.txt").symlink_to(texts / "a.txt")
    (texts / "again").symlink_to(texts)
    (texts / "same.txt").symlink_to(texts / "t0.txt")
    found = list(sources(texts))
    assert [source.place for source in found if isinstance(source, Source)] == [
        str(texts / name) for name in ("same.txt", "t1.txt", "t2.txt")
    ]
    (fault,) = read_sources([str(texts / "a.txt")])
    assert isinstance(fault, DataError)


def test_equal_names_stay_apart(texts: Path, tmp_path: Path) -> None:
    names = ["a/t0.txt", "b/t0.txt", "t0.md", "t0-2.txt", "T0.txt", "a%2Ft0.txt"]
    for name in names:
        (texts / name).parent.mkdir(exist_ok=True)
        (texts / name).write_text(name + "\n" + TEXT, encoding="utf-8")
    (outcome,) = run([["analyze", str(texts), "-o", str(tmp_path / "out"), "-f", "bulletin"]])
    assert (outcome.code, outcome.err) == (0, "")
    found = list(read_bulletins(tmp_path / "out", format="bulletin"))
    assert len({bulletin.id for bulletin in found}) == len(names) + 3
    assert {bulletin.text.splitlines()[0] for bulletin in found} >= set(names)
