"""Work that is killed at random moments: nothing half-written, and run again it ends as if nothing had been.

    python -m tests.endurance.killed --kills 50

For each kind of work one run goes through undisturbed; then runs are killed (SIGKILL) at random moments and
begun again in the same folder until one ends, and so on with new folders until there were enough kills.
Exit status: 0 all well, 1 something was half-written or came out otherwise.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import duckdb
import typer

from zhengling.manifest import check_model

ROOT = Path(__file__).parents[2]
TABLES = ("bulletins", "sentences", "entities", "directives")
TEXTS = 80


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    Attributes:
        prepare: makes its input in a folder that all runs share.
        command: arguments of ``zhengling``, from the shared folder and that of the run.
        result: what came out, to be compared; of unfinished work what is there, None if nothing is.
        fits: whether what unfinished work left is sound, given that and the result of finished work.
    """

    prepare: Callable[[Path], None]
    command: Callable[[Path, Path], Sequence[str]]
    result: Callable[[Path], Any]
    fits: Callable[[Any, Any], bool]


def write_texts(shared: Path) -> None:
    """Bulletins that differ."""
    (shared / "texts").mkdir()
    for number in range(TEXTS):
        text = (
            f"第{number}号通知\n会议要求，各地要在2026年{number % 12 + 1}月底前为困难老年人办妥补贴。\n" * 3
        )
        (shared / "texts" / f"t{number:03}.txt").write_text(text, encoding="utf-8")


def write_training(shared: Path) -> None:
    """A tiny encoder and a few annotated bulletins."""
    from tests.training.samples import (  # noqa: PLC0415 - imports torch
        finetune_overrides,
        invented_bulletins,
        make_encoder,
        write_jsonl,
    )

    encoder = make_encoder(shared / "encoder")
    data = write_jsonl(shared / "data.jsonl", invented_bulletins(6))
    changes = {"schedule__epochs": 12, "schedule__checkpoint_minutes": 0.0}
    overrides = finetune_overrides(encoder, data, **changes)
    (shared / "overrides.json").write_text(json.dumps(overrides), encoding="utf-8")


def analyze_to(name: str) -> Callable[[Path, Path], list[str]]:
    """The command that analyses the texts into a file."""
    options = ["--threads", "1", "--batch-size", "4"]
    return lambda shared, own: ["analyze", str(shared / "texts"), "-o", str(own / name), *options]


def batch(shared: Path, own: Path) -> list[str]:
    """The command that analyses the texts in parts."""
    return ["batch", str(shared / "texts"), str(own / "out"), "--part-documents", "8", "--processes", "2"]


def train(shared: Path, own: Path) -> list[str]:
    """The command that trains on the annotated bulletins."""
    overrides = json.loads((shared / "overrides.json").read_text(encoding="utf-8"))
    changes = [part for key, value in overrides.items() for part in ("--set", f"{key}={json.dumps(value)}")]
    recipe = str(ROOT / "configs" / "zh_bulletin_sm.cfg")
    return ["train", recipe, "-o", str(own / "model"), "--run-folder", str(own / "run"), *changes]


def lines(own: Path) -> list[str] | None:
    """The lines of the file."""
    path = own / "o.jsonl"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else None


def rows(own: Path) -> dict[str, set[str]] | None:
    """The rows of each table."""
    path = own / "o.duckdb"
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=False) as connection:  # the next run opens it likewise
        return {
            table: {repr(row) for row in connection.execute(f"SELECT * FROM {table}").fetchall()}
            for table in TABLES
            if connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall()
        }


def parts(own: Path) -> dict[str, bytes] | None:
    """The parts and the quarantine, byte for byte."""
    found = {path.name: path.read_bytes() for path in sorted((own / "out").glob("parts/*.parquet"))}
    quarantine = own / "out" / "quarantine.jsonl"
    return found | {"quarantine": quarantine.read_bytes()} if quarantine.exists() else found or None


def model(own: Path) -> dict[str, bytes] | None:
    """The learned files of the pipeline, whose manifest must fit; the newest checkpoint must be whole."""
    from zhengling_training.checkpoints import latest_checkpoint  # noqa: PLC0415 - imports torch

    if (own / "run").exists():
        latest_checkpoint(own / "run")
    folder = own / "model"
    if not folder.exists():
        return None
    assert check_model(folder), "the model has no manifest"
    learned = (path for path in sorted(folder.glob("*/*")) if path.parent.name != "vocab")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in learned}


def some_rows(left: Mapping[str, set[str]], whole: Mapping[str, set[str]]) -> bool:
    """Whether all rows are those of the whole, and each bulletin has all of its own."""
    if not all(left.get(table, set()) <= whole[table] for table in TABLES):
        return False
    keys = {row.split(",")[0] for row in left.get("bulletins", ())}
    return all(
        {row for row in whole[table] if row.split(",")[0] in keys} == left.get(table, set())
        for table in TABLES
    )


# What else is killed belongs here: another command is another entry.
KINDS: Mapping[str, Kind] = {
    "file": Kind(write_texts, analyze_to("o.jsonl"), lines, lambda left, whole: left == whole),
    "store": Kind(write_texts, analyze_to("o.duckdb"), rows, some_rows),
    "batch": Kind(write_texts, batch, parts, lambda left, whole: left.items() <= whole.items()),
    "train": Kind(write_training, train, model, lambda left, whole: left == whole),
}


def run(name: str, *, kills: int, seed: int = 0) -> dict[str, int]:
    """Kill a kind of work so often; counts of kills and of runs that were allowed to end.

    Raises:
        AssertionError: something was half-written, or another run came out otherwise.
    """
    kind, random = KINDS[name], Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder) / "shared"
        shared.mkdir()
        kind.prepare(shared)
        begun = time.monotonic()
        whole = _finish(kind, shared, Path(folder) / "whole")
        longest = time.monotonic() - begun
        killed = ended = 0
        while killed < kills:
            own = Path(folder) / f"run{ended}"
            own.mkdir()
            while killed < kills and _killed(kind, shared, own, after=random.uniform(0.2, 1) * longest):
                killed += 1
                left = kind.result(own)
                assert left is None or kind.fits(left, whole), f"{name}: half-written after kill {killed}"
            assert _finish(kind, shared, own) == whole, f"{name}: other result after kill {killed}"
            ended += 1
    return {"kills": killed, "ended": ended + 1}


def _killed(kind: Kind, shared: Path, own: Path, *, after: float) -> bool:
    """Begin the work and kill it; False if it ended before."""
    process = _begin(kind, shared, own)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0
    return False


def _finish(kind: Kind, shared: Path, own: Path) -> Any:
    own.mkdir(exist_ok=True)
    process = _begin(kind, shared, own)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    found = kind.result(own)
    assert found is not None
    return found


def _begin(kind: Kind, shared: Path, own: Path) -> subprocess.Popen[str]:
    paths = os.pathsep.join(str(ROOT / part) for part in ("pipeline", "training"))
    return subprocess.Popen(
        [sys.executable, "-m", "zhengling", *kind.command(shared, own)],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def main(
    kills: Annotated[int, typer.Option(min=1, help="Of each kind of work.")] = 50,
    kind: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(KINDS)}; all if left out.")] = None,
    seed: int = 0,
) -> None:
    """Kill work and print how often."""
    for name in kind or KINDS:
        print(json.dumps({"kind": name, **run(name, kills=kills, seed=seed)}), flush=True)


if __name__ == "__main__":
    typer.run(main)
