"""Unlabelled text, packed into rows of character ids for masked-LM pretraining."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zhengling.characters import CharacterVocabulary
from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import read_bulletins

NGRAM = 13
SHORTEST_LINE = 2 * NGRAM


@dataclass(frozen=True)
class PackedCorpus:
    """Rows of ids without special tokens.

    Attributes:
        train: shape ``(rows, length)``, uint16.
        held_out: shape ``(held-out rows, length)``, uint16; never trained on.
        excluded: characters of lines left out because they overlap with evaluation data.
    """

    train: NDArray[np.uint16]
    held_out: NDArray[np.uint16]
    excluded: int


def read_lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text file, gzipped or not, without their line ends; empty ones skipped.

    Raises:
        DataError: the file can't be read or isn't UTF-8; the message names the line.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    done = 0
    try:
        with opened(path, "rb") as stream:
            for raw in stream:
                line = raw.decode("utf-8").strip()
                done += 1
                if line:
                    yield line
    except UnicodeDecodeError as error:
        raise DataError(f"not UTF-8 ({error.reason}); convert the file", path=path, line=done + 1) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"can't be read: {error}", path=path) from error


def ngrams(text: str, *, size: int = NGRAM) -> set[str]:
    """All n-grams of the text's characters, white space ignored."""
    solid = "".join(text.split())
    return {solid[i : i + size] for i in range(len(solid) - size + 1)}


def cover(text: str, known: set[str], *, size: int = NGRAM) -> float:
    """Share of the text's n-grams that are in ``known``; 0 for a text shorter than one."""
    own = ngrams(text, size=size)
    return len(own & known) / len(own) if own else 0.0


def texts_of(paths: Iterable[Path]) -> Iterator[str]:
    """The texts of annotated bulletins, in any format that is known by its suffix."""
    for path in paths:
        for bulletin in read_bulletins(path):
            yield bulletin.text


def pack(
    paths: Iterable[Path],
    vocabulary: CharacterVocabulary,
    *,
    length: int,
    held_out_rows: int,
    exclude: Iterable[Path] = (),
    max_cover: float = 0.5,
    seed: int = 0,
) -> PackedCorpus:
    """Join lines by a space and cut them into rows.

    Held-out rows are drawn at random. Lines of which more than ``max_cover`` of the 13-grams occur
    in the texts of ``exclude`` are left out, so that no evaluation text is pretrained on.

    Args:
        paths: text files, one paragraph a line.
        vocabulary: maps characters to ids below 65,536.
        length: ids in a row.
        held_out_rows: rows set aside for measuring.
        exclude: annotated bulletins kept for evaluation.
        max_cover: threshold of the n-gram cover.
        seed: of the draw of held-out rows.

    Raises:
        DataError: a file is unreadable or not UTF-8.
        ZhenglingError: the corpus is too small for one training row.
    """
    known = set().union(*map(ngrams, texts_of(exclude)))
    pieces, excluded = [], 0
    for path in paths:
        kept = []
        for line in read_lines(path):
            if known and len(line) >= SHORTEST_LINE and cover(line, known) > max_cover:
                excluded += len(line)
            else:
                kept.append(line)
        pieces.append(vocabulary.encode(" ".join([*kept, ""])).astype(np.uint16))
    ids = np.concatenate(pieces) if pieces else np.zeros(0, np.uint16)
    count = len(ids) // length
    if count <= held_out_rows:
        raise ZhenglingError(
            f"the corpus has {len(ids)} characters: too few for {held_out_rows} held-out rows of {length}"
        )
    rows = ids[: count * length].reshape(count, length)
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(seed).choice(count, held_out_rows, replace=False)] = True
    return PackedCorpus(train=rows[~chosen], held_out=rows[chosen], excluded=excluded)
