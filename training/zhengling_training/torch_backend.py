"""A packaged pipeline on PyTorch, for GPUs: parameters are read out of its ONNX model."""

from __future__ import annotations

from dataclasses import replace

import torch
from spacy.language import Language
from transformers import BertModel

from zhengling.characters import CharacterVocabulary
from zhengling.loading import scheme_of
from zhengling.schema import LabelScheme
from zhengling_training.export import TorchBackend
from zhengling_training.model import BulletinModel
from zhengling_training.network_graph import Network
from zhengling_training.network_torch import encoder_module
from zhengling_training.network_weights import read_graph
from zhengling_training.reexport import encoder_of


def use_torch(
    nlp: Language,
    *,
    device: str = "cuda",
    precision: torch.dtype | None = torch.bfloat16,
    batch_characters: int = 65536,
) -> None:
    """Let a pipeline's encoder run in PyTorch from now on, in this process; it is saved as it was.

    Args:
        nlp: a pipeline with an ONNX model.
        device: a device of PyTorch.
        precision: of products; None for that of the parameters, fp32.
        batch_characters: most characters in one run, see ``zhengling.encoder.WindowSettings``.

    Raises:
        ZhenglingError: the pipeline has no encoder, or one of another kind.
        RuntimeError: PyTorch has no such device.
    """
    pipe = encoder_of(nlp)
    files = pipe.files()
    model = torch_model(read_graph(files["encoder.onnx"]), scheme_of(nlp)).to(device)
    pipe.settings = replace(pipe.settings, batch_characters=batch_characters)
    vocabulary = CharacterVocabulary.from_json(files["tokenizer.json"].decode("utf-8"))
    pipe.use(TorchBackend(model, precision), vocabulary)


def torch_model(network: Network, scheme: LabelScheme) -> BulletinModel:
    """The part of ``BulletinModel`` that reads windows: without sentence heads."""
    encoder = encoder_module(network)
    if isinstance(encoder, BertModel):
        encoder.set_attn_implementation("sdpa")
    model = BulletinModel(encoder, replace(scheme, functions=(), domains=()), head_size=1, dropout=0.0)
    model.load_state_dict({name: torch.tensor(value) for name, value in network.parameters.items()})
    return model.eval()
