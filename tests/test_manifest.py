from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from tests.conftest import Outcome

import zhengling
from zhengling.errors import ZhenglingError
from zhengling.manifest import (
    MANIFEST,
    check_model,
    check_replaceable,
    read_checked,
    renew,
    seal,
    write_manifest,
)


@pytest.mark.parametrize("name", ["zh_bulletin_sm", "encoder"])
def test_manifests_of_the_repository_are_those_of_their_files(name: str, repository: Path) -> None:
    assert check_model(repository / "models" / name)


def test_a_pipeline_lists_all_that_is_read(model: Path) -> None:
    listed = set(read_checked(model))
    for component in model.glob(f"*/{MANIFEST}"):
        listed |= {f"{component.parent.name}/{name}" for name in read_checked(component.parent)}
    found = {path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file()}
    assert found - listed == {MANIFEST, "README.md"}


def test_sealing_again_changes_nothing(model_copy: Path) -> None:
    before = (model_copy / MANIFEST).read_bytes()
    seal(model_copy)
    assert (model_copy / MANIFEST).read_bytes() == before


def test_changes_on_purpose_are_sealed_at_both_levels(cli: Callable[..., Outcome], model_copy: Path) -> None:
    path = model_copy / "sentence_classifier" / "classifier.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ZhenglingError, match=r"classifier\.json: damaged or replaced"):
        zhengling.load(model_copy)
    outcome = cli("seal", model_copy)
    assert (outcome.code, outcome.out) == (0, f"{model_copy / MANIFEST}\n")
    zhengling.load(model_copy, threads=1)


def test_cards_and_added_files_may_change(model_copy: Path) -> None:
    (model_copy / "README.md").write_text("mine", encoding="utf-8")
    (model_copy / "notes.txt").write_text("read by nobody", encoding="utf-8")
    assert check_model(model_copy)


def test_what_is_no_model_is_not_sealed(cli: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = cli("seal", tmp_path)
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: {tmp_path}: not a model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"../x": "0"}', '{"": "0"}', '{"a\\\\b": "0"}'])
def test_faulty_manifests_of_a_whole_model(content: str, model_copy: Path) -> None:
    (model_copy / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(ZhenglingError, match=rf"{MANIFEST}: (not|lists)"):
        zhengling.load(model_copy)


def test_a_model_that_spacy_writes_over_has_no_stale_manifest(nlp: Language, model_copy: Path) -> None:
    nlp.to_disk(model_copy)
    assert not (model_copy / MANIFEST).exists()
    spacy.load(model_copy)


def test_a_manifest_elsewhere_is_nobodys_business(nlp: Language, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("of something else", encoding="utf-8")
    tagger = nlp.get_pipe("entity_tagger")
    tagger.to_disk(tmp_path / "tagger")
    tagger.from_disk(tmp_path / "tagger")
    assert (tmp_path / MANIFEST).read_text(encoding="utf-8") == "of something else"


def test_renewing_keeps_the_list(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    write_manifest(tmp_path, {"a": b"older"})
    renew(tmp_path)
    assert read_checked(tmp_path) == {"a": b"a"}
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    renew(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_model_takes_the_place_of_a_model_or_of_nothing_alone(tmp_path: Path) -> None:
    """A folder of other things was deleted for the model."""
    (tmp_path / "model").mkdir()
    check_replaceable(tmp_path / "model")
    check_replaceable(tmp_path / "none")
    (tmp_path / "model" / "config.cfg").write_text("", encoding="utf-8")
    check_replaceable(tmp_path / "model")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("", encoding="utf-8")
    with pytest.raises(ZhenglingError, match=r"holds a\.txt, which is of no model"):
        check_replaceable(tmp_path / "texts")
    with pytest.raises(ZhenglingError, match="is a file"):
        check_replaceable(tmp_path / "texts" / "a.txt")
    with pytest.raises(ZhenglingError, match=r"m: can't be written: .*a\.txt is a file"):
        check_replaceable(tmp_path / "texts" / "a.txt" / "m")
    with pytest.raises(ZhenglingError, match="can't be written: "):
        check_replaceable(Path("/proc/model"))
