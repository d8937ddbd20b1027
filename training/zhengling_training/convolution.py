"""A small encoder without attention: dilated convolutions over characters.

Each block is a perceptron over a character and its two neighbours at a distance, the block's dilation, added
and normed as in a transformer. With dilations 1, 2, 4 and so on a few blocks see dozens of characters (Yu &
Koltun 2016; for tagging Strubell et al. 2017), at a cost that does not grow with the length of the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class ConvolutionConfig:
    """Sizes; the names are those of transformers' configurations.

    Attributes:
        vocab_size: characters.
        hidden_size: width of the vectors.
        intermediate_size: units of each block's perceptron.
        dilations: distance of the neighbours, by block.
        layer_norm_eps: of the layer norms.
        dropout: probability on what blocks add, while training.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    dilations: tuple[int, ...]
    layer_norm_eps: float = 1e-5
    dropout: float = 0.0


class Hidden(NamedTuple):
    """What a transformer's output is called, too: shape ``(windows, length, size)``."""

    last_hidden_state: Tensor


class ConvolutionEncoder(nn.Module):
    """Characters in, a vector for each out; what is masked is zero to its neighbours."""

    def __init__(self, config: ConvolutionConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = _Embeddings(config)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList([_Block(config, dilation) for dilation in config.dilations])

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Hidden:
        """Read windows.

        Args:
            input_ids: character ids, shape ``(windows, length)``.
            attention_mask: 1 where there is a character, same shape.
        """
        mask = attention_mask[..., None]
        hidden = self.dropout(self.embeddings(input_ids)) * mask
        for block in self.blocks:
            hidden = block(hidden) * mask
        return Hidden(hidden)


class _Embeddings(nn.Module):
    def __init__(self, config: ConvolutionConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, ids: Tensor) -> Tensor:
        result: Tensor = self.LayerNorm(self.word_embeddings(ids))
        return result


class _Block(nn.Module):
    def __init__(self, config: ConvolutionConfig, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.inner = nn.Linear(3 * config.hidden_size, config.intermediate_size)
        self.outer = nn.Linear(config.intermediate_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        padded = functional.pad(hidden, (0, 0, self.dilation, self.dilation))
        around = torch.cat([padded[:, : -2 * self.dilation], hidden, padded[:, 2 * self.dilation :]], dim=-1)
        update = self.outer(functional.gelu(self.inner(around)))
        result: Tensor = self.LayerNorm(hidden + self.dropout(update))
        return result


def start_convolution(
    table: Tensor, *, width: int, units: int, dilations: Sequence[int], dropout: float
) -> ConvolutionEncoder:
    """A new encoder whose characters start as those of a trained one.

    Args:
        table: vectors of the trained encoder's characters, shape ``(characters, size)``; of these the
            ``width`` principal components are kept, scaled as the table was.
        width: of the new encoder's vectors, at most ``size``.
        units: of each block's perceptron.
        dilations: by block.
        dropout: see ``ConvolutionConfig``.
    """
    model = ConvolutionEncoder(ConvolutionConfig(len(table), width, units, tuple(dilations), dropout=dropout))
    table = table.detach().float()
    _, _, axes = torch.linalg.svd(table - table.mean(0), full_matrices=False)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.copy_(table @ axes[:width].T)
    return model
