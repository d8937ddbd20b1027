"""Annotated bulletins as windows of character ids, tags and sentences."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from torch import Tensor

from zhengling.characters import CharacterVocabulary
from zhengling.decoding import tag_numbers
from zhengling.encoder import WindowSettings
from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import read_bulletins
from zhengling.schema import Bulletin, LabelScheme, Sentence, faults
from zhengling.windows import cut_windows
from zhengling_training.corrections import correct, read_corrections
from zhengling_training.detached import read_detached
from zhengling_training.model import SentencePieces

IGNORED = -100  # torch's cross_entropy leaves these targets out
SHORTEST_SHARE = 0.5
BUCKET = 50  # steps whose windows are sorted by length together


@dataclass(frozen=True)
class Batch:
    """Windows of annotated text.

    Attributes:
        ids: shape ``(windows, length + 2)``.
        mask: same shape.
        tags: same shape, ``IGNORED`` where there is nothing to learn.
        pieces: where the sentences are.
        functions: shape ``(sentences,)``, ``IGNORED`` where unknown.
        domains: shape ``(sentences, domains)``, 0 or 1.
        bears_domains: shape ``(sentences,)``, whether domains are asked of the sentence at all.
    """

    ids: Tensor
    mask: Tensor
    tags: Tensor
    pieces: SentencePieces
    functions: Tensor
    domains: Tensor
    bears_domains: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        pieces = SentencePieces(*(getattr(self.pieces, n).to(device) for n in ("window", "start", "end")))
        return Batch(**moved, pieces=pieces)


def load_bulletins(
    paths: Iterable[str],
    *,
    scheme: LabelScheme,
    detached: Iterable[str] = (),
    corrections: Iterable[str] = (),
) -> list[Bulletin]:
    """Read annotated bulletins, correct them, and validate them against the scheme.

    Args:
        paths: files or folders of annotated bulletins.
        scheme: the labels.
        detached: files of annotation without text, see ``zhengling_training.detached``.
        corrections: see ``zhengling_training.corrections``.

    Raises:
        DataError: a fault in the data or in the corrections.
        ZhenglingError: the same id twice, or nothing at all.
    """
    bulletins = [b for path in paths for b in read_bulletins(Path(path), scheme=scheme)]
    bulletins += [b for path in detached for b in read_detached(Path(path))]
    if not bulletins:
        raise ZhenglingError("no annotated bulletins in the recipe's data")
    doubled = [name for name, count in Counter(b.id for b in bulletins).items() if count > 1]
    if doubled:
        raise ZhenglingError(f"bulletins with the same id: {', '.join(doubled[:5])}; ids must be unique")
    for name in corrections:
        bulletins = correct(bulletins, read_corrections(Path(name)), path=Path(name))
    for bulletin in bulletins:
        for fault in faults(bulletin, scheme=scheme):
            raise DataError(f"bulletin {bulletin.id!r}: {fault}")
    return bulletins


def split_held_out(
    bulletins: Sequence[Bulletin], *, share: float, seed: int
) -> tuple[list[Bulletin], list[Bulletin]]:
    """Split by bulletin: the order of a hash of seed and id decides, so a split doesn't move as data grow."""
    limit = int(share * 2**32)

    def is_held_out(bulletin: Bulletin) -> bool:
        digest = hashlib.sha256(f"{seed}/{bulletin.id}".encode()).digest()
        return int.from_bytes(digest[:4], "big") < limit

    held_out = [bulletin for bulletin in bulletins if is_held_out(bulletin)]
    return [bulletin for bulletin in bulletins if not is_held_out(bulletin)], held_out


def make_dataset(
    bulletins: Sequence[Bulletin],
    *,
    scheme: LabelScheme,
    vocabulary: CharacterVocabulary,
    windows: WindowSettings,
) -> Dataset:
    """All windows of all bulletins, one row a window."""
    rows = [row for bulletin in bulletins for row in _rows(bulletin, scheme, vocabulary, windows)]
    return Dataset.from_list(rows)


def _rows(
    bulletin: Bulletin, scheme: LabelScheme, vocabulary: CharacterVocabulary, windows: WindowSettings
) -> Iterable[dict[str, Any]]:
    ids = vocabulary.encode(bulletin.text)
    spans = [(e.start, e.end, scheme.entity_names.index(e.label)) for e in bulletin.entities]
    tags = tag_numbers(spans, len(bulletin.text))
    borders = [sentence.start for sentence in bulletin.sentences]
    for window in cut_windows(len(bulletin.text), borders, size=windows.size, overlap=windows.overlap):
        own = tags[window.start : window.end].copy()
        for start, end, _ in spans:
            if start < window.start < end or start < window.end < end:
                own[max(start - window.start, 0) : max(end - window.start, 0)] = IGNORED
        inside = [s for s in bulletin.sentences if _share(s, window.start, window.end) >= SHORTEST_SHARE]
        yield {
            "ids": ids[window.start : window.end].tolist(),
            "tags": own.tolist(),
            "starts": [max(s.start, window.start) - window.start for s in inside],
            "ends": [min(s.end, window.end) - window.start for s in inside],
            "functions": [
                scheme.function_names.index(s.function) if s.function is not None else IGNORED for s in inside
            ],
            "domains": [[float(name in s.domains) for name in scheme.domain_names] for s in inside],
            "bears_domains": [s.function not in scheme.functions_without_domains for s in inside],
        }


def _share(sentence: Sentence, start: int, end: int) -> float:
    """How much of a sentence (or of the window, if the sentence is longer) lies in ``[start, end)``."""
    common = min(sentence.end, end) - max(sentence.start, start)
    return common / min(sentence.end - sentence.start, end - start)


def length_pools(
    lengths: NDArray[np.int64], *, size: int, random: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    """All windows in a fresh order, in pools of ``size``, each sorted by length.

    Neighbours in a pool are of like length, so that batches of them are padded little.
    """
    order = random.permutation(len(lengths))
    for begin in range(0, len(order), size):
        pool = order[begin : begin + size]
        yield pool[np.argsort(lengths[pool], kind="stable")]


def plan_epoch(lengths: NDArray[np.int64], *, size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Which windows each step of an epoch reads, of like length and in a fresh order.

    Args:
        lengths: characters of each window, at least one.
        size: windows of a step; some windows are read twice if the last step lacks some.
        random: decides the order.

    Returns:
        Shape ``(steps, size)``.
    """
    order = np.concatenate(list(length_pools(lengths, size=BUCKET * size, random=random)))
    steps = np.resize(order, (-(-len(order) // size), size))
    return random.permutation(steps)


def collate(rows: Sequence[dict[str, Any]], *, scheme: LabelScheme, vocabulary: CharacterVocabulary) -> Batch:
    """Pad rows of a dataset to one batch."""
    longest = max(len(row["ids"]) for row in rows) + 2
    ids = np.full((len(rows), longest), vocabulary.id_of("[PAD]"), np.int64)
    mask, tags = np.zeros_like(ids), np.full_like(ids, IGNORED)
    ids[:, 0] = vocabulary.id_of("[CLS]")
    for number, row in enumerate(rows):
        length = len(row["ids"])
        ids[number, 1 : length + 1], ids[number, length + 1] = row["ids"], vocabulary.id_of("[SEP]")
        tags[number, 1 : length + 1] = row["tags"]
        mask[number, : length + 2] = 1
    flat = {
        key: [value for row in rows for value in row[key]] for key in rows[0] if key not in ("ids", "tags")
    }
    window = [number for number, row in enumerate(rows) for _ in row["starts"]]
    return Batch(
        ids=torch.from_numpy(ids),
        mask=torch.from_numpy(mask),
        tags=torch.from_numpy(tags),
        pieces=SentencePieces(
            *(torch.tensor(v, dtype=torch.long) for v in (window, flat["starts"], flat["ends"]))
        ),
        functions=torch.tensor(flat["functions"], dtype=torch.long),
        domains=torch.tensor(flat["domains"]).reshape(len(window), len(scheme.domains)),
        bears_domains=torch.tensor(flat["bears_domains"], dtype=torch.bool),
    )
