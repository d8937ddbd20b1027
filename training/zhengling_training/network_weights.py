"""Parameters out of a pipeline's ONNX model, whatever the form of its weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import numpy_helper

from zhengling.errors import ZhenglingError
from zhengling_training.network_graph import EMBEDDINGS, LAYERS, Floats, Network
from zhengling_training.products import ZERO

PRODUCTS = ("MatMul", "MatMulNBits", "MatMulIntegerToFloat")
SCALES = (".scale", ".block_scales")
PREFIX = "model."  # before the names that torch's exporter gave
Constants = Mapping[str, NDArray[Any]]


def read_graph(content: bytes) -> Network:
    """Parameters and sizes of a network; 8-bit weights are multiplied out.

    Args:
        content: written by ``write_graph``, or by torch's exporter with MatMulNBits weights, as pipelines of
            version 0.1 have them.

    Raises:
        ZhenglingError: it is no such model.
    """
    try:
        model = onnx.load_from_string(content)
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        found = _plain(constants) | _weights(model.graph.node, constants)
        parameters = _apart(found) | _tables(found, constants)
        notes = {entry.key: entry.value for entry in model.metadata_props}
        dilations = tuple(map(int, filter(None, notes.get("dilations", "").split(","))))
        heads = int(notes["heads"]) if "heads" in notes else _heads(model.graph.node, constants, parameters)
        epsilon = float(notes.get("epsilon", _epsilon(model.graph.node)))
    except (DecodeError, KeyError, ValueError, StopIteration) as error:
        raise ZhenglingError(f"not an ONNX model of a bulletin encoder: {error}") from error
    activation = notes.get("activation", "gelu")
    return Network(parameters, epsilon, heads=heads, activation=activation, dilations=dilations)


def _plain(constants: Constants) -> dict[str, Floats]:
    """Parameters that no product reads: biases, norms, tables."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in constants.items()
        if name.removeprefix(PREFIX).startswith(("encoder.", "tagger."))
        and value.dtype == np.float32
        and not name.endswith(SCALES)
    }


def _weights(nodes: Iterable[onnx.NodeProto], constants: Constants) -> dict[str, Floats]:
    """Weights of products, ``(outputs, inputs)``, by their names."""
    nodes = list(nodes)
    return {
        _name(node, nodes, constants): _multiplied_out(node, constants)
        for node in nodes
        if node.op_type in PRODUCTS and node.input[1] in constants
    }


def _name(node: onnx.NodeProto, nodes: Iterable[onnx.NodeProto], constants: Constants) -> str:
    """The weight's own name, or that of the bias which is added behind it."""
    own: str = node.input[1].removesuffix(".int8").removesuffix(".blocks")
    if own.endswith(".weight"):
        return own
    addition = next(n for n in nodes if n.op_type == "Add" and node.output[0] in n.input)
    bias: str = next(name for name in addition.input if name in constants)
    return bias.removeprefix(PREFIX).removesuffix(".bias") + ".weight"


def _multiplied_out(node: onnx.NodeProto, constants: Constants) -> Floats:
    values = constants[node.input[1]]
    if node.op_type == "MatMul":
        return np.ascontiguousarray(values.T)
    if node.op_type == "MatMulIntegerToFloat":
        return np.ascontiguousarray((values * constants[node.input[3]]).T)
    sizes = {attribute.name: attribute.i for attribute in node.attribute}
    scales = constants[node.input[2]].reshape(sizes["N"], -1, 1)
    blocks = values.reshape(sizes["N"], -1, sizes["block_size"]).astype(np.float32) - ZERO
    return np.ascontiguousarray((blocks * scales).reshape(sizes["N"], -1)[:, : sizes["K"]])


def _apart(parameters: dict[str, Floats]) -> dict[str, Floats]:
    """Queries, keys and values, and tables of positions and segments, each by itself."""
    result: dict[str, Floats] = {}
    for name, value in parameters.items():
        before, _, kind = name.rpartition(".self.")
        if name == f"{EMBEDDINGS}.positions":
            result[f"{EMBEDDINGS}.position_embeddings.weight"] = value
            result[f"{EMBEDDINGS}.token_type_embeddings.weight"] = np.zeros_like(value[:2])
        elif name.startswith(LAYERS) and before and kind in ("weight", "bias"):
            thirds = zip(("query", "key", "value"), np.split(value, 3), strict=True)
            result |= {f"{before}.self.{part}.{kind}": third for part, third in thirds}
        else:
            result[name] = value
    return result


def _tables(found: Mapping[str, Floats], constants: Constants) -> dict[str, Floats]:
    """The tables that are stored in 8 bits, in single precision: all in 8 bits that no product reads."""
    stored = (name.removesuffix(".int8") for name in constants if name.endswith(".int8"))
    tables = {
        name.removeprefix(PREFIX): constants[f"{name}.int8"].astype(np.float32) * constants[f"{name}.scale"]
        for name in stored
        if name not in found
    }
    if (characters := f"{EMBEDDINGS}.word_embeddings.weight") not in {**found, **tables}:
        raise KeyError(characters)
    return tables


def _heads(nodes: Iterable[onnx.NodeProto], constants: Constants, parameters: Mapping[str, Floats]) -> int:
    """From the last number of the shape into which torch's exporter folds the queries."""
    shapes = (node for node in nodes if node.op_type == "Concat" and len(node.input) == 4)
    each = int(constants[next(shapes).input[3]].item())
    return len(parameters["tagger.weight"][0]) // each


def _epsilon(nodes: Iterable[onnx.NodeProto]) -> float:
    norm = next(node for node in nodes if node.op_type == "LayerNormalization")
    return float(next(attribute.f for attribute in norm.attribute if attribute.name == "epsilon"))
