"""Ray gives the same rows as one process, also when a worker is killed on the way."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from tests.batch.conftest import BOMB
from tests.batch.runs import contents, killing, manifest, run, texts, write_jsonl
from tests.batch.test_local import LONG

from zhengling.batch.on_ray import RayOptions, run_on_ray
from zhengling.batch.running import Engine
from zhengling.errors import ZhenglingError

ray = pytest.importorskip("ray")


def two_workers(done: list[int]) -> Engine:
    return functools.partial(run_on_ray, options=RayOptions(workers=2), progress=done.append)


def test_a_worker_that_is_killed_loses_nothing_and_doubles_nothing(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [*texts(5), LONG, *texts(4), BOMB, *texts(2)])
    run(source, tmp_path / "one", tiny)
    done: list[int] = []
    with killing(tmp_path / "out", "group [0-9]", times=1) as killed:
        counts = run(source, tmp_path / "out", tiny, engine=two_workers(done))
    assert len(killed) == 1
    assert sum(done) == 13
    assert (counts.rows, counts.quarantined) == (12, 1)
    assert contents(tmp_path / "out") == contents(tmp_path / "one")
    assert manifest(tmp_path / "out")["parts"] == manifest(tmp_path / "one")["parts"]
    assert not ray.is_initialized()


def test_a_fault_in_an_actor_ends_the_run_in_a_line(tmp_path: Path, tiny: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", texts(3))
    model = tmp_path / "model"
    model.mkdir()
    for name in ("config.cfg", "meta.json"):
        (model / name).write_bytes((tiny / name).read_bytes())
    with pytest.raises(ZhenglingError, match="fetch the model again"):
        run(source, tmp_path / "out", model, engine=two_workers([]))
