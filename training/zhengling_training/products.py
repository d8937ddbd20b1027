"""Products of activations with weights in an ONNX graph: in single precision, or with 8-bit weights.

A product adds nodes for ``inputs @ weight.T`` to a graph and names its output; biases are added by the
operators that follow. The forms are measured in docs/decisions/0016.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from zhengling_training.onnx_graph import RUNTIME, Graph

Floats = NDArray[np.float32]
# Graph, name of the input, name of the weight, weight (outputs, inputs) -> name of the output.
Product = Callable[[Graph, str, str, Floats], str]

BLOCK = 128
# Row-wise activations are stored as 128 + [-127, 127].
ZERO, TOP = 128, 127


def plain(graph: Graph, inputs: str, name: str, weight: Floats) -> str:
    """In single precision."""
    return graph.add("MatMul", inputs, graph.constant(name, weight.T))


def blocks(graph: Graph, inputs: str, name: str, weight: Floats) -> str:
    """Weights in 8 bits, a scale for each block along the input (ONNX Runtime's MatMulNBits).

    Activations are quantised row by row and block by block: the most exact of the 8-bit forms.
    """
    values, scales = quantise_blocks(weight, block=BLOCK)
    return graph.add(
        "MatMulNBits",
        inputs,
        graph.constant(f"{name}.blocks", values),
        graph.constant(f"{name}.block_scales", scales),
        domain=RUNTIME,
        K=weight.shape[1],
        N=weight.shape[0],
        bits=8,
        block_size=BLOCK,
        accuracy_level=4,
    )


def rows(graph: Graph, inputs: str, name: str, weight: Floats) -> str:
    """Weights in 8 bits, a scale for each output; activations in 8 bits, a scale for each row.

    ONNX has integer products with one scale for all activations only. So each row is divided by its greatest
    absolute value first, and its product multiplied by it.
    """
    values, scales = quantise_outputs(weight)
    sizes = graph.add("Abs", inputs)
    greatest = graph.add("ReduceMax", sizes, graph.constant("last_axis", np.array([-1])), keepdims=1)
    greatest = graph.add("Max", greatest, graph.constant("tiny", np.array(1e-12, np.float32)))
    step = graph.constant("row_step", np.array(1 / TOP, np.float32))
    zero = graph.constant("row_zero", np.array(ZERO, np.uint8))
    activations = graph.add("QuantizeLinear", graph.add("Div", inputs, greatest), step, zero)
    product = graph.add(
        "MatMulIntegerToFloat",
        activations,
        graph.constant(f"{name}.int8", values.T),
        step,
        graph.constant(f"{name}.scale", scales),
        zero,
        domain=RUNTIME,
    )
    return graph.add("Mul", product, greatest)


PRODUCTS: Mapping[str, Product] = MappingProxyType({"fp32": plain, "blocks": blocks, "rows": rows})


def quantise_outputs(weight: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Symmetric 8-bit weights with one scale for each output.

    Processors without VNNI add the products of two neighbouring inputs in 16 bits, which must not overflow:
    255 * (|a| + |b|) <= 32767 for each such pair (ONNX Runtime's answer is to give away a bit of all
    weights). The scale is chosen so that this holds, too.

    Args:
        weight: shape ``(outputs, inputs)``.

    Returns:
        Values ``(outputs, inputs)`` and scales ``(outputs,)``.
    """
    sizes = np.abs(weight)
    even = np.pad(sizes, ((0, 0), (0, sizes.shape[1] % 2)))
    pairs = even[:, ::2] + even[:, 1::2]
    # Rounding may add a half to each of the two.
    scales = np.maximum(sizes.max(axis=1) / TOP, pairs.max(axis=1) / (ZERO - 1)).astype(np.float32)
    scales = np.maximum(scales, np.float32(1e-12))
    return np.round(weight / scales[:, None]).astype(np.int8), scales


def quantise_blocks(weight: Floats, *, block: int) -> tuple[NDArray[np.uint8], Floats]:
    """Symmetric 8-bit weights with one scale for each block along the input, as MatMulNBits takes them.

    The greatest value of a block is stored as -128, with whatever sign of the scale that takes: quantised
    again, stored weights stay as they are.

    Args:
        weight: shape ``(outputs, inputs)``.
        block: inputs in a block, a power of two.

    Returns:
        Values ``(outputs, blocks, block)``, 128 for zero, and scales ``(outputs, blocks)``.
    """
    outputs, inputs = weight.shape
    padded = np.pad(weight, ((0, 0), (0, -inputs % block))).reshape(outputs, -1, block)
    greatest = np.take_along_axis(padded, np.abs(padded).argmax(axis=2)[:, :, None], axis=2)
    scales = (np.where(greatest == 0, 1.0, greatest) / -ZERO).astype(np.float32)
    return np.clip(np.round(padded / scales) + ZERO, 0, 255).astype(np.uint8), scales[:, :, 0]


def quantise_rows(table: Floats) -> tuple[NDArray[np.int8], Floats]:
    """A table in 8 bits: values of the same shape, and a scale for each row, shape ``(rows, 1)``."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True) / TOP, 1e-12).astype(np.float32)
    return np.round(table / scales).astype(np.int8), scales
