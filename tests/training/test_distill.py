from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.training.samples import (
    MSRA,
    SCHEME,
    finetune_recipe,
    invented_bulletins,
    invented_lines,
    vocabulary_of,
    write_jsonl,
    write_lines,
)
from torch.nn import functional

import zhengling
from zhengling.components import bulletin_of
from zhengling.encoder import WindowSettings
from zhengling.errors import ZhenglingError
from zhengling_training.data import IGNORED, collate
from zhengling_training.distill import (
    DistillSection,
    Lesson,
    lesson_loss,
    lessons_of,
    passages,
    plan_lessons,
)
from zhengling_training.evaluation.metrics import score
from zhengling_training.finetune import LossSection, finetune, loss
from zhengling_training.model import BulletinModel
from zhengling_training.reexport import encoder_of

WINDOWS = WindowSettings(60, 10, 240)
ONES = {"entities": 1.0, "functions": 1.0, "domains": 1.0}


@pytest.fixture(scope="module")
def teacher(encoder: Path, bulletin_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline that knows six bulletins by heart."""
    folder = tmp_path_factory.mktemp("teacher")
    recipe = finetune_recipe(encoder, bulletin_file, schedule__epochs=25, data__held_out=0.0)
    finetune(recipe, run_folder=folder / "run", output=folder / "model")
    return folder / "model"


def section_of(teacher: Path, *texts: Path, **changes: Any) -> DistillSection:
    return DistillSection(
        teacher=str(teacher), texts=[str(text) for text in texts], passage=100, characters=2000, **changes
    )


def lessons(section: DistillSection, encoder: Path) -> list[Lesson]:
    return lessons_of(section, scheme=SCHEME, vocabulary=vocabulary_of(encoder), windows=WINDOWS, seed=1)


@pytest.fixture(scope="module")
def heard(teacher: Path, corpus_file: Path, encoder: Path) -> list[Lesson]:
    return lessons(section_of(teacher, corpus_file), encoder)


def test_a_lesson_holds_what_the_teacher_says(
    heard: list[Lesson], teacher: Path, corpus_file: Path, encoder: Path
) -> None:
    text = passages(section_of(teacher, corpus_file), seed=1)[0]
    nlp = zhengling.load(teacher, threads=1)
    spans = [(sent.start_char, sent.end_char) for sent in nlp(text).sents]
    inner: Any = encoder_of(nlp).encoder
    expected = inner.encode([text], [spans])[0].emissions
    first = heard[0]
    assert first.row["ids"] == vocabulary_of(encoder).encode(text)[: len(first.tags)].tolist()
    np.testing.assert_allclose(first.tags, expected[: len(first.tags)], atol=0.05)
    assert {name: own.shape[1] for name, own in first.sentences.items()} == {"functions": 4, "domains": 13}


def test_lessons_say_nothing_but_what_the_teacher_says(heard: list[Lesson]) -> None:
    for lesson in heard:
        assert set(lesson.row["tags"]) == {IGNORED}
        assert set(lesson.row["functions"]) <= {IGNORED}
        assert not any(lesson.row["bears_domains"])
        assert len(lesson.row["starts"]) == len(lesson.sentences["functions"])
        assert all(
            0 <= a < b <= len(lesson.tags)
            for a, b in zip(lesson.row["starts"], lesson.row["ends"], strict=True)
        )


@pytest.mark.parametrize("temperature", [2.0, None])
def test_the_loss_is_least_where_the_student_says_the_same(
    heard: list[Lesson], temperature: float | None
) -> None:
    some = heard[:3]
    longest = max(len(one.tags) for one in some)
    emissions = torch.zeros(3, longest + 2, some[0].tags.shape[1])
    for row, one in enumerate(some):
        emissions[row, 1 : len(one.tags) + 1] = torch.from_numpy(one.tags).float()
    scores = {
        name: torch.from_numpy(np.concatenate([one.sentences[name] for one in some])).float()
        for name in some[0].sentences
    }

    def at(change: float) -> float:
        moved = {name: own + change * torch.linspace(0, 1, own.shape[1]) for name, own in scores.items()}
        tags = emissions + change * torch.linspace(0, 1, emissions.shape[2])
        return lesson_loss(tags, moved, some, weights=ONES, temperature=temperature).item()

    assert at(0.0) < min(at(0.1), at(-0.1)) < min(at(1.0), at(-1.0))


def cross(mine: torch.Tensor, theirs: NDArray[np.float16]) -> float:
    return functional.cross_entropy(mine, torch.softmax(torch.from_numpy(theirs).float(), 0)).item()


def test_the_loss_of_tags_is_the_mean_over_characters(heard: list[Lesson]) -> None:
    some = heard[:2]
    torch.manual_seed(0)
    emissions = torch.randn(2, max(len(one.tags) for one in some) + 2, some[0].tags.shape[1])
    each = [
        functional.cross_entropy(
            emissions[row, at + 1], torch.softmax(torch.from_numpy(own).float(), 0)
        ).item()
        for row, one in enumerate(some)
        for at, own in enumerate(one.tags)
    ]
    found = lesson_loss(emissions, {}, some, weights=ONES, temperature=1.0).item()
    assert found == pytest.approx(np.mean(each), rel=1e-4)


def test_the_loss_of_scores_is_their_mean_square(heard: list[Lesson]) -> None:
    (one,) = heard[:1]
    emissions = torch.zeros(1, len(one.tags) + 2, one.tags.shape[1])
    found = lesson_loss(emissions, {}, [one], weights={"entities": 0.5}, temperature=None).item()
    assert found == pytest.approx(0.5 * np.mean(one.tags.astype(np.float64) ** 2), rel=1e-4)


def test_a_step_hears_gold_and_teacher_apart(
    heard: list[Lesson], model: BulletinModel, encoder: Path, teacher: Path, corpus_file: Path
) -> None:
    vocabulary = vocabulary_of(encoder)
    section = section_of(teacher, corpus_file, weight=0.5)
    rows = [lesson.row for lesson in heard[:2]]
    batch = collate(rows, scheme=SCHEME, vocabulary=vocabulary)
    assert loss(model, batch, weights=LossSection()).item() == 0.0
    emissions, scores = model(batch.ids, batch.mask, batch.pieces)
    expected = 0.5 * lesson_loss(
        emissions,
        scores,
        heard[:2],
        weights={"entities": 1.0, "functions": 0.3, "domains": 0.3},
        temperature=1.0,
    )
    found = loss(model, batch, weights=LossSection(), lessons=heard[:2], distill=section)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("kind", ["probabilities", "scores"])
def test_a_student_learns_from_the_teacher_alone(
    encoder: Path, teacher: Path, bulletin_file: Path, tmp_path: Path, kind: str
) -> None:
    """The student's annotated bulletins are others; what it knows of the six it has from their bare text."""
    gold = invented_bulletins(6)
    texts = write_lines(tmp_path / "texts.txt", (line for b in gold for line in b.text.split("\n") if line))
    other = write_jsonl(tmp_path / "other.jsonl", invented_bulletins(1, seed=9))
    recipe = finetune_recipe(
        encoder,
        other,
        data__held_out=0.0,
        encoder__layers=[1],
        encoder__intermediate=48,
        schedule__epochs=120,
    )
    recipe = recipe.model_copy(update={"distill": section_of(teacher, texts, loss=kind)})
    finetune(recipe, run_folder=tmp_path / "run", output=tmp_path / "model")
    nlp = zhengling.load(tmp_path / "model", threads=1)
    predicted = [bulletin_of(doc) for doc in nlp.pipe(bulletin.text for bulletin in gold)]
    found = score(gold, predicted, scheme=SCHEME).summary()
    assert found["entity_f1"] > 0.8
    assert found["function_accuracy"] > 0.8


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20), st.integers(1, 9), st.integers(0, 3))
def test_every_lesson_is_heard_in_each_turn(lengths: list[int], size: int, seed: int) -> None:
    all_of_them = [Lesson({"number": n}, np.zeros((own, 1), np.float16), {}) for n, own in enumerate(lengths)]
    lessons_at = plan_lessons(all_of_them, size=size, seed=seed)
    turn = -(-len(lengths) // size)
    for first in (0, turn, 2 * turn):
        heard = [lesson.row["number"] for step in range(first, first + turn) for lesson in lessons_at(step)]
        assert set(heard) == set(range(len(lengths)))
        assert len(heard) == turn * size


def test_passages_are_of_whole_lines_about_something(tmp_path: Path, teacher: Path) -> None:
    lines = invented_lines(40)
    file = write_lines(tmp_path / "lines.txt", lines)
    found = passages(section_of(teacher, file, about="殡葬"), seed=0)
    assert found
    assert all("殡葬" in text and set(text.split("\n")) <= set(lines) for text in found)
    assert passages(section_of(teacher, file, about="殡葬"), seed=0) == found
    assert passages(section_of(teacher, file, about="殡葬"), seed=1) != found


def test_texts_of_evaluation_bulletins_are_not_learned_from(tmp_path: Path, teacher: Path) -> None:
    measured = invented_bulletins(1)
    lines = [line for line in measured[0].text.split("\n") if line]
    file = write_lines(tmp_path / "lines.txt", [*lines * 5, *invented_lines(40, seed=5)])
    gold = write_jsonl(tmp_path / "gold.jsonl", measured)
    longest = max(lines, key=len)
    assert any(longest in text for text in passages(section_of(teacher, file), seed=0))
    kept = passages(section_of(teacher, file, exclude=[str(gold)]), seed=0)
    assert kept
    assert not any(longest in text for text in kept)


def test_nothing_to_learn_from_is_said(tmp_path: Path, teacher: Path) -> None:
    file = write_lines(tmp_path / "lines.txt", invented_lines(20))
    with pytest.raises(ZhenglingError, match="no passage is left"):
        passages(section_of(teacher, file, about="海洋"), seed=0)


def test_a_teacher_of_other_labels_is_refused(corpus_file: Path, teacher: Path, encoder: Path) -> None:
    with pytest.raises(ZhenglingError, match="other labels"):
        lessons_of(
            section_of(teacher, corpus_file),
            scheme=MSRA,
            vocabulary=vocabulary_of(encoder),
            windows=WINDOWS,
            seed=1,
        )


def test_a_faulty_pattern_is_named(teacher: Path, corpus_file: Path) -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        section_of(teacher, corpus_file, about="(")
