from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.backends import ALPHABET, VOCABULARY, TableBackend, mark_backend, noise_backend
from tests.strategies import SCHEME

from zhengling.decoding import decode, tag_names
from zhengling.encoder import BulletinEncoder, Encoded, Floats, OnnxBackend, WindowSettings, open_session
from zhengling.errors import ZhenglingError

Spans = list[tuple[int, int]]
SMALL = WindowSettings(size=20, overlap=6, batch_characters=64)
BACKEND = noise_backend(SCHEME)


def text_of(length: int) -> str:
    return "".join(ALPHABET[(number * 7) % len(ALPHABET)] for number in range(length))


@dataclass
class Watching:
    """Notes the shapes and the padding of runs."""

    sizes: list[tuple[int, int]] = field(default_factory=list)

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[Floats, Floats]:
        self.sizes.append((int(mask.sum()), mask.size))
        return BACKEND.run(ids, mask)


@settings(deadline=None)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=40))
def test_little_of_a_run_is_padding(lengths: list[int]) -> None:
    watching = Watching()
    BulletinEncoder(watching, VOCABULARY, SMALL).encode(
        [text_of(length) for length in lengths], [[(0, length)] for length in lengths]
    )
    for filled, size in watching.sizes:
        # Beside the budget, one character makes the length even.
        assert size - filled <= SMALL.padding * size + size / 3
    assert sum(filled for filled, _ in watching.sizes) == sum(lengths) + 2 * len(lengths)


def cut(length: int, step: int) -> Spans:
    return list(pairwise([*range(0, length, step), length]))


def expected(text: str, sentences: Spans, backend: TableBackend = BACKEND) -> Encoded:
    """What comes out if the whole text is read at once."""
    ids = VOCABULARY.encode(text)
    vectors = backend.vectors[ids]
    pooled = [
        np.concatenate([vectors[s:e].sum(0) / np.float32(e - s), vectors[s:e].max(0)])
        if e > s
        else np.zeros(2 * vectors.shape[1], np.float32)
        for s, e in sentences
    ]
    return Encoded(backend.emissions[ids], np.array(pooled, np.float32).reshape(-1, 2 * vectors.shape[1]))


def check(found: Encoded, text: str, sentences: Spans) -> None:
    right = expected(text, sentences)
    np.testing.assert_array_equal(found.emissions, right.emissions)
    np.testing.assert_allclose(found.sentences, right.sentences, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("step", [17, 90, 1000, 10**6])
@pytest.mark.parametrize("length", [1, 253, 254, 255, 508, 10_000, 100_000])
def test_every_character_is_scored_once(length: int, step: int) -> None:
    text, sentences = text_of(length), cut(length, step)
    (found,) = BulletinEncoder(BACKEND, VOCABULARY).encode([text], [sentences])
    check(found, text, sentences)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Spans]:
    """A text with sentences that may have gaps (white space) between them."""
    text = text_of(draw(st.integers(1, 200)))
    borders = sorted(draw(st.sets(st.integers(0, len(text)), max_size=16)) | {0, len(text)})
    return text, [(s + draw(st.integers(0, min(2, e - s - 1))), e) for s, e in pairwise(borders)]


@settings(deadline=None, max_examples=150)
@given(st.lists(documents(), max_size=6))
def test_documents_share_batches_without_mixing(cases: list[tuple[str, Spans]]) -> None:
    encoder = BulletinEncoder(BACKEND, VOCABULARY, SMALL)
    found = encoder.encode([text for text, _ in cases], [spans for _, spans in cases])
    assert len(found) == len(cases)
    for one, (text, spans) in zip(found, cases, strict=True):
        check(one, text, spans)


@dataclass(frozen=True)
class Witness:
    """Keeps the shapes that the network was given and checks how they are framed."""

    shapes: list[tuple[int, int]] = field(default_factory=list)

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[Floats, Floats]:
        lengths = mask.sum(axis=1)
        assert (mask == (np.arange(ids.shape[1]) < lengths[:, None])).all()
        assert (ids[:, 0] == VOCABULARY.id_of("[CLS]")).all()
        assert (ids[np.arange(len(ids)), lengths - 1] == VOCABULARY.id_of("[SEP]")).all()
        assert (ids[mask == 0] == VOCABULARY.id_of("[PAD]")).all()
        self.shapes.append(ids.shape)
        return BACKEND.run(ids, mask)


def test_windows_and_batches_keep_their_limits() -> None:
    witness = Witness()
    texts = [text_of(length) for length in (1, 5, 20, 21, 90, 90, 7, 300)]
    BulletinEncoder(witness, VOCABULARY, SMALL).encode(texts, [cut(len(text), 9) for text in texts])
    assert all(rows == 1 or rows * (width - 2) <= 64 + 8 * rows for rows, width in witness.shapes)
    assert all(width <= 20 + 2 + 8 for _, width in witness.shapes)  # a few columns of padding are free
    assert max(rows for rows, _ in witness.shapes) > 1


@pytest.mark.parametrize(
    ("settings_", "offsets", "step"),
    [
        (WindowSettings(size=60, overlap=12), range(150), 10**6),
        (WindowSettings(size=60, overlap=12), range(150), 25),
        (WindowSettings(), [*range(195, 265), *range(400, 470)], 10**6),
        (WindowSettings(), [*range(150, 265)], 97),
    ],
)
def test_a_mark_at_any_offset_is_found_once(
    settings_: WindowSettings, offsets: Sequence[int], step: int
) -> None:
    mark, filler = ALPHABET[0], ALPHABET[1] * (max(offsets) + 1)
    encoder = BulletinEncoder(mark_backend(SCHEME, {mark: "S-ORG"}), VOCABULARY, settings_)
    texts = [filler[:offset] + mark + filler[offset + 1 :] for offset in offsets]
    sentences = cut(len(filler), step)
    for text, offset, encoded in zip(
        texts, offsets, encoder.encode(texts, [sentences] * len(texts)), strict=True
    ):
        spans = decode(encoded.emissions, sentences)
        assert [(s.start, s.end) for s in spans] == [(offset, offset + 1)]
        marked = next(n for n, (start, end) in enumerate(sentences) if start <= offset < end)
        np.testing.assert_array_equal(encoded.sentences[marked], expected(text, sentences).sentences[marked])


@pytest.mark.parametrize("width", [2, 3, 60])
def test_an_entity_across_any_window_border_is_found_whole(width: int) -> None:
    begin, inside, end, other = ALPHABET[:4]
    marks = {begin: "B-LOC", inside: "I-LOC", end: "E-LOC"}
    encoder = BulletinEncoder(mark_backend(SCHEME, marks), VOCABULARY)
    entity = begin + inside * (width - 2) + end
    offsets = range(200 - width, 260, 2)
    texts = [other * offset + entity + other * (330 - offset - width) for offset in offsets]
    whole = [(0, 330)]
    label = SCHEME.entity_names.index("LOC")
    for offset, encoded in zip(offsets, encoder.encode(texts, [whole] * len(texts)), strict=True):
        spans = decode(encoded.emissions, whole)
        assert [(s.start, s.end, s.label) for s in spans] == [(offset, offset + width, label)]


def test_blank_sentences_at_the_end_have_no_vector() -> None:
    (found,) = BulletinEncoder(BACKEND, VOCABULARY).encode(["  "], [[(2, 2)]])
    assert found.sentences.tolist() == [[0.0] * 8]
    assert found.emissions.shape == (2, len(tag_names(SCHEME.entity_names)))


def test_blank_sentences_before_others_have_no_vector() -> None:
    text, sentences = "  " + text_of(10), [(2, 2), (2, 12)]
    (found,) = BulletinEncoder(BACKEND, VOCABULARY).encode([text], [sentences])
    check(found, text, sentences)


def test_an_empty_text_among_others() -> None:
    texts = ["", text_of(30), ""]
    found = BulletinEncoder(BACKEND, VOCABULARY).encode(texts, [[], [(0, 30)], []])
    assert [len(one.emissions) for one in found] == [0, 30, 0]
    check(found[1], texts[1], [(0, 30)])


def test_long_texts_take_half_the_memory_for_emissions(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, spans = text_of(300), cut(300, 30)
    encoder = BulletinEncoder(onnx_backend(model), VOCABULARY, SMALL)
    (whole,) = encoder.encode([text], [spans])
    monkeypatch.setattr("zhengling.encoder.MEMORY_CHARACTERS", 299)
    (halves,) = encoder.encode([text], [spans])
    assert [e.emissions.dtype.name for e in (whole, halves)] == ["float32", "float16"]
    np.testing.assert_allclose(halves.emissions, whole.emissions, rtol=2**-11, atol=2**-14)
    np.testing.assert_array_equal(halves.sentences, whole.sentences)
    one, two = (decode(encoded.emissions, spans) for encoded in (whole, halves))
    assert [(s.start, s.end, s.label) for s in one] == [(s.start, s.end, s.label) for s in two]
    assert [s.score for s in two] == pytest.approx([s.score for s in one], rel=0.01)


def test_nothing() -> None:
    assert BulletinEncoder(BACKEND, VOCABULARY).encode([], []) == []


def test_other_settings() -> None:
    encoder = BulletinEncoder(BACKEND, VOCABULARY).with_settings(SMALL)
    assert encoder.settings == SMALL
    text = text_of(99)
    check(encoder.encode([text], [[(0, 99)]])[0], text, [(0, 99)])


def onnx_backend(model: Path) -> OnnxBackend:
    return OnnxBackend((model / "bulletin_encoder" / "encoder.onnx").read_bytes(), threads=1)


def test_the_network_gives_a_row_a_character(model: Path) -> None:
    ids = np.array([[2, 9, 8, 7, 3], [2, 9, 3, 0, 0]], np.int64)
    emissions, vectors = onnx_backend(model).run(ids, (ids > 0).astype(np.int64))
    assert emissions.shape == (2, 5, len(tag_names(SCHEME.entity_names)))
    assert vectors.shape[:2] == (2, 5)
    assert np.isfinite(emissions).all()
    assert np.isfinite(vectors).all()


def test_scores_do_not_depend_on_the_batch(model: Path) -> None:
    backend, rng = onnx_backend(model), np.random.default_rng(1)
    encoder = BulletinEncoder(backend, VOCABULARY, WindowSettings(size=60, overlap=12, batch_characters=400))
    texts = [text_of(int(length)) for length in rng.integers(1, 90, 12)]
    sentences: list[Spans] = [[(0, len(text))] for text in texts]
    together = encoder.encode(texts, sentences)
    for text, spans, one in zip(texts, sentences, together, strict=True):
        (alone,) = encoder.encode([text], [spans])
        np.testing.assert_allclose(one.emissions, alone.emissions, atol=1e-5)
        np.testing.assert_allclose(one.sentences, alone.sentences, atol=1e-5)


def test_a_backend_survives_pickling(model: Path) -> None:
    # spaCy pickles pipelines for processes that are spawned.
    backend = onnx_backend(model)
    ids = np.array([[2, 9, 8, 3]], np.int64)
    before = backend.run(ids, np.ones_like(ids))
    after = pickle.loads(pickle.dumps(backend)).run(ids, np.ones_like(ids))
    for left, right in zip(before, after, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("content", [b"", b"not a network", bytes(1000)])
def test_bytes_that_are_no_network(content: bytes) -> None:
    with pytest.raises(ZhenglingError, match="can't be opened"):
        open_session(content, threads=1)
