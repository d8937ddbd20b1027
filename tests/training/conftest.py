from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.training.samples import (
    SCHEME,
    invented_bulletins,
    invented_lines,
    make_encoder,
    vocabulary_of,
    write_jsonl,
    write_lines,
)

from zhengling.characters import CharacterVocabulary
from zhengling_training.encoder_files import load_encoder
from zhengling_training.model import BulletinModel


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """With one thread the order of sums, and so every bit of a result, is fixed."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random encoder: 2 layers, 32 wide."""
    return make_encoder(tmp_path_factory.mktemp("start") / "encoder")


@pytest.fixture(scope="session")
def vocabulary(encoder: Path) -> CharacterVocabulary:
    return vocabulary_of(encoder)


@pytest.fixture(scope="session")
def corpus_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 lines of invented text."""
    return write_lines(tmp_path_factory.mktemp("corpus") / "lines.txt", invented_lines(300))


@pytest.fixture(scope="session")
def bulletin_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six annotated bulletins."""
    return write_jsonl(tmp_path_factory.mktemp("bulletins") / "six.jsonl", invented_bulletins(6))


@pytest.fixture
def model(encoder: Path) -> BulletinModel:
    """A network with random heads, in evaluation mode."""
    torch.manual_seed(3)
    return BulletinModel(load_encoder(encoder), SCHEME, head_size=16, dropout=0.1).eval()
