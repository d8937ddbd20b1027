from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.util import get_lang_class
from tests.backends import classifier_state, make_pipeline, noise_backend
from tests.strategies import SCHEME

import zhengling
from zhengling.components import EntityTagger, SentenceClassifier, TaggerState, bulletin_of
from zhengling.errors import ZhenglingError
from zhengling.manifest import MANIFEST, read_checked, sha256

TEXTS = ["示例市民政局3月5日召开会议。\n各地要在4月底前为困难老年人办妥补贴。", "来源：示例网", "好" * 600]


def by_bytes(nlp: Language, folder: Path) -> Language:
    return get_lang_class("zh").from_config(nlp.config).from_bytes(nlp.to_bytes())


def by_disk(nlp: Language, folder: Path) -> Language:
    nlp.to_disk(folder / "stored")
    return spacy.load(folder / "stored")


def by_disk_into_another(nlp: Language, folder: Path) -> Language:
    nlp.to_disk(folder / "stored")
    return get_lang_class("zh").from_config(nlp.config).from_disk(folder / "stored")


@pytest.mark.parametrize("way", [by_bytes, by_disk, by_disk_into_another])
def test_a_stored_pipeline_gives_the_same(
    way: Callable[[Language, Path], Language], nlp: Language, tmp_path: Path
) -> None:
    restored = way(nlp, tmp_path)
    restored.get_pipe("bulletin_encoder").set_threads(1)
    assert restored.pipe_names == nlp.pipe_names
    assert [bulletin_of(restored(text)) for text in TEXTS] == [bulletin_of(nlp(text)) for text in TEXTS]


def test_storing_twice_gives_the_same_files(nlp: Language, tmp_path: Path) -> None:
    for name in ("first", "second"):
        nlp.to_disk(tmp_path / name)
    for path in (p for p in (tmp_path / "first").rglob("*") if p.is_file()):
        other = tmp_path / "second" / path.relative_to(tmp_path / "first")
        assert other.read_bytes() == path.read_bytes(), path.name


def test_heads_keep_scheme_temperature_and_thresholds(tmp_path: Path) -> None:
    tagger, classifier = EntityTagger(), SentenceClassifier()
    tagger.state, classifier.state = TaggerState(SCHEME, temperature=1.75), classifier_state(SCHEME)
    tagger.to_disk(tmp_path / "tagger")
    classifier.to_disk(tmp_path / "classifier")
    assert EntityTagger().from_disk(tmp_path / "tagger").state == tagger.state
    restored = SentenceClassifier().from_disk(tmp_path / "classifier")
    assert restored.files() == classifier.files()
    assert SentenceClassifier().from_bytes(classifier.to_bytes()).files() == classifier.files()


def test_components_without_training_can_not_be_stored(tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match="entity_tagger has no labels"):
        EntityTagger().to_disk(tmp_path)
    with pytest.raises(ZhenglingError, match="sentence_classifier has no weights"):
        SentenceClassifier().to_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "bulletin_encoder/encoder.onnx",
        "bulletin_encoder/tokenizer.json",
        "entity_tagger/tagger.json",
        "sentence_classifier/heads.safetensors",
        "sentence_classifier/classifier.json",
    ],
)
@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "missing"])
def test_damaged_files_are_named(name: str, damage: str, model_copy: Path) -> None:
    path = model_copy / name
    content = bytearray(path.read_bytes())
    path.unlink()
    content[len(content) // 2] ^= 1
    if damage != "missing":
        path.write_bytes({"truncated": content[:-1], "flipped": content, "empty": b""}[damage])
    with pytest.raises(ZhenglingError) as caught:
        zhengling.load(model_copy)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("component", ["bulletin_encoder", "entity_tagger", "sentence_classifier"])
@pytest.mark.parametrize(
    "content", ["", "[]", "{", "{}", '{"../x": "0"}', '{"/etc/passwd": "0"}', '{"..": "0"}', "\ufeff{}"]
)
def test_faulty_manifests_are_refused(component: str, content: str, model_copy: Path) -> None:
    (model_copy / component / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(ZhenglingError) as caught:
        zhengling.load(model_copy)
    assert str(model_copy) in str(caught.value)


@pytest.mark.parametrize("component", ["bulletin_encoder", "entity_tagger", "sentence_classifier"])
def test_a_missing_manifest_is_named(component: str, model_copy: Path) -> None:
    (model_copy / component / MANIFEST).unlink()
    with pytest.raises(ZhenglingError, match=rf"{component}.{MANIFEST}: can't be read"):
        zhengling.load(model_copy)


@pytest.mark.parametrize("name", ["../x", "/etc/hostname", "a/b", "..", "."])
def test_a_manifest_reaches_nothing_outside(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "component"
    folder.mkdir()
    (tmp_path / "x").write_bytes(b"secret")
    (folder / MANIFEST).write_text(json.dumps({name: sha256(b"secret")}))
    with pytest.raises(ZhenglingError):
        read_checked(folder)


def test_what_is_checked_is_what_was_written(tmp_path: Path) -> None:
    tagger = EntityTagger()
    tagger.state = TaggerState(SCHEME)
    tagger.to_disk(tmp_path)
    assert read_checked(tmp_path) == tagger.files()
    (tmp_path / "unrelated").write_text("not in the manifest, not read")
    assert read_checked(tmp_path) == tagger.files()


def test_components_can_be_left_out() -> None:
    pipeline = make_pipeline(SCHEME, noise_backend(SCHEME))
    data = pipeline.to_bytes(exclude=["bulletin_encoder"])
    restored = make_pipeline(SCHEME, noise_backend(SCHEME)).from_bytes(data, exclude=["bulletin_encoder"])
    text = "甲乙丙丁。戊己庚辛。"
    assert bulletin_of(restored(text)) == bulletin_of(pipeline(text))
