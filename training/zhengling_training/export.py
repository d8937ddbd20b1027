"""From a trained network to a spaCy pipeline that needs neither torch nor transformers."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import spacy
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from spacy.language import Language

from zhengling.characters import CharacterVocabulary
from zhengling.components import ClassifierState, TaggerState
from zhengling.encoder import WindowSettings
from zhengling.files import atomic_folder
from zhengling.heads import SentenceHead
from zhengling.schema import LabelScheme
from zhengling_training.calibrate import Calibration
from zhengling_training.model import BulletinModel, Reader

OPSET = 20


@dataclass(frozen=True)
class TorchBackend:
    """The network in PyTorch, as ``zhengling.encoder.Backend``."""

    model: BulletinModel

    def run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See ``Backend.run``; the model is put into evaluation mode."""
        self.model.eval()
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            emissions, vectors = self.model.read(
                torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)
            )
        return emissions.float().cpu().numpy(), vectors.float().cpu().numpy()


def numpy_heads(model: BulletinModel) -> dict[str, SentenceHead]:
    """The sentence heads, for numpy."""
    return {name: SentenceHead(_head_weights(head)) for name, head in model.heads.items()}


def _head_weights(head: torch.nn.Module) -> dict[str, NDArray[np.float32]]:
    state = {name: value.detach().float().cpu().numpy() for name, value in head.state_dict().items()}
    return {
        "hidden.weight": state["0.weight"],
        "hidden.bias": state["0.bias"],
        "output.weight": state["3.weight"],
        "output.bias": state["3.bias"],
    }


def to_onnx(model: BulletinModel) -> bytes:
    """Export in fp32 by torch's exporter; windows and length stay free."""
    model.eval()
    attention = model.encoder.config._attn_implementation
    model.encoder.set_attn_implementation("eager")
    ids = torch.full((3, 64), 20)
    mask = torch.ones_like(ids)
    mask[1, 40:] = 0
    free = {0: torch.export.Dim("windows", min=1, max=4096), 1: torch.export.Dim("length", min=3, max=512)}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            Reader(model),
            (ids, mask),
            path,
            input_names=["ids", "mask"],
            output_names=["emissions", "vectors"],
            dynamic_shapes=(free, free),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        exported = onnx.load(path)
    model.encoder.set_attn_implementation(attention)
    return _without_origins(exported).SerializeToString()  # type: ignore[no-any-return]


def _without_origins(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model without the exporter's notes on where in which source file each node came from."""
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


def quantise(content: bytes, *, block: int = 128) -> bytes:
    """Store weights in 8 bits.

    Matrices in blocks along the input (ONNX Runtime's MatMulNBits, which quantises activations row by row:
    unlike dynamic quantisation a window's scores then don't depend on the batch it is in); the table of
    characters row by row.
    """
    logging.getLogger("onnxruntime.quantization").setLevel(logging.ERROR)
    model = onnx.load_from_string(content)
    _quantise_table(model.graph)
    quantiser = MatMulNBitsQuantizer(model, bits=8, block_size=block, is_symmetric=True, accuracy_level=4)
    quantiser.process()
    quantised: bytes = quantiser.model.model.SerializeToString()
    return quantised


def _quantise_table(graph: onnx.GraphProto) -> None:
    """Replace the largest gathered table by int8 rows with a scale each."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    gathers = [node for node in graph.node if node.op_type == "Gather" and node.input[0] in tensors]
    node = max(gathers, key=lambda gather: int(np.prod(tensors[gather.input[0]].dims)))
    name, ids, output = node.input[0], node.input[1], node.output[0]
    table = numpy_helper.to_array(tensors[name])
    scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    rows = np.round(table / scale).astype(np.int8)
    graph.initializer.remove(tensors[name])
    graph.initializer.extend(
        [
            numpy_helper.from_array(rows, f"{name}.int8"),
            numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"),
        ]
    )
    at = list(graph.node).index(node)
    graph.node.remove(node)
    new = [
        helper.make_node("Gather", [f"{name}.int8", ids], [f"{output}.int8"]),
        helper.make_node("Gather", [f"{name}.scale", ids], [f"{output}.scale"]),
        helper.make_node("Cast", [f"{output}.int8"], [f"{output}.float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{output}.float", f"{output}.scale"], [output]),
    ]
    for offset, fresh in enumerate(new):
        graph.node.insert(at + offset, fresh)


def build_pipeline(
    *,
    model: bytes,
    tokenizer: bytes,
    heads: Mapping[str, SentenceHead],
    calibration: Calibration,
    scheme: LabelScheme,
    windows: WindowSettings,
    meta: Mapping[str, Any],
) -> Language:
    """Put the parts together as a spaCy pipeline.

    Args:
        model: ONNX model.
        tokenizer: content of ``tokenizer.json``.
        heads: sentence heads, as the scheme asks for.
        calibration: temperatures and thresholds.
        scheme: the labels.
        windows: how texts are cut.
        meta: goes into ``meta.json``: name, version, description, performance and the like.
    """
    config = {"nlp": {"tokenizer": {"@tokenizers": "zhengling.CharacterTokenizer.v1"}, "batch_size": 32}}
    nlp = spacy.blank("zh", config=config, meta=dict(meta))
    nlp.add_pipe("bulletin_sentences")
    encoder = nlp.add_pipe(
        "bulletin_encoder",
        config={
            "window": windows.size,
            "overlap": windows.overlap,
            "batch_characters": windows.batch_characters,
        },
    )
    if model:
        encoder.take({"encoder.onnx": model, "tokenizer.json": tokenizer})  # type: ignore[attr-defined]
    nlp.add_pipe("entity_tagger").state = TaggerState(scheme, calibration.tagger)  # type: ignore[attr-defined]
    if heads:
        classifier = nlp.add_pipe("sentence_classifier")
        classifier.state = ClassifierState(  # type: ignore[attr-defined]
            scheme, heads, calibration.heads, calibration.thresholds
        )
    return nlp


def torch_pipeline(
    model: BulletinModel,
    vocabulary: CharacterVocabulary,
    *,
    scheme: LabelScheme,
    windows: WindowSettings,
    calibration: Calibration | None = None,
) -> Language:
    """A pipeline around the network as it is, in PyTorch; it can't be saved."""
    heads = numpy_heads(model)
    nlp = build_pipeline(
        model=b"",
        tokenizer=b"",
        heads=heads,
        calibration=calibration or Calibration.none(heads, scheme),
        scheme=scheme,
        windows=windows,
        meta={"name": "training"},
    )
    nlp.get_pipe("bulletin_encoder").use(TorchBackend(model), vocabulary)  # type: ignore[attr-defined]
    return nlp


def save_pipeline(nlp: Language, folder: Path) -> None:
    """Write the pipeline's folder whole or not at all."""
    with atomic_folder(folder) as temporary:
        nlp.to_disk(temporary)
