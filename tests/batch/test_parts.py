"""What a worker makes of the trail of those who died before it."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.batch.conftest import BOMB
from tests.batch.runs import job_of, texts, write_jsonl

from zhengling.batch.job import Job
from zhengling.batch.parts import Analyst, analyse_part
from zhengling.batch.ranges import Part, Slice, Unit
from zhengling.batch.trail import Trail
from zhengling.errors import ZhenglingError


@pytest.fixture
def analyst(tmp_path: Path, tiny: Path) -> Analyst:
    source = write_jsonl(tmp_path / "in.jsonl", texts(4))
    return opened(job_of(source, tmp_path / "out", tiny))


def opened(job: Job) -> Analyst:
    job.trails.mkdir(parents=True)
    return Analyst.open(job)


def part_of(job: Job, name: str, count: int) -> Part:
    status = (job.root / name).stat()
    return Part(0, (Slice(name, Unit(), count, status.st_size, status.st_mtime_ns),))


def die(job: Job, *steps: str) -> None:
    """Leave the trail of a worker for each step, that died at it."""
    (job.trails / "0").write_text("".join(f"attempt {n}\nread 0.0\n{step}\n" for n, step in enumerate(steps)))


def quarantined(job: Job) -> list[tuple[int | None, str]]:
    path = job.quarantine_file(0)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(one["row"], one["reason"]) for one in map(json.loads, lines)]


@pytest.mark.parametrize("steps", [[], ["read 1.0"] * 2, ["group 0"] * 3, ["alone 1", "alone 1", "alone 2"]])
def test_a_document_is_innocent_until_enough_died_of_it(analyst: Analyst, steps: list[str]) -> None:
    die(analyst.job, *steps)
    told: list[int] = []
    finished = analyse_part(part_of(analyst.job, "in.jsonl", 4), analyst, progress=told.append)
    assert (finished.units, finished.rows, finished.quarantined, sum(told)) == (4, 4, 0, 4)
    assert quarantined(analyst.job) == []
    assert list(analyst.job.trails.iterdir()) == []


def test_a_document_that_can_not_be_read_alive(analyst: Analyst) -> None:
    die(analyst.job, *["read 1.0"] * 3)
    finished = analyse_part(part_of(analyst.job, "in.jsonl", 4), analyst)
    assert (finished.rows, finished.quarantined) == (3, 1)
    assert quarantined(analyst.job) == [(2, "reading it ended the worker process 3 times")]


def test_a_document_that_can_not_be_analysed_alive(analyst: Analyst) -> None:
    die(analyst.job, *["group 0"] * 3, *["alone 2"] * 3)
    finished = analyse_part(part_of(analyst.job, "in.jsonl", 4), analyst)
    assert (finished.rows, finished.quarantined) == (3, 1)
    assert quarantined(analyst.job) == [(3, "analysing it ended the worker process 3 times")]


@pytest.mark.parametrize(
    ("step", "doing"), [("fetch 0", "in.jsonl was read"), ("end", "part 0 was finished")]
)
def test_deaths_that_are_no_documents_fault_end_the_run(analyst: Analyst, step: str, doing: str) -> None:
    die(analyst.job, *[step] * 3)
    with pytest.raises(ZhenglingError, match=rf"3 workers died while .*{doing}; finished parts are intact"):
        analyse_part(part_of(analyst.job, "in.jsonl", 4), analyst)
    assert not analyst.job.part_file(0).exists()


def test_what_comes_before_the_deadly_file_of_an_archive_is_kept(tmp_path: Path, tiny: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("x.txt", "y.txt", "z.txt"):
            archive.writestr(name, "一丁七")
    analyst = opened(job_of(tmp_path / "a.zip", tmp_path / "out", tiny))
    die(analyst.job, *["read 0.1"] * 3)
    finished = analyse_part(part_of(analyst.job, "a.zip", 1), analyst)
    assert (finished.units, finished.rows, finished.quarantined) == (1, 1, 1)


def test_of_a_group_only_the_guilty_is_quarantined(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [*texts(2), BOMB, *texts(1)])
    analyst = opened(job_of(source, tmp_path / "out", tiny))
    assert analyse_part(part_of(analyst.job, "in.jsonl", 4), analyst).rows == 3
    ((row, reason),) = quarantined(analyst.job)
    assert row == 3
    assert reason.startswith("analysing it raised ")
    assert "\n" not in reason


def test_a_file_that_is_shorter_than_planned(analyst: Analyst) -> None:
    with pytest.raises(ZhenglingError, match=r"changed .*\(4 documents where 5 were planned\)"):
        analyse_part(part_of(analyst.job, "in.jsonl", 5), analyst)
    assert list(analyst.job.parts.iterdir()) == []


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3), max_size=5))
def test_deaths_are_the_last_steps_of_attempts(attempts: list[list[str]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trail"
        for steps in attempts:
            trail = Trail.open(path, most=2)
            for step in steps:
                trail.begin(step)
            os.close(trail.handle)  # as the system does when it kills
        trail = Trail.open(path, most=2)
        last = [steps[-1] for steps in attempts if steps]
        for step in "abc":
            assert trail.deaths[step] == last.count(step)
            assert trail.is_deadly(step) == (last.count(step) >= 2)
        trail.close(done=True)
        assert not path.exists()


def test_parts_on_a_line() -> None:
    part = Part(3, (Slice(os.fsdecode(b"\xff.txt"), Unit(2, 7), 5, 11, 13), Slice("b", Unit(), 1, 1, 1)))
    assert Part.from_json(part.to_json()) == part
    assert part.count == 6
