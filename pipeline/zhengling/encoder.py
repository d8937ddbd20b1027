"""From characters to scores: windows are batched across documents and every character is read once.

The network behind it is a ``Backend``: ONNX Runtime here, PyTorch while training.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from zhengling.batching import batches
from zhengling.characters import CharacterVocabulary
from zhengling.errors import ZhenglingError
from zhengling.windows import Window, cut_windows

Floats = NDArray[np.float32]
# Documents that are read together hold no more characters than this, unless it is one alone. The emissions of
# such a one are kept in half precision: a small part of the error that 8-bit weights make.
MEMORY_CHARACTERS = 200_000


class Backend(Protocol):
    """A network that reads windows."""

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Read a batch.

        Args:
            ids: character ids with ``[CLS]`` and ``[SEP]``, shape ``(windows, length + 2)``.
            mask: 1 where there is a character, same shape.

        Returns:
            Emissions ``(windows, length + 2, tags)`` and vectors ``(windows, length + 2, size)``.
        """
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the network says of a text.

    Attributes:
        emissions: scores of tags, shape ``(characters, tags)``; halves for more than ``MEMORY_CHARACTERS``.
        sentences: pooled vectors (mean, then maximum), shape ``(sentences, 2 * size)``.
    """

    emissions: NDArray[np.floating]
    sentences: Floats


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How texts are cut and batched.

    Attributes:
        size: most characters in a window.
        overlap: characters shared by neighbouring windows where no sentence border decides.
        batch_characters: most characters, padding counted, in one run of the network.
        padding: most of a run that may be padding, as a share.
    """

    size: int = 254
    overlap: int = 48
    batch_characters: int = 1024
    padding: float = 0.1


class OnnxBackend:
    """ONNX Runtime on the CPU; the session is made on first use, once in each process.

    A session does not survive a fork, so each process makes its own.

    Args:
        model: the serialised ONNX model.
        threads: threads of one run; None means ``OMP_NUM_THREADS`` or else the physical cores.

    Raises:
        ZhenglingError: on first use, if the model is damaged.
    """

    def __init__(self, model: bytes, *, threads: int | None = None) -> None:
        self.model = model
        self.threads = threads
        # By process. A forked child keeps its parent's session: to destroy it would wait for threads
        # that the child doesn't have.
        self._sessions: dict[int, ort.InferenceSession] = {}

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """See ``Backend.run``."""
        emissions, vectors = self.session().run(None, {"ids": ids, "mask": mask})
        return emissions, vectors

    def session(self) -> ort.InferenceSession:
        """The session of this process."""
        process = os.getpid()
        if process not in self._sessions:
            self._sessions[process] = open_session(self.model, threads=self.threads)
        return self._sessions[process]

    def __getstate__(self) -> dict[str, object]:
        return {"model": self.model, "threads": self.threads, "_sessions": {}}


def open_session(model: bytes, *, threads: int | None) -> ort.InferenceSession:
    """Open an ONNX model.

    Raises:
        ZhenglingError: the bytes are no ONNX model that this ONNX Runtime can run.
    """
    options = ort.SessionOptions()
    wanted = threads if threads is not None else int(os.environ.get("OMP_NUM_THREADS", "0") or 0)
    options.intra_op_num_threads = wanted  # 0: ONNX Runtime takes the physical cores
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no public base
        raise ZhenglingError(f"the ONNX model can't be opened: {str(error).splitlines()[0]}") from error


@dataclass(frozen=True)
class BulletinEncoder:
    """Reads texts of any length.

    Attributes:
        backend: the network.
        vocabulary: characters to ids.
        settings: windows and batches.
    """

    backend: Backend
    vocabulary: CharacterVocabulary
    settings: WindowSettings = WindowSettings()

    def encode(self, texts: Sequence[str], sentences: Sequence[Sequence[tuple[int, int]]]) -> list[Encoded]:
        """Read texts; windows of all of them share batches.

        Args:
            texts: raw texts.
            sentences: their sentence spans.

        Returns:
            One ``Encoded`` a text, in order.
        """
        ids = [self.vocabulary.encode(text) for text in texts]
        collectors = [_Collector(len(text), spans) for text, spans in zip(texts, sentences, strict=True)]
        jobs = [
            (number, window)
            for number, (text, spans) in enumerate(zip(texts, sentences, strict=True))
            for window in cut_windows(
                len(text),
                [start for start, _ in spans],
                size=self.settings.size,
                overlap=self.settings.overlap,
            )
        ]
        jobs.sort(key=lambda job: job[1].end - job[1].start)
        for batch in batches(jobs, fits=self._fits):
            emissions, vectors = self.backend.run(*self._frame(ids, batch))
            for row, (number, window) in enumerate(batch):
                own = slice(1 + window.own_start - window.start, 1 + window.own_end - window.start)
                collectors[number].add(window.own_start, emissions[row, own], vectors[row, own])
        return [collector.result() for collector in collectors]

    def _fits(self, batch: list[tuple[int, Window]], job: tuple[int, Window]) -> bool:
        """Whether the padded batch stays within the budgets; jobs come sorted by length."""
        longest = job[1].end - job[1].start
        padded = (len(batch) + 1) * longest
        padding = padded - longest - sum(window.end - window.start for _, window in batch)
        return padded <= self.settings.batch_characters and padding <= self.settings.padding * padded

    def _frame(
        self, ids: list[NDArray[np.int64]], batch: list[tuple[int, Window]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids and mask of a batch, with ``[CLS]``, ``[SEP]`` and padding."""
        longest = max(window.end - window.start for _, window in batch)
        longest += longest % 2  # ONNX Runtime's 8-bit kernel computes an odd last row less exactly
        framed = np.full((len(batch), longest + 2), self.vocabulary.id_of("[PAD]"), np.int64)
        mask = np.zeros_like(framed)
        framed[:, 0] = self.vocabulary.id_of("[CLS]")
        for row, (number, window) in enumerate(batch):
            length = window.end - window.start
            framed[row, 1 : length + 1] = ids[number][window.start : window.end]
            framed[row, length + 1] = self.vocabulary.id_of("[SEP]")
            mask[row, : length + 2] = 1
        return framed, mask

    def with_settings(self, settings: WindowSettings) -> BulletinEncoder:
        """The same encoder with other windows."""
        return replace(self, settings=settings)


class _Collector:
    """Gathers what windows say of one text; vectors are pooled at once, so memory stays small."""

    def __init__(self, length: int, sentences: Sequence[tuple[int, int]]) -> None:
        self.length = length
        self.spans = np.asarray(sentences, np.int64).reshape(-1, 2)
        self.emissions: NDArray[np.floating] | None = None
        self.pooled: Floats | None = None  # sums, which become means, then maxima

    def add(self, start: int, emissions: Floats, vectors: Floats) -> None:
        """Take the characters from ``start`` on."""
        size = vectors.shape[1]
        if self.emissions is None or self.pooled is None:
            kind = np.float16 if self.length > MEMORY_CHARACTERS else np.float32
            self.emissions = np.zeros((self.length, emissions.shape[1]), kind)
            self.pooled = np.zeros((len(self.spans), 2 * size), np.float32)
            self.pooled[:, size:] = -np.inf
        sums, maxima = self.pooled[:, :size], self.pooled[:, size:]
        end = start + len(emissions)
        self.emissions[start:end] = emissions
        first = int(np.searchsorted(self.spans[:, 1], start, side="right"))
        last = int(np.searchsorted(self.spans[:, 0], end, side="left"))
        for number in range(first, last):
            left, right = self.spans[number] - start
            piece = vectors[max(left, 0) : right]
            if not len(piece):  # a sentence of white space
                continue
            sums[number] += piece.sum(axis=0)
            np.maximum(maxima[number], piece.max(axis=0), out=maxima[number])

    def result(self) -> Encoded:
        """To be asked once, as the vectors are finished in place."""
        if self.emissions is None or self.pooled is None:
            return Encoded(np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))
        lengths = np.maximum(self.spans[:, 1] - self.spans[:, 0], 1)[:, None].astype(np.float32)
        sums, maxima = np.split(self.pooled, 2, axis=1)
        sums /= lengths
        maxima[maxima == -np.inf] = 0  # sentences of white space
        return Encoded(self.emissions, self.pooled)
