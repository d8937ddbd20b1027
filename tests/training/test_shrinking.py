from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zhengling.errors import ZhenglingError
from zhengling_training.encoder_files import load_encoder
from zhengling_training.shrinking import choose_layers, narrow

IDS = torch.tensor([[2, 7, 8, 9, 3]])


def test_the_layers_asked_for_are_kept(encoder: Path) -> None:
    whole, last = load_encoder(encoder).eval(), load_encoder(encoder).eval()
    choose_layers(last, [1])
    hidden = whole.embeddings(input_ids=IDS)
    expected = whole.encoder.layer[1](hidden)
    assert torch.equal(last(input_ids=IDS).last_hidden_state, expected)
    assert last.config.num_hidden_layers == 1


@pytest.mark.parametrize("numbers", [[], [2], [-1], [1, 0], [0, 0]])
def test_layers_that_are_not_there_are_refused(encoder: Path, numbers: list[int]) -> None:
    with pytest.raises(ZhenglingError, match="encoder's 2 layers"):
        choose_layers(load_encoder(encoder), numbers)


def test_units_that_weigh_nothing_go_first(encoder: Path) -> None:
    model = load_encoder(encoder).eval()
    with torch.no_grad():
        for layer in model.encoder.layer:
            layer.intermediate.dense.weight[::2] = 0.0
            layer.intermediate.dense.bias[::2] = 0.0
    before = model(input_ids=IDS).last_hidden_state
    narrow(model, model.config.intermediate_size // 2)
    assert model.encoder.layer[0].output.dense.weight.shape == (32, 32)
    torch.testing.assert_close(model(input_ids=IDS).last_hidden_state, before)


def test_more_units_than_there_are_are_refused(encoder: Path) -> None:
    with pytest.raises(ZhenglingError, match="have 64 units, not 65"):
        narrow(load_encoder(encoder), 65)
