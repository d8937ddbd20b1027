from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.strategies import SCHEME, bulletins
from tests.training.samples import MSRA, invented_bulletins, plain_names, write_jsonl, write_lines

from zhengling.characters import SPECIAL_TOKENS, CharacterVocabulary
from zhengling.decoding import spans_of_tags, tag_numbers
from zhengling.encoder import BulletinEncoder, Floats, WindowSettings
from zhengling.errors import DataError, ZhenglingError
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence
from zhengling.windows import cut_windows
from zhengling_training.data import (
    IGNORED,
    collate,
    load_bulletins,
    make_dataset,
    plan_epoch,
    split_held_out,
)

CHARACTERS = "民政部李示例。！？，()|#O 0123456789"
VOCABULARY = CharacterVocabulary({token: n for n, token in enumerate([*SPECIAL_TOKENS, *CHARACTERS])})
FILLED = bulletins().filter(lambda bulletin: bulletin.text)
WHOLE = WindowSettings(size=1000, overlap=0)
SMALL = st.builds(
    WindowSettings,
    st.integers(7, 16),
    st.integers(0, 3),
    batch_characters=st.sampled_from([1, 20, 1000]),
)


@dataclass(frozen=True)
class Recorder:
    """A network that says nothing and remembers what it was given."""

    seen: list[list[int]] = field(default_factory=list)

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[Floats, Floats]:
        self.seen.extend(row[flags == 1].tolist() for row, flags in zip(ids, mask, strict=True))
        return np.zeros((*ids.shape, 41), np.float32), np.zeros((*ids.shape, 2), np.float32)


def rows_of(
    bulletin: Bulletin, *, windows: WindowSettings = WHOLE, scheme: LabelScheme = SCHEME
) -> list[dict[str, Any]]:
    rows = make_dataset([bulletin], scheme=scheme, vocabulary=VOCABULARY, windows=windows)
    return [rows[number] for number in range(len(rows))]


def spans(bulletin: Bulletin) -> list[tuple[int, int, int]]:
    return [(e.start, e.end, SCHEME.entity_names.index(e.label)) for e in bulletin.entities]


@settings(deadline=None, max_examples=50)
@given(FILLED, SMALL)
def test_training_reads_the_windows_that_inference_reads(bulletin: Bulletin, windows: WindowSettings) -> None:
    recorder = Recorder()
    encoder = BulletinEncoder(recorder, VOCABULARY, windows)
    encoder.encode([bulletin.text], [[(s.start, s.end) for s in bulletin.sentences]])
    rows = rows_of(bulletin, windows=windows)
    batches = [collate([row], scheme=SCHEME, vocabulary=VOCABULARY) for row in rows]
    assert sorted(batch.ids[0].tolist() for batch in batches) == sorted(recorder.seen)


@settings(deadline=None, max_examples=50)
@given(FILLED, SMALL)
def test_tags_are_gold_and_cut_entities_are_ignored(bulletin: Bulletin, windows: WindowSettings) -> None:
    gold = tag_numbers(spans(bulletin), len(bulletin.text))
    borders = [sentence.start for sentence in bulletin.sentences]
    cut = cut_windows(len(bulletin.text), borders, size=windows.size, overlap=windows.overlap)
    for window, row in zip(cut, rows_of(bulletin, windows=windows), strict=True):
        for offset, tag in enumerate(row["tags"], start=window.start):
            owner = [e for e in bulletin.entities if e.start <= offset < e.end]
            whole = all(window.start <= e.start and e.end <= window.end for e in owner)
            assert tag == (gold[offset] if whole else IGNORED)


@settings(deadline=None, max_examples=50)
@given(FILLED)
def test_tags_of_a_whole_text_decode_to_the_gold_spans(bulletin: Bulletin) -> None:
    for row in rows_of(bulletin):
        assert list(spans_of_tags(np.array(row["tags"]))) == spans(bulletin)


@settings(deadline=None, max_examples=50)
@given(FILLED)
def test_a_window_that_holds_all_holds_every_sentence(bulletin: Bulletin) -> None:
    for row in rows_of(bulletin):
        assert row["starts"] == [s.start for s in bulletin.sentences]
        assert row["ends"] == [s.end for s in bulletin.sentences]
        assert [SCHEME.function_names[n] for n in row["functions"]] == [
            s.function for s in bulletin.sentences
        ]
        assert row["bears_domains"] == [s.function != "OTHER" for s in bulletin.sentences]
        for flags, sentence in zip(row["domains"], bulletin.sentences, strict=True):
            given_names = tuple(name for name, f in zip(SCHEME.domain_names, flags, strict=True) if f)
            assert given_names == sentence.domains


@settings(deadline=None, max_examples=50)
@given(FILLED, SMALL)
def test_every_sentence_is_learned_where_half_of_it_is_read(
    bulletin: Bulletin, windows: WindowSettings
) -> None:
    borders = [sentence.start for sentence in bulletin.sentences]
    cut = cut_windows(len(bulletin.text), borders, size=windows.size, overlap=windows.overlap)
    learned: set[tuple[int, int]] = set()
    for window, row in zip(cut, rows_of(bulletin, windows=windows), strict=True):
        for start, end in zip(row["starts"], row["ends"], strict=True):
            assert 0 <= start < end <= window.end - window.start
            learned |= {(window.start + start, window.start + end)}
    for s in bulletin.sentences:
        if any(window.start <= s.start and s.end <= window.end for window in cut):
            assert (s.start, s.end) in learned


@settings(deadline=None, max_examples=50)
@given(st.lists(FILLED, min_size=1, max_size=3), SMALL)
def test_a_batch_holds_its_rows(some: list[Bulletin], windows: WindowSettings) -> None:
    rows = [row for bulletin in some for row in rows_of(bulletin, windows=windows)]
    batch = collate(rows, scheme=SCHEME, vocabulary=VOCABULARY)
    shape = (len(rows), max(len(row["ids"]) for row in rows) + 2)
    assert batch.ids.shape == batch.mask.shape == batch.tags.shape == shape
    sentences = sum(len(row["starts"]) for row in rows)
    assert batch.functions.shape == batch.bears_domains.shape == batch.pieces.window.shape == (sentences,)
    assert batch.domains.shape == (sentences, len(SCHEME.domains))
    for number, row in enumerate(rows):
        length = len(row["ids"])
        framed = [VOCABULARY.id_of("[CLS]"), *row["ids"], VOCABULARY.id_of("[SEP]")]
        padding = shape[1] - length - 2
        assert batch.ids[number].tolist() == framed + [VOCABULARY.id_of("[PAD]")] * padding
        assert batch.mask[number].tolist() == [1] * (length + 2) + [0] * padding
        assert batch.tags[number].tolist() == [IGNORED, *row["tags"], *[IGNORED] * (padding + 1)]
    places = [
        (n, *place) for n, row in enumerate(rows) for place in zip(row["starts"], row["ends"], strict=True)
    ]
    pieces = (batch.pieces.window.tolist(), batch.pieces.start.tolist(), batch.pieces.end.tolist())
    assert list(zip(*pieces, strict=True)) == places
    assert batch.functions.tolist() == [n for row in rows for n in row["functions"]]
    assert batch.domains.tolist() == [flags for row in rows for flags in row["domains"]]


def test_a_batch_moves_as_a_whole() -> None:
    batch = collate(rows_of(invented_bulletins(1)[0]), scheme=SCHEME, vocabulary=VOCABULARY)
    moved = batch.to(torch.device("meta"))
    assert {value.device.type for value in vars(moved).values() if isinstance(value, torch.Tensor)} == {
        "meta"
    }
    assert {value.device.type for value in vars(moved.pieces).values()} == {"meta"}


def test_an_entity_at_the_edge_is_no_cut_one() -> None:
    text = "民政部李示例民政部李示"
    whole = Bulletin("a", text, (Entity(0, 8, "ORG"), Entity(8, 11, "LOC")))
    first, second = rows_of(whole, windows=WindowSettings(size=8, overlap=0))
    assert IGNORED not in first["tags"] + second["tags"]
    cut = replace(whole, entities=(Entity(6, 10, "ORG"),))
    first, second = rows_of(cut, windows=WindowSettings(size=8, overlap=0))
    assert first["tags"] == [0] * 6 + [IGNORED] * 2
    assert second["tags"] == [IGNORED] * 2 + [0]


def test_a_scheme_without_sentence_labels() -> None:
    (bulletin,) = plain_names(invented_bulletins(1))
    (row,) = rows_of(bulletin, scheme=MSRA)
    batch = collate([row], scheme=MSRA, vocabulary=VOCABULARY)
    assert set(batch.functions.tolist()) == {IGNORED}
    assert batch.domains.shape == (len(bulletin.sentences), 0)


def test_no_windows_of_an_empty_text() -> None:
    assert rows_of(Bulletin("empty", "")) == []


IDS = st.lists(st.text(max_size=8), unique=True, max_size=30)


@given(IDS, st.floats(0, 1), st.integers(0, 9))
def test_the_split_is_a_partition_in_order(ids: list[str], share: float, seed: int) -> None:
    every = [Bulletin(name, "") for name in ids]
    train, held_out = split_held_out(every, share=share, seed=seed)
    assert not {b.id for b in train} & {b.id for b in held_out}
    assert sorted([*train, *held_out], key=every.index) == every
    assert train == sorted(train, key=every.index)


@given(IDS, IDS, st.floats(0, 1))
def test_the_split_does_not_move_as_data_grow(ids: list[str], more: list[str], share: float) -> None:
    few = [Bulletin(name, "") for name in ids]
    many = [Bulletin(name, "longer") for name in dict.fromkeys([*more, *ids])]
    held_out = {b.id for b in split_held_out(few, share=share, seed=0)[1]}
    assert held_out == {b.id for b in split_held_out(many, share=share, seed=0)[1]} & set(ids)


def test_the_split_has_about_its_share() -> None:
    every = [Bulletin(f"bulletin-{number}", "") for number in range(2000)]
    sizes = [len(split_held_out(every, share=0.2, seed=seed)[1]) for seed in range(3)]
    assert all(340 < size < 460 for size in sizes)
    assert split_held_out(every, share=0.0, seed=1)[1] == []
    assert split_held_out(every, share=1.0, seed=1)[0] == []
    first, second = (split_held_out(every, share=0.2, seed=seed)[1] for seed in (0, 1))
    assert first != second


def test_bulletins_of_several_files(tmp_path: Path) -> None:
    every = invented_bulletins(4)
    paths = [write_jsonl(tmp_path / f"{n}.jsonl", every[2 * n : 2 * n + 2]) for n in range(2)]
    assert load_bulletins(map(str, paths), scheme=SCHEME) == every


def test_the_same_id_twice_is_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "six.jsonl", invented_bulletins(2))
    with pytest.raises(ZhenglingError, match="same id: invented-0, invented-1; ids must be unique"):
        load_bulletins([str(path), str(path)], scheme=SCHEME)


def test_no_bulletins_are_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "none.jsonl", [])
    with pytest.raises(ZhenglingError, match="no annotated bulletins"):
        load_bulletins([str(path)], scheme=SCHEME)


@pytest.mark.parametrize(
    "faulty",
    [
        Bulletin("odd", "民政部", (Entity(0, 3, "NONE"),)),
        Bulletin("odd", "民政部", (Entity(0, 4, "ORG"),)),
        Bulletin("odd", "民政部", (), (Sentence(0, 2, "REPORT"),)),
    ],
)
def test_faulty_data_are_refused_with_their_place(tmp_path: Path, faulty: Bulletin) -> None:
    path = write_jsonl(tmp_path / "odd.jsonl", [*invented_bulletins(1), faulty])
    with pytest.raises(DataError, match=r"odd\.jsonl:2"):
        load_bulletins([str(path)], scheme=SCHEME)


@given(st.lists(st.integers(1, 254), min_size=1, max_size=200), st.integers(1, 9), st.integers(0, 99))
def test_an_epoch_reads_every_window(lengths: list[int], size: int, seed: int) -> None:
    plan = plan_epoch(np.array(lengths), size=size, random=np.random.default_rng(seed))
    assert plan.shape == (-(-len(lengths) // size), size)
    assert set(plan.flatten().tolist()) == set(range(len(lengths)))
    assert (plan == plan_epoch(np.array(lengths), size=size, random=np.random.default_rng(seed))).all()


def test_windows_of_a_step_are_of_like_length_and_steps_are_mixed() -> None:
    lengths = np.random.default_rng(0).integers(1, 255, 4000)
    plan = plan_epoch(lengths, size=8, random=np.random.default_rng(1))
    longest = lengths[plan].max(axis=1)
    assert lengths.sum() > 0.95 * 8 * longest.sum()
    assert abs(np.corrcoef(longest[:-1], longest[1:])[0, 1]) < 0.2
