"""Encoders on disk: a Hugging Face folder with config.json, tokenizer.json, model.safetensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

from zhengling.characters import CharacterVocabulary
from zhengling.errors import ZhenglingError
from zhengling.files import atomic_folder, read_json, write_text
from zhengling.manifest import check_model, check_replaceable, seal

WEIGHTS, CONFIG, TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
# The output head of masked-LM pretraining: kept so that pretraining goes on where it ended.
MASKED_HEAD = "masked_lm.safetensors"


def load_encoder(folder: Path, *, layers: int | None = None, dropout: float = 0.0) -> BertModel:
    """Load a BERT encoder in fp32.

    Args:
        folder: a folder in Hugging Face form.
        layers: keep the first ``layers`` layers; all if None.
        dropout: probability for hidden states while training; attention has none, which lets
            PyTorch use its fused kernel on a GPU.

    Raises:
        ZhenglingError: a file is missing or damaged, or weights and configuration disagree.
    """
    check_model(folder)
    settings = read_config(folder)
    if layers is not None:
        if layers > settings["num_hidden_layers"]:
            raise ZhenglingError(f"{folder}: has {settings['num_hidden_layers']} layers, not {layers}")
        settings["num_hidden_layers"] = layers
    settings |= {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": 0.0}
    model = BertModel(BertConfig(**settings), add_pooling_layer=False)
    choose_attention(model)
    load_weights(model, read_weights(folder / WEIGHTS), place=folder / WEIGHTS, may_drop="encoder.layer.")
    return model


def choose_attention(model: BertModel) -> None:
    """PyTorch's fused attention on a GPU; plain products on a CPU, where its backward pass is slower."""
    model.set_attn_implementation("sdpa" if torch.cuda.is_available() else "eager")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name.

    Raises:
        ZhenglingError: the file is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ZhenglingError(f"{path}: can't read the weights: {error}") from error


def load_weights(
    module: torch.nn.Module, weights: dict[str, torch.Tensor], *, place: Path, may_drop: str = "\0"
) -> None:
    """Fill a module in place, in fp32, and refuse any difference of names or shapes.

    Args:
        module: the module.
        weights: tensors by parameter name.
        place: where they came from, for the message.
        may_drop: prefix of names that may be there in excess (upper layers not wanted).

    Raises:
        ZhenglingError: names or shapes disagree.
    """
    own = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    missing = sorted(own.keys() - weights.keys())
    excess = sorted(name for name in weights.keys() - own.keys() if not name.startswith(may_drop))
    odd = [name for name in own.keys() & weights.keys() if own[name] != tuple(weights[name].shape)]
    if missing or excess or odd:
        faults = {"missing": missing, "unexpected": excess, "of another shape": sorted(odd)}
        parts = [f"{kind}: {names[0]} and {len(names) - 1} more" for kind, names in faults.items() if names]
        raise ZhenglingError(f"{place}: weights of another architecture or vocabulary ({'; '.join(parts)})")
    module.load_state_dict({name: weights[name].float() for name in own})


def read_config(folder: Path) -> dict[str, Any]:
    """The encoder's config.json.

    Raises:
        ZhenglingError: the folder is no encoder.
    """
    if not (folder / CONFIG).exists():
        raise ZhenglingError(f"{folder}: not an encoder folder, it has no {CONFIG}")
    settings: dict[str, Any] = read_json(folder / CONFIG)
    if settings.get("model_type") != "bert":
        raise ZhenglingError(f"{folder / CONFIG}: model_type is {settings.get('model_type')!r}, not 'bert'")
    return settings


def load_vocabulary(folder: Path) -> CharacterVocabulary:
    """The characters of an encoder.

    Raises:
        ZhenglingError: the tokenizer is missing, damaged, or has ids that the encoder has no row for.
    """
    vocabulary = CharacterVocabulary.from_tokenizer(folder / TOKENIZER)
    rows = read_config(folder)["vocab_size"]
    if len(vocabulary) > rows:
        raise ZhenglingError(
            f"{folder / TOKENIZER}: of another encoder, with {len(vocabulary)} ids for {rows} rows"
        )
    return vocabulary


def save_encoder(
    model: BertModel,
    folder: Path,
    *,
    tokenizer: bytes,
    parts: Mapping[str, torch.nn.Module] | None = None,
    texts: Mapping[str, str] | None = None,
) -> None:
    """Write an encoder folder whole, with its manifest, weights in fp16 (half the size, no measurable loss).

    Args:
        model: the encoder.
        folder: takes the place of what was there.
        tokenizer: content of its ``tokenizer.json``.
        parts: what else was trained with it, by path in the folder.
        texts: further files, by path in the folder.

    Raises:
        ZhenglingError: the folder holds other things than a model.
    """
    check_replaceable(folder)
    with atomic_folder(folder) as temporary:
        for name, module in {WEIGHTS: model, **(parts or {})}.items():
            _save_weights(module, temporary / name)
        settings = model.config.to_dict() | {"architectures": ["BertModel"]}
        configuration = json.dumps(settings, indent=1, sort_keys=True) + "\n"
        for name, text in {CONFIG: configuration, **(texts or {})}.items():
            write_text(temporary / name, text)
        (temporary / TOKENIZER).write_bytes(tokenizer)
        seal(temporary)


def _save_weights(module: torch.nn.Module, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.half().contiguous() for name, value in module.state_dict().items()}
    save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(0o644)  # save_file leaves it readable by its owner alone
