"""From a trained network to a spaCy pipeline that needs neither torch nor transformers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from numpy.typing import NDArray
from spacy.language import Language

from zhengling.characters import CharacterVocabulary
from zhengling.components import ClassifierState, TaggerState
from zhengling.encoder import WindowSettings
from zhengling.errors import ZhenglingError
from zhengling.files import atomic_folder
from zhengling.heads import SentenceHead
from zhengling.manifest import check_replaceable, seal
from zhengling.schema import LabelScheme
from zhengling_training.calibrate import Calibration
from zhengling_training.convolution import ConvolutionConfig
from zhengling_training.model import BulletinModel
from zhengling_training.network_graph import ACTIVATIONS, Network, write_graph

# Documents whose windows share runs of the network: among many there are more windows of the same length.
DOCUMENTS = 256


@dataclass(frozen=True)
class TorchBackend:
    """The network in PyTorch, as ``zhengling.encoder.Backend``.

    Attributes:
        model: the network, on any device.
        precision: of products, by autocast; None for that of the parameters.
    """

    model: BulletinModel
    precision: torch.dtype | None = None

    def run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See ``Backend.run``; the model is put into evaluation mode."""
        self.model.eval()
        device = next(self.model.parameters()).device
        cast = torch.autocast(device.type, dtype=self.precision, enabled=self.precision is not None)
        with torch.inference_mode(), cast:
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


def to_onnx(model: BulletinModel, *, form: str = "fp32") -> bytes:
    """Write the network as an ONNX model; windows and length stay free.

    Args:
        model: the network.
        form: of the weights, see ``zhengling_training.products``.

    Raises:
        ZhenglingError: the encoder is of a kind that can't be exported, or there is no such form.
    """
    return write_graph(network_of(model), form=form)


def network_of(model: BulletinModel) -> Network:
    """Parameters and sizes of a network.

    Raises:
        ZhenglingError: the encoder's activation is none of ``ACTIVATIONS``.
    """
    parameters = {
        name: value.detach().float().cpu().numpy()
        for name, value in model.state_dict().items()
        if not name.startswith("heads.")
    }
    config = model.encoder.config
    if isinstance(config, ConvolutionConfig):
        return Network(parameters, config.layer_norm_eps, dilations=config.dilations)
    if config.hidden_act not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ZhenglingError(
            f"an encoder with activation {config.hidden_act!r} can't be exported, only {known}"
        )
    return Network(
        parameters,
        config.layer_norm_eps,
        heads=config.num_attention_heads,
        activation=config.hidden_act,
    )


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
    config = {
        "nlp": {"tokenizer": {"@tokenizers": "zhengling.CharacterTokenizer.v1"}, "batch_size": DOCUMENTS}
    }
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
    """Write the pipeline's folder with its manifest, whole or not at all.

    Raises:
        ZhenglingError: the folder holds other things than a model.
    """
    check_replaceable(folder)
    with atomic_folder(folder) as temporary:
        nlp.to_disk(temporary)
        seal(temporary)
