"""The network as an ONNX graph of ONNX Runtime's fused operators, written straight from its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from zhengling_training.onnx_graph import RUNTIME, Graph
from zhengling_training.products import PRODUCTS, Product, quantise_rows

Floats = NDArray[np.float32]
Parameters = Mapping[str, Floats]
EMBEDDINGS, LAYERS, TAGGER = "encoder.embeddings", "encoder.encoder.layer", "tagger"
# Activations with their bias, by the names that transformers gives them.
ACTIVATIONS = {"gelu": "BiasGelu", "gelu_new": "FastGelu", "gelu_pytorch_tanh": "FastGelu"}


@dataclass(frozen=True)
class Network:
    """All that a graph is written from.

    Attributes:
        parameters: of ``BulletinModel``, by its names; sentence heads may be left out.
        heads: attention heads.
        epsilon: of the layer norms.
        activation: a key of ``ACTIVATIONS``.
    """

    parameters: Parameters
    heads: int
    epsilon: float
    activation: str = "gelu"

    @property
    def layers(self) -> int:
        """Number of layers."""
        numbers = [int(n.split(".")[3]) for n in self.parameters if n.startswith(f"{LAYERS}.")]
        return 1 + max(numbers, default=-1)


def write_graph(network: Network, *, form: str) -> bytes:
    """Write the network that reads windows, see ``zhengling.encoder.Backend.run``.

    Args:
        network: parameters and sizes.
        form: of the weights, a key of ``products.PRODUCTS``; the table of characters is in 8 bits unless
            all is fp32.

    Returns:
        The serialised model: ``ids`` and ``mask`` in, ``emissions`` and ``vectors`` out.
    """
    graph = Graph()
    writer = _Writer(graph, network, PRODUCTS[form])
    hidden = writer.embeddings(small=form != "fp32")
    mask = graph.add("Cast", "mask", to=TensorProto.INT32)
    for number in range(network.layers):
        hidden = writer.layer(hidden, mask, f"{LAYERS}.{number}")
    graph.add("Identity", hidden, outputs=["vectors"])
    scores = graph.add("MatMul", hidden, graph.constant(f"{TAGGER}.weight", writer.weight(TAGGER).T))
    graph.add("Add", scores, writer.named(f"{TAGGER}.bias"), outputs=["emissions"])
    return graph.finish(
        inputs=[
            helper.make_tensor_value_info(name, TensorProto.INT64, ["windows", "length"])
            for name in ("ids", "mask")
        ],
        outputs=[
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["windows", "length", size])
            for name, size in (
                ("emissions", len(writer.weight(TAGGER))),
                ("vectors", writer.weight(TAGGER).shape[1]),
            )
        ],
        notes={
            "heads": str(network.heads),
            "epsilon": repr(network.epsilon),
            "activation": network.activation,
            "form": form,
        },
    )


@dataclass(frozen=True)
class _Writer:
    graph: Graph
    network: Network
    product: Product

    def named(self, name: str) -> str:
        """A parameter as a constant of the graph."""
        return self.graph.constant(name, self.network.parameters[name])

    def weight(self, part: str) -> Floats:
        return self.network.parameters[f"{part}.weight"]

    def multiply(self, inputs: str, part: str) -> str:
        return self.product(self.graph, inputs, f"{part}.weight", self.weight(part))

    def embeddings(self, *, small: bool) -> str:
        """Characters, positions, and the kind of the first segment, which is that of all."""
        add, constant = self.graph.add, self.graph.constant
        zero = constant("zero", np.array([0]))
        table = constant(
            f"{EMBEDDINGS}.positions",
            self.weight(f"{EMBEDDINGS}.position_embeddings")
            + self.weight(f"{EMBEDDINGS}.token_type_embeddings")[0],
        )
        length = add("Shape", "ids", start=1, end=2)
        positions = add("Slice", table, zero, length, zero)
        characters = self._characters(f"{EMBEDDINGS}.word_embeddings", small=small)
        return self.norm(add("Add", characters, positions), f"{EMBEDDINGS}.LayerNorm")

    def _characters(self, part: str, *, small: bool) -> str:
        add, constant = self.graph.add, self.graph.constant
        if not small:
            return add("Gather", self.named(f"{part}.weight"), "ids")
        values, scales = quantise_rows(self.weight(part))
        picked = add("Gather", constant(f"{part}.weight.int8", values), "ids")
        factors = add("Gather", constant(f"{part}.weight.scale", scales), "ids")
        return add("Mul", add("Cast", picked, to=TensorProto.FLOAT), factors)

    def layer(self, hidden: str, mask: str, part: str) -> str:
        """One layer of BERT (Devlin et al. 2019): attention, then a perceptron, each added and normed."""
        attended = self.multiply(self._attention(hidden, mask, part), f"{part}.attention.output.dense")
        hidden = self._add_and_norm(attended, hidden, f"{part}.attention.output")
        inner = self.multiply(hidden, f"{part}.intermediate.dense")
        bias = self.named(f"{part}.intermediate.dense.bias")
        inner = self.graph.add(ACTIVATIONS[self.network.activation], inner, bias, domain=RUNTIME)
        outer = self.multiply(inner, f"{part}.output.dense")
        return self._add_and_norm(outer, hidden, f"{part}.output")

    def _attention(self, hidden: str, mask: str, part: str) -> str:
        """Queries, keys and values in one product, which is split behind it."""
        names = [f"{part}.attention.self.{name}" for name in ("query", "key", "value")]
        parameters = self.network.parameters
        weight = np.concatenate([self.weight(name) for name in names])
        bias = np.concatenate([parameters[f"{name}.bias"] for name in names])
        together = self.product(self.graph, hidden, f"{part}.attention.self.weight", weight)
        parts = [f"{name}.product" for name in names]
        self.graph.add("Split", together, outputs=parts, axis=-1, num_outputs=3)
        return self.graph.add(
            "MultiHeadAttention",
            *parts,
            self.graph.constant(f"{part}.attention.self.bias", bias),
            mask,
            domain=RUNTIME,
            num_heads=self.network.heads,
        )

    def _add_and_norm(self, update: str, hidden: str, part: str) -> str:
        """Not by SkipLayerNormalization, which takes five times as long on a CPU."""
        update = self.graph.add("Add", update, self.named(f"{part}.dense.bias"))
        return self.norm(self.graph.add("Add", update, hidden), f"{part}.LayerNorm")

    def norm(self, hidden: str, part: str) -> str:
        return self.graph.add(
            "LayerNormalization",
            hidden,
            self.named(f"{part}.weight"),
            self.named(f"{part}.bias"),
            epsilon=self.network.epsilon,
        )
