"""Losses of the tagger: a character at a time, or whole paths under the constraints that decoding keeps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from zhengling.decoding import IMPOSSIBLE, B, E, I, S
from zhengling_training.data import IGNORED


def character_loss(emissions: Tensor, tags: Tensor) -> Tensor:
    """Cross-entropy of each character's tag, the mean over known tags.

    Args:
        emissions: scores of tags, shape ``(windows, length, tags)``.
        tags: gold tags, shape ``(windows, length)``, ``IGNORED`` where unknown.

    Returns:
        A scalar, 0 if no tag is known.
    """
    return cross_entropy(emissions.flatten(0, 1), tags.flatten())


def cross_entropy(scores: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy over the targets that are known, 0 if none is.

    ``smoothing`` is the share of a target that goes to all classes alike (Szegedy et al. 2016).
    """
    known = (targets != IGNORED).sum().clamp(min=1)
    total = functional.cross_entropy(
        scores, targets, ignore_index=IGNORED, reduction="sum", label_smoothing=smoothing
    )
    return total / known


def path_loss(emissions: Tensor, tags: Tensor) -> Tensor:
    """Negative log-likelihood of the gold path among all valid BIOES paths, over the number of known tags.

    The conditional random field (Lafferty et al. 2001) by which ``zhengling.decoding`` decodes and gives
    spans their probabilities: transitions are allowed or not, none is learned. Characters without a known
    tag count as outside of entities, at no cost. Computed in double precision.

    Args:
        emissions: scores of tags, shape ``(windows, length, tags)``.
        tags: gold tags, shape ``(windows, length)``; a valid path wherever they are known.

    Returns:
        A scalar, 0 if no tag is known.
    """
    known = tags != IGNORED
    scores = emissions.double().masked_fill(~known[..., None], IMPOSSIBLE)
    outside_scores = torch.where(known, emissions[..., 0].double(), 0.0)
    gold = emissions.double().gather(2, tags.clamp(min=0)[..., None])[..., 0]
    likelihood = (gold * known).sum() - _log_partition(outside_scores, scores[..., 1:]).sum()
    return (-likelihood / known.sum().clamp(min=1)).to(emissions.dtype)


def _log_partition(none: Tensor, labelled: Tensor) -> Tensor:
    """Log-sum of all valid paths of each window; see ``zhengling.decoding`` for the recursion.

    Args:
        none: scores of O, shape ``(windows, length)``.
        labelled: scores of the other tags, shape ``(windows, length, 4 * labels)``.

    Returns:
        Shape ``(windows,)``.
    """
    windows, length, tags = labelled.shape
    roles = labelled.reshape(windows, length, tags // 4, 4).unbind(3)
    begin, middle, last, single = (roles[role].unbind(1) for role in (B, I, E, S))
    outside = none.new_zeros(windows, 1)
    inside = none.new_full((windows, tags // 4), IMPOSSIBLE)
    for at, plain in enumerate(none.unbind(1)):
        ways = torch.cat([outside + plain[:, None], inside + last[at], outside + single[at]], dim=1)
        inside = torch.logaddexp(outside + begin[at], inside + middle[at])
        outside = torch.logsumexp(ways, dim=1, keepdim=True)
    return outside[:, 0]
