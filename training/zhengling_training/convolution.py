"""A small encoder without attention: dilated convolutions over characters.

Each block is a perceptron over a character and its two neighbours at a distance, the block's dilation, added
and normed as in a transformer. With dilations 1, 2, 4 and so on a few blocks see dozens of characters (Yu &
Koltun 2016; for tagging Strubell et al. 2017), at a cost that does not grow with the length of the window.

What words there are, a transformer keeps in its layers; here a table of pairs of characters can keep it,
which costs two lookups a character. Pairs share its rows by hashing, each has two (Serrà & Karatzoglou 2017,
"Getting deep recommenders fit"; spaCy's HashEmbed does the same for words).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

# Of the two characters of a pair, for each of its rows.
PAIR_FACTORS = ((40503, 10007), (24593, 30011))


@dataclass(frozen=True)
class ConvolutionConfig:
    """Sizes; the names are those of transformers' configurations.

    Attributes:
        vocab_size: characters.
        hidden_size: width of the vectors.
        intermediate_size: units of each block's perceptron.
        dilations: distance of the neighbours, by block.
        pairs: rows of the table of pairs; none without one.
        pair_size: width of its rows.
        layer_norm_eps: of the layer norms.
        dropout: probability on what blocks add, while training.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    dilations: tuple[int, ...]
    pairs: int = 0
    pair_size: int = 0
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
        self.config = config
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        if config.pairs:
            self.pairs = nn.Embedding(config.pairs, config.pair_size)
            self.pair = nn.Linear(len(PAIR_FACTORS) * config.pair_size, config.hidden_size, bias=False)
            # As small as a table of characters: pairs must not outweigh them before they know anything.
            nn.init.normal_(self.pairs.weight, std=0.05)

    def forward(self, ids: Tensor) -> Tensor:
        characters: Tensor = self.word_embeddings(ids)
        if self.config.pairs:
            rows = pair_rows(ids, rows=self.config.pairs)
            characters = characters + self.pair(self.pairs(rows).flatten(-2))
        result: Tensor = self.LayerNorm(characters)
        return result


def pair_rows(ids: Tensor, *, rows: int) -> Tensor:
    """Rows of the pairs of each character and the next, the last with ``[PAD]``, whose id is 0.

    Args:
        ids: shape ``(windows, length)``.
        rows: of the table.

    Returns:
        Shape ``(windows, length, 2)``.
    """
    after = functional.pad(ids[:, 1:], (0, 1))
    return torch.stack([(ids * one + after * two) % rows for one, two in PAIR_FACTORS], dim=-1)


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


def start_convolution(table: Tensor, config: ConvolutionConfig) -> ConvolutionEncoder:
    """A new encoder whose characters start as those of a trained one.

    Args:
        table: vectors of the trained encoder's characters, shape ``(characters, size)``; of these the
            ``hidden_size`` principal components are kept, scaled as the table was.
        config: of the new encoder; its vectors have at most ``size`` numbers.
    """
    model = ConvolutionEncoder(config)
    table = table.detach().float()
    _, _, axes = torch.linalg.svd(table - table.mean(0), full_matrices=False)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.copy_(table @ axes[: config.hidden_size].T)
    return model
