from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from zhengling.errors import ZhenglingError
from zhengling_training.encoder_files import (
    CONFIG,
    TOKENIZER,
    WEIGHTS,
    load_encoder,
    load_weights,
    read_config,
    save_encoder,
)

Tensors = dict[str, torch.Tensor]


def altered(
    encoder: Path,
    folder: Path,
    *,
    settings: dict[str, Any] | None = None,
    weights: Callable[[Tensors], Tensors] = lambda tensors: tensors,
) -> Path:
    """A copy of an encoder with other settings or weights."""
    folder.mkdir()
    (folder / CONFIG).write_text(json.dumps(read_config(encoder) | (settings or {})), encoding="utf-8")
    save_file(weights(load_file(encoder / WEIGHTS)), folder / WEIGHTS)
    return folder


def test_what_is_saved_is_loaded(encoder: Path, tmp_path: Path) -> None:
    first = load_encoder(encoder)
    save_encoder(first, tmp_path / "copy", tokenizer=(encoder / TOKENIZER).read_bytes())
    second = load_encoder(tmp_path / "copy")
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
        assert value.dtype == torch.float32
    for name in (TOKENIZER, WEIGHTS):
        assert (tmp_path / "copy" / name).read_bytes() == (encoder / name).read_bytes()
    rates = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    assert read_config(tmp_path / "copy") == read_config(encoder) | rates


def test_weights_are_stored_in_fp16_and_readable_by_all(encoder: Path) -> None:
    assert {value.dtype for value in load_file(encoder / WEIGHTS).values()} == {torch.float16}
    assert all((encoder / name).stat().st_mode & 0o444 == 0o444 for name in (WEIGHTS, TOKENIZER, CONFIG))


def test_rounding_to_fp16_moves_the_output_little(encoder: Path, tmp_path: Path) -> None:
    model = load_encoder(encoder).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.rand_like(parameter) * 1e-3)
    save_encoder(model, tmp_path / "copy", tokenizer=(encoder / TOKENIZER).read_bytes())
    again = load_encoder(tmp_path / "copy").eval()
    ids = torch.arange(6, 40)[None]
    with torch.inference_mode():
        gap = (model(ids).last_hidden_state - again(ids).last_hidden_state).abs().max()
    assert 0 < gap < 1e-2


def test_layers_can_be_cut(encoder: Path) -> None:
    whole, cut = load_encoder(encoder).eval(), load_encoder(encoder, layers=1).eval()
    assert cut.config.num_hidden_layers == len(cut.encoder.layer) == 1
    ids = torch.arange(6, 30)[None]
    with torch.inference_mode():
        states = whole(ids, output_hidden_states=True).hidden_states
        assert torch.allclose(cut(ids).last_hidden_state, states[1], atol=1e-6)


def test_more_layers_than_there_are_is_an_error(encoder: Path) -> None:
    with pytest.raises(ZhenglingError, match="has 2 layers, not 3"):
        load_encoder(encoder, layers=3)


def test_dropout_only_where_asked(encoder: Path) -> None:
    ids = torch.arange(6, 30)[None]
    for dropout, alike in ((0.0, True), (0.5, False)):
        model = load_encoder(encoder, dropout=dropout).train()
        outputs = [model(ids).last_hidden_state for _ in range(2)]
        assert torch.equal(*outputs) is alike


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_missing_file_is_named(encoder: Path, tmp_path: Path, name: str) -> None:
    folder = altered(encoder, tmp_path / "less")
    (folder / name).unlink()
    with pytest.raises(ZhenglingError, match=name):
        load_encoder(folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match="not an encoder folder"):
        load_encoder(tmp_path / "none")


@pytest.mark.parametrize("left", [0, 4, 100, -1])
def test_truncated_weights_are_named(encoder: Path, tmp_path: Path, left: int) -> None:
    folder = altered(encoder, tmp_path / "cut")
    (folder / WEIGHTS).write_bytes((encoder / WEIGHTS).read_bytes()[:left])
    with pytest.raises(ZhenglingError, match=r"model\.safetensors: can't read the weights"):
        load_encoder(folder)


def test_a_config_that_is_not_json(encoder: Path, tmp_path: Path) -> None:
    folder = altered(encoder, tmp_path / "odd")
    (folder / CONFIG).write_text("{", encoding="utf-8")
    with pytest.raises(ZhenglingError, match=r"config\.json: not JSON"):
        load_encoder(folder)


@pytest.mark.parametrize("kind", ["roberta", None])
def test_another_architecture_by_name(encoder: Path, tmp_path: Path, kind: str | None) -> None:
    folder = altered(encoder, tmp_path / "odd", settings={"model_type": kind})
    with pytest.raises(ZhenglingError, match=f"model_type is {kind!r}, not 'bert'"):
        load_encoder(folder)


@pytest.mark.parametrize(
    "settings, place",
    [
        ({"vocab_size": 50}, r"of another shape: embeddings\.word_embeddings"),
        ({"num_hidden_layers": 3}, r"missing: encoder\.layer\.2\."),
        ({"intermediate_size": 48}, "of another shape: encoder"),
    ],
)
def test_weights_and_settings_that_disagree(
    encoder: Path, tmp_path: Path, settings: dict[str, Any], place: str
) -> None:
    folder = altered(encoder, tmp_path / "odd", settings=settings)
    with pytest.raises(ZhenglingError, match=f"another architecture or vocabulary.*{place}"):
        load_encoder(folder)


def test_weights_in_excess_are_refused(encoder: Path, tmp_path: Path) -> None:
    folder = altered(encoder, tmp_path / "odd", weights=lambda t: t | {"pooler.weight": torch.zeros(2)})
    with pytest.raises(ZhenglingError, match=r"unexpected: pooler\.weight and 0 more"):
        load_encoder(folder)


def test_load_weights_takes_all_or_nothing(tmp_path: Path) -> None:
    module = nn.Linear(2, 3)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(ZhenglingError, match="missing: bias"):
        load_weights(module, {"weight": torch.zeros(3, 2)}, place=tmp_path)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    load_weights(
        module, {"weight": torch.ones(3, 2).half(), "bias": torch.ones(3), "more": torch.ones(1)},
        place=tmp_path, may_drop="more",
    )  # fmt: skip
    assert module.weight.eq(1).all()
    assert module.weight.dtype == torch.float32
