"""Every file of a model truncated, with a bit flipped, missing, or of another model: refused by name."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import spacy

import zhengling
from zhengling.errors import ZhenglingError
from zhengling.manifest import MANIFEST, seal
from zhengling_training.encoders import open_encoder

MODELS = Path(__file__).parents[2] / "models"
PIPELINE, ENCODER = MODELS / "zh_bulletin_sm", MODELS / "encoder"


def read_files(model: Path) -> list[str]:
    """Files that somebody reads, by name."""
    files = (path for path in model.rglob("*") if path.is_file() and path.suffix not in (".md", ".svg"))
    return sorted(path.relative_to(model).as_posix() for path in files)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes | None]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "flipped": flipped,
    "missing": lambda content: None,
}
COMPONENTS = ("bulletin_encoder", "entity_tagger", "sentence_classifier")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(PIPELINE, tmp_path_factory.mktemp("damaged") / "pipeline"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another model, sound in itself: no file of it is that of the first."""
    folder = Path(shutil.copytree(PIPELINE, tmp_path_factory.mktemp("damaged") / "other"))
    for name in read_files(folder):
        if not name.endswith(MANIFEST):
            (folder / name).write_bytes((folder / name).read_bytes() + b"\n")
    seal(folder)
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(ENCODER, tmp_path_factory.mktemp("damaged") / "encoder"))


@contextmanager
def replaced(path: Path, content: bytes | None) -> Iterator[None]:
    """The file with another content, None for no file, and afterwards as it was."""
    before = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def ours(name: str) -> bool:
    """Whether a file is a component's; what spaCy reads before these may fail in spaCy's words."""
    return name.split("/", maxsplit=1)[0] in (*COMPONENTS, "bulletin_sentences", "tokenizer")


def refused(load: Callable[[], object], *, names: Path) -> None:
    with pytest.raises(ZhenglingError) as caught:
        load()
    assert str(caught.value).startswith(f"{names}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", read_files(PIPELINE))
def test_a_damaged_file_of_a_pipeline_is_named(name: str, damage: str, pipeline: Path) -> None:
    path = pipeline / name
    if (name, damage) == (MANIFEST, "missing"):
        pytest.skip("spaCy's to_disk writes none, so a model may lack it; test_loading holds the warning")
    with replaced(path, DAMAGE[damage](path.read_bytes())):
        if name == MANIFEST and damage == "flipped":
            # A digit of a hash: then it is the file of that hash that doesn't fit.
            with pytest.raises(ZhenglingError, match=r"damaged or replaced|not JSON"):
                zhengling.load(pipeline)
            return
        without = damage == "missing" and name in ("config.cfg", "meta.json")
        refused(lambda: zhengling.load(pipeline), names=pipeline if without else path)


@pytest.mark.parametrize("name", [name for name in read_files(PIPELINE) if name != MANIFEST])
def test_a_file_of_another_model_is_named(name: str, pipeline: Path, other: Path) -> None:
    content = (other / name).read_bytes()
    if content == (pipeline / name).read_bytes():
        assert content == b"{}\n", "only components without files are alike in all models"
        return
    with replaced(pipeline / name, content):
        refused(lambda: zhengling.load(pipeline), names=pipeline / name)
        with pytest.raises(Exception, match=re.escape(name) if ours(name) else None):
            spacy.load(pipeline)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_of_another_model_is_named(component: str, other: Path, tmp_path: Path) -> None:
    mixed = Path(shutil.copytree(PIPELINE, tmp_path / "mixed"))
    shutil.copytree(other / component, mixed / component, dirs_exist_ok=True)
    refused(lambda: zhengling.load(mixed), names=mixed / component / MANIFEST)
    refused(lambda: spacy.load(mixed), names=mixed / component / MANIFEST)


@pytest.mark.parametrize("name", [name for name in read_files(PIPELINE) if name != MANIFEST])
def test_spacy_itself_refuses_a_flipped_bit(name: str, pipeline: Path) -> None:
    path = pipeline / name
    with replaced(path, flipped(path.read_bytes())), pytest.raises(Exception) as caught:
        spacy.load(pipeline)
    # What spaCy reads before any component of ours may fail in its own words.
    if name.split("/", maxsplit=1)[0] in (*COMPONENTS, "bulletin_sentences", "tokenizer"):
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", [name for name in read_files(ENCODER) if name != MANIFEST])
def test_a_damaged_file_of_an_encoder_is_named(name: str, damage: str, encoder: Path) -> None:
    path = encoder / name
    with replaced(path, DAMAGE[damage](path.read_bytes())):
        refused(lambda: open_encoder(str(encoder)), names=path)


def test_undamaged_they_load(pipeline: Path, other: Path) -> None:
    """Guards the tests above: it is the damage that was refused."""
    zhengling.load(pipeline, threads=1)
    with pytest.raises(ZhenglingError, match=r"config\.cfg|encoder\.onnx|not a pipeline"):
        zhengling.load(other, threads=1)
