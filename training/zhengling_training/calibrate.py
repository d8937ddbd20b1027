"""Temperatures and thresholds, fitted on held-out bulletins.

One temperature a head (Guo et al. 2017) is found by minimising the log loss on a grid; a threshold a
domain by maximising F1, or the threshold common to all where a domain is too rare to have its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zhengling.characters import blanks
from zhengling.decoding import decode
from zhengling.encoder import BulletinEncoder
from zhengling.heads import SentenceHead, sigmoid, softmax
from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.config import Section

Floats = NDArray[np.floating]


class CalibrationSection(Section):
    """Grids of the search; ``own_threshold_from`` positives a domain gets a threshold of its own."""

    temperatures: list[float] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0]
    thresholds: list[float] = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7]
    own_threshold_from: int = 30


@dataclass(frozen=True)
class Calibration:
    """What was fitted.

    Attributes:
        tagger: temperature of the tagger.
        heads: temperatures by sentence head.
        thresholds: by domain.
    """

    tagger: float
    heads: Mapping[str, float]
    thresholds: Mapping[str, float]

    @classmethod
    def none(cls, heads: Iterable[str], scheme: LabelScheme) -> Calibration:
        """Nothing scaled, all thresholds 0.5."""
        return cls(1.0, dict.fromkeys(heads, 1.0), dict.fromkeys(scheme.domain_names, 0.5))


def calibrate(
    bulletins: Sequence[Bulletin],
    *,
    encoder: BulletinEncoder,
    heads: Mapping[str, SentenceHead],
    scheme: LabelScheme,
    settings: CalibrationSection,
) -> Calibration:
    """Fit on bulletins that were not trained on; with none, nothing is scaled and thresholds are 0.5."""
    if not bulletins:
        return Calibration.none(heads, scheme)
    spans = [[(s.start, s.end) for s in b.sentences] or [(0, len(b.text))] for b in bulletins]
    encoded = encoder.encode([b.text for b in bulletins], spans)
    tagger = _temperature(
        settings, lambda t: _tagger_loss([e.emissions for e in encoded], spans, bulletins, scheme, t)
    )
    annotated = [(e, b) for e, b in zip(encoded, bulletins, strict=True) if b.sentences]
    vectors = np.concatenate([e.sentences for e, _ in annotated] or [np.zeros((0, 0), np.float32)])
    sentences = [sentence for bulletin in bulletins for sentence in bulletin.sentences]
    temperatures: dict[str, float] = {}
    thresholds = dict.fromkeys(scheme.domain_names, 0.5)
    if "functions" in heads and sentences:
        gold = np.array([scheme.function_names.index(s.function or "") for s in sentences])
        scores = heads["functions"](vectors)
        temperatures["functions"] = _temperature(settings, lambda t: _choice_loss(scores / t, gold))
    if "domains" in heads and sentences:
        bears = [i for i, s in enumerate(sentences) if s.function not in scheme.functions_without_domains]
        gold = np.array(
            [[name in sentences[i].domains for name in scheme.domain_names] for i in bears], bool
        ).reshape(len(bears), len(scheme.domains))
        scores = heads["domains"](vectors[bears])
        temperatures["domains"] = _temperature(settings, lambda t: _binary_loss(sigmoid(scores / t), gold))
        found = fit_thresholds(sigmoid(scores / temperatures["domains"]), gold, settings=settings)
        thresholds = dict(zip(scheme.domain_names, found, strict=True))
    return Calibration(tagger, dict.fromkeys(heads, 1.0) | temperatures, thresholds)


def fit_thresholds(
    probabilities: Floats, gold: NDArray[np.bool_], *, settings: CalibrationSection
) -> list[float]:
    """Thresholds by domain, given probabilities and gold of shape ``(sentences, domains)``."""
    if not gold.any():
        return [0.5] * gold.shape[1]
    common = max(settings.thresholds, key=lambda t: _f1(probabilities >= t, gold))
    return [
        max(settings.thresholds, key=lambda t: (_f1(probabilities[:, d] >= t, gold[:, d]), -abs(t - common)))
        if gold[:, d].sum() >= settings.own_threshold_from
        else common
        for d in range(gold.shape[1])
    ]


def _temperature(settings: CalibrationSection, loss: Callable[[float], float]) -> float:
    """The temperature of the least loss; of equals, the one that changes least."""
    return min(settings.temperatures, key=lambda t: (loss(t), abs(math.log(t))))


def _tagger_loss(
    emissions: Sequence[Floats],
    spans: Sequence[Sequence[tuple[int, int]]],
    bulletins: Sequence[Bulletin],
    scheme: LabelScheme,
    temperature: float,
) -> float:
    """Log loss of the probabilities of decoded spans being right."""
    probabilities, right = [], []
    for scores, segments, bulletin in zip(emissions, spans, bulletins, strict=True):
        gold = {(e.start, e.end, scheme.entity_names.index(e.label)) for e in bulletin.entities}
        for span in decode(scores, segments, blanks=blanks(bulletin.text), temperature=temperature):
            probabilities.append(span.score)
            right.append((span.start, span.end, span.label) in gold)
    return _binary_loss(np.array(probabilities), np.array(right, bool))


def _choice_loss(scores: Floats, gold: NDArray[np.int64]) -> float:
    chosen = softmax(scores)[np.arange(len(gold)), gold]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def _binary_loss(probabilities: Floats, right: NDArray[np.bool_]) -> float:
    p = np.clip(np.where(right, probabilities, 1 - probabilities), 1e-12, 1.0)
    return float(-np.log(p).mean()) if p.size else 0.0


def _f1(predicted: NDArray[np.bool_], gold: NDArray[np.bool_]) -> float:
    return float(2 * (predicted & gold).sum() / max(1, predicted.sum() + gold.sum()))
