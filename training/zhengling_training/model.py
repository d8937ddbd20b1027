"""The network: one encoder, a linear tagger over characters, two small heads over sentence vectors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import BertModel

from zhengling.schema import LabelScheme
from zhengling_training.convolution import ConvolutionEncoder

Encoder = BertModel | ConvolutionEncoder


@dataclass(frozen=True)
class SentencePieces:
    """Where the sentences of a batch are.

    Attributes:
        window: index of the window, shape ``(sentences,)``.
        start: first position in the window, without ``[CLS]``.
        end: one past the last position.
    """

    window: Tensor
    start: Tensor
    end: Tensor


class BulletinModel(nn.Module):
    """Encoder and heads; which heads there are follows from the scheme.

    Args:
        encoder: a BERT, or one of convolutions.
        scheme: the labels.
        head_size: width of the hidden layer of the sentence heads.
        dropout: probability on hidden states and in the heads.
    """

    def __init__(self, encoder: Encoder, scheme: LabelScheme, *, head_size: int, dropout: float) -> None:
        super().__init__()
        size = encoder.config.hidden_size
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.tagger = nn.Linear(size, 1 + 4 * len(scheme.entities))
        self.heads = nn.ModuleDict(
            {
                name: _head(2 * size, head_size, len(labels), dropout=dropout)
                for name, labels in (("functions", scheme.functions), ("domains", scheme.domains))
                if labels
            }
        )

    def forward(self, ids: Tensor, mask: Tensor, pieces: SentencePieces) -> tuple[Tensor, dict[str, Tensor]]:
        """Read windows and score tags and sentences: what training needs.

        Args:
            ids: see ``read``.
            mask: see ``read``.
            pieces: where the sentences are.

        Returns:
            Emissions as ``read`` gives them, and scores by sentence head, each ``(sentences, labels)``.
        """
        emissions, vectors = self.read(ids, mask)
        if not len(pieces.window):
            return emissions, {}
        pooled = pool(vectors, pieces)
        return emissions, {name: head(pooled) for name, head in self.heads.items()}

    def read(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Read windows.

        Args:
            ids: character ids with ``[CLS]`` and ``[SEP]``, shape ``(windows, length + 2)``.
            mask: 1 where there is a character, same shape.

        Returns:
            Emissions ``(windows, length + 2, tags)`` and vectors ``(windows, length + 2, size)``.
        """
        hidden = self.dropout(self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state)
        return self.tagger(hidden), hidden


def pool(vectors: Tensor, pieces: SentencePieces) -> Tensor:
    """Mean and maximum over the characters of each sentence, shape ``(sentences, 2 * size)``."""
    positions = torch.arange(vectors.shape[1] - 2, device=vectors.device)
    inside = (positions >= pieces.start[:, None]) & (positions < pieces.end[:, None])
    chosen = vectors[pieces.window, 1:-1]
    mean = (chosen * inside[..., None]).sum(1) / inside.sum(1, keepdim=True)
    maximum = chosen.masked_fill(~inside[..., None], float("-inf")).amax(1)
    return torch.cat([mean, maximum], dim=1)


def _head(inputs: int, hidden: int, outputs: int, *, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, outputs)
    )
