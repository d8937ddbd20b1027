"""The encoder of an ONNX network as a PyTorch module, to read with or to train on."""

from __future__ import annotations

import numpy as np
import torch
from transformers import BertConfig, BertModel

from zhengling_training.convolution import ConvolutionConfig, ConvolutionEncoder
from zhengling_training.encoder_files import choose_attention
from zhengling_training.model import Encoder
from zhengling_training.network_graph import BLOCKS, EMBEDDINGS, LAYERS, Network

ENCODER = "encoder."  # before the encoder's names among the network's


def encoder_module(network: Network, *, dropout: float = 0.0, layers: int | None = None) -> Encoder:
    """The encoder with the network's parameters.

    Args:
        network: parameters and sizes, see ``zhengling_training.network_weights.read_graph``.
        dropout: probability for hidden states while training; attention has none.
        layers: keep the first ``layers`` layers of a BERT; all if None.
    """
    model = _convolution(network, dropout) if network.dilations else _bert(network, dropout, layers)
    own = model.state_dict()
    model.load_state_dict({name: torch.tensor(network.parameters[ENCODER + name]) for name in own})
    return model


def _convolution(network: Network, dropout: float) -> ConvolutionEncoder:
    words = network.parameters[f"{EMBEDDINGS}.word_embeddings.weight"]
    pairs = network.parameters.get(f"{EMBEDDINGS}.pairs.weight", np.zeros((0, 0), np.float32))
    config = ConvolutionConfig(
        vocab_size=len(words),
        hidden_size=words.shape[1],
        intermediate_size=len(network.parameters[f"{BLOCKS}.0.inner.bias"]),
        dilations=network.dilations,
        pairs=len(pairs),
        pair_size=pairs.shape[1],
        layer_norm_eps=network.epsilon,
        dropout=dropout,
    )
    return ConvolutionEncoder(config)


def _bert(network: Network, dropout: float, layers: int | None) -> BertModel:
    words = network.parameters[f"{EMBEDDINGS}.word_embeddings.weight"]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=words.shape[1],
        num_hidden_layers=layers or network.layers,
        num_attention_heads=network.heads,
        intermediate_size=len(network.parameters[f"{LAYERS}.0.intermediate.dense.bias"]),
        hidden_act=network.activation,
        max_position_embeddings=len(network.parameters[f"{EMBEDDINGS}.position_embeddings.weight"]),
        type_vocab_size=len(network.parameters[f"{EMBEDDINGS}.token_type_embeddings.weight"]),
        layer_norm_eps=network.epsilon,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=0.0,
        pad_token_id=0,
    )
    model = BertModel(config, add_pooling_layer=False)
    choose_attention(model)
    return model
