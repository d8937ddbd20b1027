"""Small heads over sentence vectors, in numpy: probabilities of functions and domains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from thinc.api import NumpyOps

Floats = NDArray[np.floating]

# Abramowitz & Stegun 1964, 7.1.26: |error| < 1.5e-7, enough for a GELU in single precision.
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


@dataclass(frozen=True)
class SentenceHead:
    """A perceptron with one hidden layer.

    Attributes:
        weights: ``hidden.weight (hidden, inputs)``, ``hidden.bias``, ``output.weight (labels, hidden)``,
            ``output.bias``.
    """

    weights: Mapping[str, Floats]

    def __call__(self, vectors: Floats) -> Floats:
        """Scores, shape ``(sentences, labels)``, of vectors ``(sentences, inputs)``; in single precision."""
        return self._layer("output", gelu(self._layer("hidden", vectors)))

    def _layer(self, name: str, inputs: Floats) -> Floats:
        # By BLIS, which spaCy brings along: numpy's product uses all cores, waits for them where they are
        # busy, and has other last digits with another number of them.
        inputs, weight = (a.astype(np.float32, copy=False) for a in (inputs, self.weights[f"{name}.weight"]))
        if not len(inputs):
            return np.zeros((0, len(weight)), np.float32)
        result: Floats = NumpyOps(use_blis=True).gemm(inputs, weight, trans2=True)
        return result + self.weights[f"{name}.bias"]


def gelu(values: Floats) -> Floats:
    """Gaussian error linear unit (Hendrycks & Gimpel 2016)."""
    return values * 0.5 * (1.0 + _erf(values / math.sqrt(2.0)))


def _erf(values: Floats) -> Floats:
    t = 1.0 / (1.0 + 0.3275911 * np.abs(values))
    series = t * (_ERF[0] + t * (_ERF[1] + t * (_ERF[2] + t * (_ERF[3] + t * _ERF[4]))))
    result: Floats = np.sign(values) * (1.0 - series * np.exp(-values * values))
    return result


def softmax(scores: Floats) -> Floats:
    """Probabilities over the last axis."""
    shifted: Floats = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def sigmoid(scores: Floats) -> Floats:
    """Probability of each label by itself."""
    return 1.0 / (1.0 + np.exp(-np.clip(scores, -60.0, 60.0)))
