from __future__ import annotations

from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.training.samples import MSRA, SCHEME, tokens

from zhengling.decoding import tag_names
from zhengling_training.encoder_files import load_encoder
from zhengling_training.model import BulletinModel, SentencePieces, pool

PIECES = SentencePieces(torch.tensor([0, 0, 2]), torch.tensor([0, 4, 1]), torch.tensor([4, 10, 2]))
NO_PIECES = SentencePieces(*(torch.zeros(0, dtype=torch.long) for _ in range(3)))


def windows(*lengths: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask of random windows."""
    random = torch.Generator().manual_seed(seed)
    longest = max(lengths) + 2
    ids = torch.zeros(len(lengths), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, : length + 2] = torch.randint(5, len(tokens()), (length + 2,), generator=random)
        mask[row, : length + 2] = 1
    return ids, mask


@given(st.integers(1, 3), st.integers(1, 9), st.data())
def test_pool_is_mean_and_maximum_of_each_sentence(count: int, length: int, data: st.DataObject) -> None:
    vectors = torch.randn(count, length + 2, 3, generator=torch.Generator().manual_seed(count * 10 + length))
    ranges = st.tuples(st.integers(0, count - 1), st.integers(0, length - 1), st.integers(1, length))
    places = data.draw(st.lists(ranges.filter(lambda p: p[1] < p[2]), min_size=1, max_size=4))
    pooled = pool(vectors, SentencePieces(*torch.tensor(places).T))
    assert pooled.shape == (len(places), 6)
    for row, (window, start, end) in zip(pooled, places, strict=True):
        own = vectors[window, 1 + start : 1 + end]  # behind [CLS]
        assert torch.allclose(row[:3], own.mean(0), atol=1e-5)
        assert torch.equal(row[3:], own.max(0).values)


def test_shapes(model: BulletinModel) -> None:
    ids, mask = windows(12, 3, 8)
    emissions, scores = model(ids, mask, PIECES)
    assert emissions.shape == (3, 14, len(tag_names(SCHEME.entity_names)))
    assert {name: tuple(value.shape) for name, value in scores.items()} == {
        "functions": (3, len(SCHEME.functions)),
        "domains": (3, len(SCHEME.domains)),
    }
    read, vectors = model.read(ids, mask)
    assert torch.equal(read, emissions)
    assert vectors.shape == (3, 14, 32)


def test_no_sentences_no_scores(model: BulletinModel) -> None:
    emissions, scores = model(*windows(4, 6), NO_PIECES)
    assert emissions.shape[:2] == (2, 8)
    assert scores == {}


def test_a_scheme_without_sentence_labels_has_no_heads(encoder: Path) -> None:
    model = BulletinModel(load_encoder(encoder), MSRA, head_size=16, dropout=0.0)
    assert list(model.heads) == []
    assert not [name for name, _ in model.named_parameters() if name.startswith("heads")]
    emissions, scores = model(*windows(12, 3, 8), PIECES)
    assert emissions.shape == (3, 14, 1 + 4 * len(MSRA.entities))
    assert scores == {}


def test_padding_and_neighbours_change_nothing(model: BulletinModel) -> None:
    ids, mask = windows(12, 3, 8)
    with torch.inference_mode():
        together = model.read(ids, mask)
        for row, length in enumerate((12, 3, 8)):
            own = slice(0, length + 2)
            alone = model.read(ids[row : row + 1, own], mask[row : row + 1, own])
            for joined, single in zip(together, alone, strict=True):
                assert torch.allclose(joined[row, own], single[0], atol=1e-5)


def test_dropout_acts_in_training_only(model: BulletinModel) -> None:
    ids, mask = windows(12)
    outputs = [model.eval().read(ids, mask)[0] for _ in range(2)]
    assert torch.equal(*outputs)
    outputs = [model.train().read(ids, mask)[0] for _ in range(2)]
    assert not torch.equal(*outputs)


def test_gradients_reach_every_parameter(model: BulletinModel) -> None:
    emissions, scores = model.train()(*windows(12, 3, 8), PIECES)
    (emissions.square().sum() + sum(value.square().sum() for value in scores.values())).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []
