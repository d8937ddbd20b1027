from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.backends import random_head

from zhengling.heads import gelu, sigmoid, softmax

NUMBERS = st.lists(st.floats(-50, 50), min_size=1, max_size=20)


@settings(deadline=None, max_examples=100)
@given(NUMBERS)
def test_gelu(numbers: list[float]) -> None:
    expected = [x * 0.5 * (1 + math.erf(x / math.sqrt(2))) for x in numbers]
    assert gelu(np.array(numbers)) == pytest.approx(expected, abs=1e-5)


@settings(deadline=None, max_examples=100)
@given(NUMBERS, st.floats(-1e6, 1e6))
def test_softmax(numbers: list[float], shift: float) -> None:
    probabilities = softmax(np.array(numbers))
    weights = [math.exp(x - max(numbers)) for x in numbers]
    assert probabilities == pytest.approx([w / sum(weights) for w in weights], abs=1e-9)
    assert softmax(np.array(numbers) + shift) == pytest.approx(probabilities, abs=1e-6)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_sigmoid_of_any_number(numbers: list[float]) -> None:
    probabilities = sigmoid(np.array(numbers))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert sigmoid(-np.array(numbers)) == pytest.approx(1 - probabilities, abs=1e-9)


def test_head_is_a_perceptron() -> None:
    head = random_head(inputs=4, outputs=3, hidden=6, seed=2)
    vectors = np.random.default_rng(5).normal(size=(7, 4))
    w = head.weights
    for vector, scores in zip(vectors, head(vectors), strict=True):
        hidden = [
            float(gelu(np.array(row @ vector + b)))
            for row, b in zip(w["hidden.weight"], w["hidden.bias"], strict=True)
        ]
        assert scores == pytest.approx(w["output.weight"] @ np.array(hidden) + w["output.bias"])


def test_no_sentences_no_scores() -> None:
    assert random_head(inputs=4, outputs=3)(np.zeros((0, 4))).shape == (0, 3)
    assert softmax(np.zeros((0, 3))).shape == (0, 3)
