"""Worker processes that are killed, runs that are killed, discs that are full."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backends import ALPHABET
from tests.batch.runs import (
    contents,
    killing,
    local,
    manifest,
    quarantine,
    rows,
    run,
    steps,
    texts,
    write_jsonl,
)
from tests.conftest import REPOSITORY

from zhengling.batch.job import BatchSettings
from zhengling.errors import ZhenglingError

# Long enough to be killed while it is analysed.
LONG = "一丁七万丈，" * 3_000


def until(condition: Callable[[], bool]) -> None:
    for _ in range(30_000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it took too long")


def finished(output: Path) -> int:
    return len(manifest(output)["parts"]) if (output / "manifest.json").exists() else 0


def command(source: Path, output: Path, model: Path) -> list[str]:
    options = ["--model", str(model), "--part-documents", "4", "--processes", "2"]
    return [sys.executable, "-m", "zhengling", "batch", str(source), str(output), *options]


def environment() -> dict[str, str]:
    sources = os.pathsep.join(str(REPOSITORY / name) for name in ("pipeline", "training"))
    return os.environ | {"PYTHONPATH": sources}


def test_processes_change_nothing(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", texts(10))
    run(source, tmp_path / "one", tiny)
    assert run(source, tmp_path / "many", tiny, engine=local(2)).rows == 10
    assert contents(tmp_path / "many") == contents(tmp_path / "one")


def test_the_part_of_a_killed_worker_is_done_again(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [*texts(5), LONG, *texts(4)])
    run(source, tmp_path / "one", tiny)
    said: list[str] = []
    with killing(tmp_path / "out", "group [0-9]", times=1) as killed:
        counts = run(source, tmp_path / "out", tiny, engine=local(2, said))
    assert len(killed) == len(said) == 1
    assert said[0].startswith("a worker ended with status -9; part ")
    assert counts.rows == 10
    assert contents(tmp_path / "out") == contents(tmp_path / "one")


def test_a_document_that_kills_its_worker_is_quarantined(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [*texts(2), LONG, *texts(2)])
    settings = BatchSettings(part_documents=5, group_documents=4, deaths=1)
    with killing(tmp_path / "out", "group 0|alone 2") as killed:
        counts = run(source, tmp_path / "out", tiny, engine=local(1), settings=settings)
    assert len(killed) == 2
    assert (counts.rows, counts.quarantined) == (4, 1)
    (found,) = quarantine(tmp_path / "out")
    assert (found["id"], found["row"]) == ("d2", 3)
    assert found["reason"] == "analysing it ended the worker process 1 times"


def test_a_killed_run_goes_on(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [*texts(9), "", LONG, *texts(9), LONG])
    run(source, tmp_path / "one", tiny)
    output = tmp_path / "out"
    process = subprocess.Popen(command(source, output, tiny), env=environment())
    until(lambda: finished(output) >= 2 and any(steps(output)))
    workers = [worker for worker, _ in steps(output)]
    process.kill()
    process.wait()
    before = {part["part"] for part in manifest(output)["parts"]}
    assert 2 <= len(before) < 6
    assert manifest(output)["state"] == "running"
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    times = {path: path.stat().st_mtime_ns for path in (output / "parts").glob("part*")}
    done = subprocess.run(command(source, output, tiny), env=environment(), capture_output=True, check=False)
    assert done.stdout.decode() == "21 documents in = 20 rows out + 1 quarantined\n"
    assert done.returncode == 1
    assert contents(output) == contents(tmp_path / "one")
    for number in before:
        path = output / f"parts/part-{number:06}.parquet"
        assert path.stat().st_mtime_ns == times[path]
    assert {path.name for path in output.iterdir()} == {
        ".batch",
        "manifest.json",
        "parts",
        "quarantine.jsonl",
    }


def test_no_room_for_a_part(tmp_path: Path, tiny: Path) -> None:
    noise = "".join(random.Random(1).choices(ALPHABET, k=20_000))
    source = write_jsonl(tmp_path / "in.jsonl", [*texts(4), noise, *texts(4)])
    output = tmp_path / "out"
    limit = 30_000  # bytes a file; what the system says is another word for a full disc
    call = command(source, output, tiny)
    done = subprocess.run(
        call,
        env=environment(),
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert "File too large; finished parts are intact" in line
    assert [path.name for path in (output / "parts").iterdir()] != []
    assert not any(path.suffix == ".part" for path in (output / "parts").iterdir())
    assert subprocess.run(call, env=environment(), check=False, capture_output=True).returncode == 0
    assert len(rows(output)) == 9


def test_a_model_that_does_not_load_is_no_fault_of_the_documents(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", texts(3))
    model = tmp_path / "model"
    model.mkdir()
    for name in ("config.cfg", "meta.json"):
        (model / name).write_bytes((tiny / name).read_bytes())
    with pytest.raises(ZhenglingError, match="fetch the model again"):
        run(source, tmp_path / "out", model, engine=local(2))
    assert json.loads((tmp_path / "out/manifest.json").read_text())["parts"] == []
