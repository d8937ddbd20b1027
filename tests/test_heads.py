from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.backends import random_head

from zhengling.heads import gelu, sigmoid, softmax

ROOT = Path(__file__).parents[1]
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
        assert scores == pytest.approx(w["output.weight"] @ np.array(hidden) + w["output.bias"], abs=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 70))
def test_scores_of_a_sentence_do_not_depend_on_others(count: int) -> None:
    head = random_head(inputs=768, outputs=13, hidden=256)
    vectors = np.random.default_rng(count).normal(size=(count, 768)).astype(np.float32)
    together = head(vectors)
    assert all((head(vectors[at : at + 1]) == together[at]).all() for at in range(count))


def test_the_number_of_threads_changes_no_digit() -> None:
    """Two threads of numpy's own product gave other last digits than one."""
    program = (
        "import numpy as np; from tests.backends import random_head; "
        "vectors = np.random.default_rng(1).normal(size=(30, 768)).astype(np.float32); "
        "print(random_head(inputs=768, outputs=13, hidden=256)(vectors).tobytes().hex())"
    )
    roots = os.pathsep.join(map(str, (ROOT, ROOT / "pipeline", ROOT / "training")))
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ
            | {"PYTHONPATH": roots, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "4")
    }
    assert len(outputs) == 1


def test_no_sentences_no_scores() -> None:
    assert random_head(inputs=4, outputs=3)(np.zeros((0, 4))).shape == (0, 3)
    assert softmax(np.zeros((0, 3))).shape == (0, 3)
