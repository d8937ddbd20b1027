from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.training.samples import finetune_recipe, invented_bulletins
from torch import Tensor

import zhengling
from zhengling.components import bulletin_of
from zhengling.errors import ZhenglingError
from zhengling_training.convolution import (
    ConvolutionConfig,
    ConvolutionEncoder,
    pair_rows,
    start_convolution,
)
from zhengling_training.encoders import open_encoder
from zhengling_training.finetune import finetune
from zhengling_training.torch_backend import use_torch

DILATIONS = (1, 2, 4)
SMALL = {"width": 24, "units": 40, "dilations": list(DILATIONS)}


def random_encoder(*, pairs: int = 0) -> ConvolutionEncoder:
    torch.manual_seed(5)
    return ConvolutionEncoder(ConvolutionConfig(50, 16, 24, DILATIONS, pairs=pairs, pair_size=8)).eval()


def read(model: ConvolutionEncoder, ids: Tensor) -> Tensor:
    with torch.inference_mode():
        return model(ids, (ids > 0).long()).last_hidden_state


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 39))
def test_a_character_is_seen_from_as_far_as_dilations_reach(at: int) -> None:
    model, ids = random_encoder(), torch.arange(1, 41)[None]
    other = ids.clone()
    other[0, at] = 49
    changed = (read(model, ids) != read(model, other)).any(-1)[0]
    near = (torch.arange(40) - at).abs() <= sum(DILATIONS)
    assert not changed[~near].any()
    assert changed[near].all()


@pytest.mark.parametrize("behind", [1, 3, 30])
@pytest.mark.parametrize("pairs", [0, 7])
def test_padding_changes_nothing(behind: int, pairs: int) -> None:
    model, ids = random_encoder(pairs=pairs), torch.arange(1, 10)[None]
    padded = torch.nn.functional.pad(ids, (0, behind))
    torch.testing.assert_close(read(model, padded)[:, :9], read(model, ids))
    assert not read(model, padded)[:, 9:].any()


def test_a_pair_has_the_same_rows_wherever_it_stands() -> None:
    rows = pair_rows(torch.tensor([[7, 8, 9, 7, 8], [8, 7, 8, 0, 0]]), rows=1000)
    assert rows.shape == (2, 5, 2)
    assert 0 <= rows.min() <= rows.max() < 1000
    assert rows[0, 0].tolist() == rows[0, 3].tolist() == rows[1, 1].tolist()
    assert rows[0, 4].tolist() == rows[1, 2].tolist()  # the last of a window stands before padding
    assert rows[1, 0].tolist() != rows[0, 0].tolist()  # 8 7 is another pair than 7 8


def test_two_pairs_seldom_share_both_rows() -> None:
    ids = torch.randint(5, 9000, (1, 20_000), generator=torch.Generator().manual_seed(1))
    rows = pair_rows(ids, rows=32_768)[0]
    one_each = [len(rows[:, number].unique()) for number in (0, 1)]
    assert min(one_each) > 14_000  # 15,000 by chance
    assert len(rows.unique(dim=0)) > 19_990


def test_characters_start_as_they_lay_to_each_other() -> None:
    table = torch.randn(30, 12)
    whole = start_convolution(table, ConvolutionConfig(30, 12, 8, (1,)))
    mine = whole.embeddings.word_embeddings.weight
    torch.testing.assert_close(mine @ mine.T, table @ table.T, atol=1e-4, rtol=1e-4)
    flat = torch.randn(30, 4) @ torch.randn(4, 12)
    narrow = start_convolution(flat, ConvolutionConfig(30, 5, 8, (1,)))
    mine = narrow.embeddings.word_embeddings.weight
    torch.testing.assert_close(torch.pdist(mine), torch.pdist(flat), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("pairs", [0, 100])
def test_a_pipeline_of_convolutions_is_trained_read_and_trained_on(
    encoder: Path, bulletin_file: Path, tmp_path: Path, pairs: int
) -> None:
    sizes = SMALL | {"pairs": pairs, "pair_size": 8}
    recipe = finetune_recipe(encoder, bulletin_file, encoder__convolution=sizes, package__quantise=False)
    finetune(recipe, run_folder=tmp_path / "run", output=tmp_path / "first")
    nlp, other = (zhengling.load(tmp_path / "first") for _ in range(2))
    use_torch(other, device="cpu", precision=None)
    for bulletin in invented_bulletins(3, seed=8):
        one, two = bulletin_of(nlp(bulletin.text)), bulletin_of(other(bulletin.text))
        assert [(e.start, e.end, e.label) for e in one.entities] == [
            (e.start, e.end, e.label) for e in two.entities
        ]
        assert [e.score for e in one.entities] == pytest.approx([e.score for e in two.entities], abs=1e-4)
    again = open_encoder(str(tmp_path / "first"))
    assert isinstance(again.model, ConvolutionEncoder)
    assert (again.model.config.dilations, again.model.config.pairs) == (DILATIONS, pairs)
    recipe = finetune_recipe(tmp_path / "first", bulletin_file)
    finetune(recipe, run_folder=tmp_path / "run2", output=tmp_path / "second")
    assert zhengling.load(tmp_path / "second")("民政局开展养老服务。").text


def test_layers_of_convolutions_can_not_be_chosen(encoder: Path, bulletin_file: Path, tmp_path: Path) -> None:
    recipe = finetune_recipe(encoder, bulletin_file, encoder__convolution=SMALL)
    finetune(recipe, run_folder=tmp_path / "run", output=tmp_path / "model")
    for changes in ({"encoder__layers": [0]}, {"encoder__intermediate": 8}, {"encoder__layers": 1}):
        with pytest.raises(ZhenglingError, match=r"convolutions|layers"):
            finetune(
                finetune_recipe(tmp_path / "model", bulletin_file, **changes),
                run_folder=tmp_path / "run2",
                output=tmp_path / "model2",
            )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder__convolution": SMALL | {"width": 33}}, "33 is more than the 32"),
        ({"encoder__convolution": SMALL | {"dilations": []}}, "encoder.convolution.dilations"),
        ({"encoder__convolution": SMALL, "encoder__layers": 1}, "goes with neither"),
    ],
)
def test_faulty_sizes(
    encoder: Path, bulletin_file: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ZhenglingError, match=message):
        finetune(
            finetune_recipe(encoder, bulletin_file, **changes),
            run_folder=tmp_path / "run",
            output=tmp_path / "model",
        )
