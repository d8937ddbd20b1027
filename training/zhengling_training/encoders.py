"""What training starts from: the project's own encoders, or any of the BERT family, read by characters.

Any Hugging Face BERT, RoBERTa or XLM-RoBERTa becomes the project's own kind of encoder: a BERT whose
tokens are characters. Each character takes the row of the piece that is this character and no more, which is
how Chinese ones are read anyway; digits and Latin letters, that such models also know in longer pieces, are
read one by one. Nothing else of the weights changes.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from zhengling.characters import SPECIAL_TOKENS, CharacterVocabulary, normalise_character
from zhengling.errors import ZhenglingError
from zhengling.loading import load_pipeline
from zhengling.manifest import MANIFEST
from zhengling_training.convert_e5 import character_tokenizer
from zhengling_training.encoder_files import (
    CONFIG,
    TOKENIZER,
    choose_attention,
    load_encoder,
    load_vocabulary,
)
from zhengling_training.model import Encoder
from zhengling_training.network_torch import encoder_module
from zhengling_training.network_weights import read_graph
from zhengling_training.reexport import encoder_of

LOG = logging.getLogger(__name__)
# Rows before the first position: RoBERTa counts positions from behind its padding id.
FIRST_POSITION = {"bert": 0, "roberta": 2, "xlm-roberta": 2}
SPECIALS = dict(zip(SPECIAL_TOKENS, ("pad", "unk", "cls", "sep", "mask"), strict=True))
WORD_START, INSIDE = "▁", "##"
SPARE = "[unused1]"  # BERT drops white space; this row of its vocabulary has no meaning yet
COPIED = ("hidden_size", "num_attention_heads", "intermediate_size", "hidden_act", "layer_norm_eps")
EMBEDDINGS, POSITIONS = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"


@dataclass(frozen=True)
class OpenedEncoder:
    """An encoder with its characters.

    Attributes:
        model: the network.
        vocabulary: characters to ids.
        tokenizer: content of its ``tokenizer.json``.
    """

    model: Encoder
    vocabulary: CharacterVocabulary
    tokenizer: bytes

    @property
    def bert(self) -> BertModel:
        """The network, if it is a BERT.

        Raises:
            ZhenglingError: it is none.
        """
        if not isinstance(self.model, BertModel):
            raise ZhenglingError("encoder.start is an encoder of convolutions, this needs one of layers")
        return self.model

    @property
    def longest(self) -> int:
        """Characters that it can read at once; convolutions have no limit."""
        positions = getattr(self.model.config, "max_position_embeddings", sys.maxsize)
        return int(positions) - 2


def open_encoder(start: str, *, layers: int | None = None, dropout: float = 0.0) -> OpenedEncoder:
    """Open an encoder of the project's own kind, the encoder of a trained pipeline, or take over another.

    Args:
        start: a folder, or the name of a model on the Hugging Face hub; the latter is fetched.
        layers: keep the first ``layers`` layers; all if None.
        dropout: see ``encoder_files.load_encoder``.

    Raises:
        ZhenglingError: it can't be loaded.
    """
    if is_pipeline(Path(start)):
        return _of_pipeline(Path(start), layers=layers, dropout=dropout)
    if is_own(Path(start)):
        model = load_encoder(Path(start), layers=layers, dropout=dropout)
        return OpenedEncoder(model, load_vocabulary(Path(start)), (Path(start) / TOKENIZER).read_bytes())
    model, tokenizer = adopt(start, layers=layers, dropout=dropout)
    return OpenedEncoder(model, CharacterVocabulary.from_json(tokenizer.decode("utf-8")), tokenizer)


def is_pipeline(folder: Path) -> bool:
    """Whether a folder is that of a trained pipeline."""
    return (folder / "meta.json").exists() and not (folder / CONFIG).exists()


def _of_pipeline(folder: Path, *, layers: int | None, dropout: float) -> OpenedEncoder:
    """The encoder of a pipeline; 8-bit weights are multiplied out."""
    files = encoder_of(load_pipeline(str(folder))).files()
    network = read_graph(files["encoder.onnx"])
    if layers is not None and layers > network.layers:
        raise ZhenglingError(f"{folder}: has {network.layers} layers, not {layers}")
    model = encoder_module(network, dropout=dropout, layers=layers)
    vocabulary = CharacterVocabulary.from_json(files["tokenizer.json"].decode("utf-8"))
    return OpenedEncoder(model, vocabulary, files["tokenizer.json"])


def is_own(folder: Path) -> bool:
    """Whether a folder is of the project's own kind, as far as its manifest or its tokenizer tells."""
    if (folder / MANIFEST).exists():
        return True
    try:
        kind = json.loads((folder / TOKENIZER).read_text(encoding="utf-8"))["model"]["type"]
    except FileNotFoundError:
        return folder.is_dir() and not (folder / "vocab.txt").exists()
    except (OSError, ValueError, KeyError, TypeError):
        return True  # damaged: the reader of our own kind says how
    return bool(kind == "WordLevel")


def adopt(start: str, *, layers: int | None = None, dropout: float = 0.0) -> tuple[BertModel, bytes]:
    """Take over an encoder of the BERT family.

    Args:
        start: a folder in Hugging Face form, or the name of a model on the hub; the latter is fetched.
        layers: keep the first ``layers`` layers; all if None.
        dropout: see ``encoder_files.load_encoder``.

    Returns:
        The encoder over characters, and the content of its ``tokenizer.json``.

    Raises:
        ZhenglingError: it can't be loaded, is of another family, or knows hardly any Chinese.
    """
    try:
        config = AutoConfig.from_pretrained(start)
        kind = config.model_type
        if kind not in FIRST_POSITION:
            raise ZhenglingError(
                f"{start}: is a {kind}; encoders are of the kinds {', '.join(FIRST_POSITION)}"
            )
        tokenizer = AutoTokenizer.from_pretrained(start)
        model = AutoModel.from_pretrained(start, use_safetensors=True, add_pooling_layer=False)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).strip().splitlines()[0]
        there = "" if Path(start).exists() else "there is no such folder, and "
        raise ZhenglingError(f"{start}: {there}it can't be loaded as an encoder: {reason}") from error
    rows = character_rows(_pieces(tokenizer))
    LOG.info("%s: a %s with %d characters", start, kind, len(rows))
    if len(rows) < len(SPECIAL_TOKENS) + 2:
        raise ZhenglingError(f"{start}: its tokenizer has no pieces of one character")
    if layers is not None and layers > config.num_hidden_layers:
        raise ZhenglingError(f"{start}: has {config.num_hidden_layers} layers, not {layers}")
    chosen = {"num_hidden_layers": layers or config.num_hidden_layers, "hidden_dropout_prob": dropout}
    rebuilt = _rebuild(model, config, list(rows.values()), chosen)
    return rebuilt, character_tokenizer(list(rows)).to_str().encode("utf-8")


def _pieces(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Pieces and their rows, the special ones under the project's names."""
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    named = {name: getattr(tokenizer, f"{kind}_token_id") for name, kind in SPECIALS.items()}
    return vocabulary | named


def character_rows(pieces: Mapping[str, int]) -> dict[str, int]:
    """The row of every character that has one, special tokens and the space first.

    A full-width form and its half-width one are one character to the model; for punctuation the row of the
    full-width form is taken, which Chinese text has taught more. A letter that is there in lower case only
    takes that row.

    Args:
        pieces: pieces of a WordPiece or SentencePiece vocabulary and their rows.
    """
    blank = next((pieces[piece] for piece in (" ", WORD_START, SPARE) if piece in pieces), pieces["[UNK]"])
    rows = {token: pieces[token] for token in SPECIAL_TOKENS} | {" ": blank}
    for bare in (_characters(pieces, prefix) for prefix in ("", WORD_START, INSIDE)):
        for character in sorted(bare, key=_preference):
            rows.setdefault(normalise_character(character), bare[character])
    capitals = {c.upper(): row for c, row in rows.items() if len(c.upper()) == 1 and len(c) == 1}
    return rows | {character: row for character, row in capitals.items() if character not in rows}


def _characters(pieces: Mapping[str, int], prefix: str) -> dict[str, int]:
    """Rows of the pieces that are one character behind a prefix, white space left out."""
    bare = {piece.removeprefix(prefix): row for piece, row in pieces.items() if piece.startswith(prefix)}
    return {c: row for c, row in bare.items() if len(c) == 1 and not c.isspace() and c != WORD_START}


def _preference(character: str) -> int:
    """Full-width punctuation sorts first, full-width letters and digits last."""
    wide = normalise_character(character) != character
    return 2 * character.isalnum() if wide else 1


def _rebuild(
    model: PreTrainedModel, config: PretrainedConfig, rows: list[int], settings: Mapping[str, Any]
) -> BertModel:
    """The same network as a BERT over the chosen rows."""
    state = model.state_dict()
    first = FIRST_POSITION[config.model_type]
    state[EMBEDDINGS] = state[EMBEDDINGS][torch.tensor(rows)]
    state[POSITIONS] = state[POSITIONS][first:]
    copied = {key: getattr(config, key) for key in COPIED}
    rebuilt = BertModel(
        BertConfig(
            **copied,
            **settings,
            attention_probs_dropout_prob=0.0,
            vocab_size=len(state[EMBEDDINGS]),
            max_position_embeddings=len(state[POSITIONS]),
            type_vocab_size=config.type_vocab_size,
            pad_token_id=0,
        ),
        add_pooling_layer=False,
    )
    choose_attention(rebuilt)
    own = rebuilt.state_dict()
    rebuilt.load_state_dict({name: state[name] for name in own})
    return rebuilt
