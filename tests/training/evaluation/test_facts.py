from __future__ import annotations

import json
import re
from pathlib import Path

from tests.training.evaluation.samples import FACTS
from tests.training.samples import invented_bulletins

import zhengling
from zhengling_training.evaluation.facts import (
    CARD,
    Run,
    data_facts,
    digest,
    machine,
    now,
    peak_memory,
    timed,
    versions,
)


def test_the_card_does_not_change_the_digest(tmp_path: Path) -> None:
    for name in ("config.cfg", "README.md", "meta.json", ".hidden"):
        (tmp_path / name).write_text(name)
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "README.md").write_text("e")
    before = digest(tmp_path, leave_out=CARD)
    for name in ("meta.json", "README.md", ".hidden"):
        (tmp_path / name).write_text("other")
    assert digest(tmp_path, leave_out=CARD) == before
    (tmp_path / "part" / "README.md").rename(tmp_path / "part" / "README.txt")
    assert digest(tmp_path, leave_out=CARD) != before


def test_a_file_has_the_digest_that_others_give(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_facts_of_data(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    gold = invented_bulletins(3)
    found = data_facts(tmp_path / "a", gold)
    assert (found.bulletins, found.sentences) == (3, 12)
    assert found.characters == sum(len(bulletin.text) for bulletin in gold)
    assert found.entities == sum(len(bulletin.entities) for bulletin in gold)


def test_what_is_known_of_machine_and_run() -> None:
    here = machine()
    assert here.processor and here.cores >= 1 and here.system
    assert versions()["zhengling"] == zhengling.__version__
    assert {"python", "spacy", "numpy", "onnxruntime"} <= versions().keys()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", now())
    peak = peak_memory()
    assert peak is None or peak > 10_000_000
    result, run = timed(lambda: 7, characters=100, threads=2)
    assert (result, run.characters, run.threads) == (7, 100, 2)
    assert run.seconds >= 0 and run.cpu_seconds >= 0


def test_speed() -> None:
    run = Run(1000, 2.0, 4.0, None, None)
    assert (run.characters_per_second, run.characters_per_cpu_second) == (500.0, 250.0)
    assert Run(0, 0.0, 0.0, None, None).characters_per_second is None
    assert json.loads(json.dumps(FACTS.to_dict()))["run"]["characters_per_second"] == 1600
