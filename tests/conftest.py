"""The default pipeline, and the command line as a function."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from spacy.language import Language

import zhengling
from zhengling.cli import main
from zhengling.schema import LabelScheme

# No test asks a hub, which without a network takes half a minute to say so.
os.environ["HF_HUB_OFFLINE"] = "1"
REPOSITORY = Path(__file__).parents[1]
MODEL = REPOSITORY / "models" / "zh_bulletin_sm"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than some seconds; leave out with -m 'not slow'")


@dataclass(frozen=True)
class Outcome:
    """What a run of the command line gave."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def nlp() -> Language:
    return zhengling.load(MODEL, threads=1)


@pytest.fixture(scope="session")
def model() -> Path:
    return MODEL


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def scheme() -> LabelScheme:
    return LabelScheme.from_file(REPOSITORY / "configs" / "schemes" / "zh_bulletin.json")


@pytest.fixture
def model_copy(tmp_path: Path) -> Path:
    """The default model, to be damaged."""
    return Path(shutil.copytree(MODEL, tmp_path / "model_copy"))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run ``zhengling`` in this process, its faults and exit status as the shell sees them."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["zhengling", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        captured = capfd.readouterr()
        return Outcome(int(stop.value.code or 0), captured.out, captured.err)

    return run
