from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from onnx import TensorProto, helper

from zhengling.encoder import open_session
from zhengling_training.onnx_graph import Graph
from zhengling_training.products import PRODUCTS, quantise_blocks, quantise_outputs, quantise_rows

Floats = NDArray[np.float32]
WEIGHTS = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-5, 5, width=32)
)


def multiply(inputs: Floats, weight: Floats, *, form: str) -> Floats:
    """The product as ONNX Runtime computes it."""
    graph = Graph()
    result = PRODUCTS[form](graph, "inputs", "some.weight", weight)
    graph.add("Identity", result, outputs=["product"])

    def info(name: str, size: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", size])

    content = graph.finish(
        inputs=[info("inputs", weight.shape[1])], outputs=[info("product", weight.shape[0])], notes={}
    )
    (product,) = open_session(content, threads=1).run(None, {"inputs": inputs})
    return np.asarray(product)


@settings(deadline=None)
@given(WEIGHTS)
def test_neighbouring_products_fit_into_16_bits(weight: Floats) -> None:
    values, scales = quantise_outputs(weight)
    sizes = np.abs(values.astype(np.int64))
    even = np.pad(sizes, ((0, 0), (0, sizes.shape[1] % 2)))
    assert (255 * (even[:, ::2] + even[:, 1::2])).max() <= 2**15 - 1
    assert np.all(np.abs(values * scales[:, None] - weight) <= 0.5001 * scales[:, None] + 1e-6)


@settings(deadline=None)
@given(WEIGHTS, st.sampled_from([2, 16]))
def test_blocks_are_near_and_stay_as_they_are(weight: Floats, block: int) -> None:
    def back(values: NDArray[np.uint8], scales: Floats) -> Floats:
        wide = (values.astype(np.float32) - 128) * scales[:, :, None]
        return wide.reshape(len(weight), -1)[:, : weight.shape[1]]

    values, scales = quantise_blocks(weight, block=block)
    near = back(values, scales)
    assert np.all(np.abs(near - weight) <= np.abs(weight).max() / 127 + 1e-6)
    again = back(*quantise_blocks(near, block=block))
    np.testing.assert_allclose(again, near, rtol=1e-6, atol=1e-6)


@settings(deadline=None)
@given(WEIGHTS)
def test_rows_of_a_table_are_near(table: Floats) -> None:
    values, scales = quantise_rows(table)
    assert values.dtype == np.int8
    assert np.all(np.abs(values * scales - table) <= 0.5001 * scales + 1e-6)


@pytest.mark.parametrize("form", list(PRODUCTS))
@pytest.mark.parametrize("shape", [(1, 32, 8), (7, 96, 5), (64, 384, 64)])
def test_products_are_near(form: str, shape: tuple[int, int, int]) -> None:
    count, inputs, outputs = shape
    random = np.random.default_rng(inputs)
    left = (random.normal(size=(count, inputs)) * random.uniform(0.1, 9, (count, 1))).astype(np.float32)
    weight = random.normal(size=(outputs, inputs)).astype(np.float32)
    exact = left @ weight.T
    error = np.abs(multiply(left, weight, form=form) - exact) / np.abs(exact).mean(axis=1, keepdims=True)
    assert error.mean() < (1e-5 if form == "fp32" else 0.02)


@pytest.mark.parametrize("form", list(PRODUCTS))
def test_a_row_does_not_depend_on_the_others(form: str) -> None:
    random = np.random.default_rng(0)
    left = random.normal(size=(6, 64)).astype(np.float32)
    left[1] *= 1000
    weight = random.normal(size=(16, 64)).astype(np.float32)
    together = multiply(left, weight, form=form)
    alone = multiply(left[:2], weight, form=form)
    np.testing.assert_allclose(together[:2], alone, rtol=1e-5)


def test_a_row_of_zeros_gives_zeros() -> None:
    left = np.zeros((2, 32), np.float32)
    left[1] = 1
    weight = np.ones((4, 32), np.float32)
    for form in PRODUCTS:
        product = multiply(left, weight, form=form)
        assert not product[0].any()
        np.testing.assert_allclose(product[1], 32, rtol=0.01)
