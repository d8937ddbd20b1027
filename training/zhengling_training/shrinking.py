"""A smaller encoder out of a trained one: some of its layers, and of each the units that weigh most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers import BertModel

from zhengling.errors import ZhenglingError


def choose_layers(model: BertModel, numbers: Sequence[int]) -> None:
    """Keep the layers of these numbers, from 0, in their order (as DistilBERT starts, Sanh et al. 2019).

    Raises:
        ZhenglingError: there is no such layer, or one is named twice or out of order.
    """
    layers: Any = model.encoder.layer
    count = len(layers)
    if not numbers or sorted(set(numbers)) != list(numbers) or numbers[0] < 0 or numbers[-1] >= count:
        raise ZhenglingError(
            f"encoder.layers: {list(numbers)} must be numbers of the encoder's {count} layers, "
            f"from 0 to {count - 1}, in rising order"
        )
    model.encoder.layer = nn.ModuleList([layers[number] for number in numbers])
    model.config.num_hidden_layers = len(numbers)


def narrow(model: BertModel, size: int) -> None:
    """Keep in each layer the ``size`` units between its two products that weigh most.

    A unit weighs the product of the norms of what goes into it and what comes out of it (magnitude pruning,
    Han et al. 2015).

    Raises:
        ZhenglingError: the layers have no more units than that.
    """
    if size > model.config.intermediate_size:
        raise ZhenglingError(
            f"encoder.intermediate: the layers have {model.config.intermediate_size} units, not {size}"
        )
    layers: Any = model.encoder.layer
    for layer in layers:
        into, out = layer.intermediate.dense, layer.output.dense
        weight = into.weight.norm(dim=1) * out.weight.norm(dim=0)
        chosen = weight.topk(size).indices.sort().values
        layer.intermediate.dense = _linear(into.weight[chosen], into.bias[chosen])
        layer.output.dense = _linear(out.weight[:, chosen], out.bias)
    model.config.intermediate_size = size


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
    made = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)
    return made
