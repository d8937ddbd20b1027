"""A pipeline that fits into a few kilobytes, on disk, as workers load it."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.backends import ALPHABET, ASCII, make_pipeline, noise_backend
from tests.strategies import SCHEME

from zhengling.characters import SPECIAL_TOKENS
from zhengling.components import BulletinEncoderPipe
from zhengling.manifest import seal

# A character that the network has no row for: it raises over every text with it.
BOMB = "爆"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pipeline that looks characters up in a table."""
    backend = noise_backend(SCHEME)
    nlp = make_pipeline(SCHEME, backend)
    ids = {token: number for number, token in enumerate((*SPECIAL_TOKENS, *ALPHABET, *ASCII))}
    tokenizer = json.dumps({"model": {"vocab": ids | {BOMB: len(ids) + 7}}}).encode()
    tables = {"emissions": backend.emissions, "vectors": backend.vectors}
    graph = helper.make_graph(
        [helper.make_node("Gather", [f"{name}_table", "ids"], [name]) for name in tables],
        "tables",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["w", "l"]) for name in ("ids", "mask")],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["w", "l", None]) for name in tables],
        [numpy_helper.from_array(table, f"{name}_table") for name, table in tables.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    pipe = nlp.get_pipe("bulletin_encoder")
    assert isinstance(pipe, BulletinEncoderPipe)
    pipe.take({"encoder.onnx": model.SerializeToString(), "tokenizer.json": tokenizer})
    folder = tmp_path_factory.mktemp("models") / "tiny"
    nlp.to_disk(folder)
    seal(folder)
    return folder
