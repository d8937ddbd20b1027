"""ONNX graphs, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET, IR_VERSION = 20, 10
RUNTIME = "com.microsoft"  # operators of ONNX Runtime


@dataclass
class Graph:
    """A graph that grows: nodes in the order in which they are added, constants by name."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[Any]] = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Keep a value under a name; a name that is there already stays as it is."""
        self.constants.setdefault(name, np.ascontiguousarray(value))
        return name

    def add(
        self, kind: str, *inputs: str, domain: str = "", outputs: Sequence[str] = (), **attributes: Any
    ) -> str:
        """Add a node.

        Returns:
            The name of its first output.
        """
        names = list(outputs) or [f"{kind}.{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names[0]

    def finish(
        self,
        *,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
        notes: dict[str, str],
    ) -> bytes:
        """The serialised model; ``notes`` are its metadata."""
        constants = [numpy_helper.from_array(value, name) for name, value in self.constants.items()]
        graph = helper.make_graph(self.nodes, "bulletin", list(inputs), list(outputs), constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, notes)
        content: bytes = model.SerializeToString()
        return content
