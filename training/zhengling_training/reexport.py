"""Exporting a pipeline again with another form of weights or other windows, and what that costs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from spacy.language import Language

from zhengling.components import BulletinEncoderPipe, bulletin_of
from zhengling.errors import ZhenglingError
from zhengling.loading import load_pipeline, scheme_of
from zhengling.schema import Bulletin
from zhengling.text import split_sentences
from zhengling_training.evaluation.metrics import score
from zhengling_training.evaluation.table import figure
from zhengling_training.export import DOCUMENTS, save_pipeline
from zhengling_training.network_graph import write_graph
from zhengling_training.network_weights import read_graph
from zhengling_training.products import PRODUCTS

MEASURES = ("entity_f1", "function_accuracy", "domain_micro_f1")
EXACT = "fp32"


def check_form(form: str) -> None:
    """Refuse what is no form of weights.

    Raises:
        ZhenglingError: the message names the forms.
    """
    if form not in PRODUCTS:
        raise ZhenglingError(f"there is no form {form!r} of weights, only {', '.join(PRODUCTS)}")


def reexport(
    source: str | Path, output: Path, *, form: str, windows: Mapping[str, int] | None = None
) -> None:
    """Write a pipeline with another form of weights, or other windows; ``batch_size`` is today's default.

    8-bit weights are multiplied out first, so that to quantise them again costs a little more than to export
    a run's checkpoint. Temperatures and thresholds stay those of the source.

    Args:
        source: folder or installed package.
        output: the new pipeline's folder.
        form: a key of ``products.PRODUCTS``.
        windows: settings of ``bulletin_encoder`` to replace: ``window``, ``overlap``, ``batch_characters``.

    Raises:
        ZhenglingError: no such pipeline or form, or windows that don't go together.
    """
    check_form(form)
    changes = {f"components.bulletin_encoder.{name}": value for name, value in (windows or {}).items()}
    nlp = load_pipeline(source, changes=changes | {"nlp.batch_size": DOCUMENTS})
    pipe = encoder_of(nlp)
    if 2 * pipe.settings.overlap >= pipe.settings.size:
        raise ZhenglingError(
            f"overlap {pipe.settings.overlap} must be below half of the window, {pipe.settings.size}"
        )
    files = pipe.files()
    pipe.take(files | {"encoder.onnx": write_graph(read_graph(files["encoder.onnx"]), form=form)})
    save_pipeline(nlp, output)


def encoder_of(nlp: Language) -> BulletinEncoderPipe:
    """The encoder of a pipeline.

    Raises:
        ZhenglingError: it has none with weights.
    """
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, BulletinEncoderPipe) and pipe.encoder is not None:
            return pipe
    raise ZhenglingError("the pipeline has no trained bulletin_encoder")


@dataclass(frozen=True)
class Measured:
    """What one of several pipelines says of annotated bulletins.

    Attributes:
        megabytes: size of its ONNX model.
        scores: of ``MEASURES``, None where a score is undefined.
        logits: mean absolute difference of its emissions from those of the exact pipeline.
        speed: characters per CPU-second, from raw text to bulletins.
    """

    megabytes: float
    scores: Mapping[str, float | None]
    logits: float
    speed: float


def measure(pipelines: Mapping[str, str | Path], gold: Sequence[Bulletin]) -> dict[str, Measured]:
    """Measure pipelines with the same network in several forms.

    Args:
        pipelines: by name; the one named ``EXACT`` is what the others are compared with.
        gold: annotated bulletins, not those that the network was trained on.

    Raises:
        ZhenglingError: no such pipeline.
    """
    loaded = {name: load_pipeline(path, threads=1) for name, path in pipelines.items()}
    texts = [bulletin.text for bulletin in gold]
    exact = _emissions(loaded[EXACT], texts)
    return {name: _measure(nlp, gold, texts, exact) for name, nlp in loaded.items()}


def _measure(
    nlp: Language, gold: Sequence[Bulletin], texts: Sequence[str], exact: NDArray[np.float32]
) -> Measured:
    emissions = _emissions(nlp, texts)
    start = time.process_time()
    predicted = [bulletin_of(doc) for doc in nlp.pipe(texts)]
    seconds = time.process_time() - start
    summary = score(list(gold), predicted, scheme=scheme_of(nlp)).summary()
    return Measured(
        megabytes=len(encoder_of(nlp).files()["encoder.onnx"]) / 1e6,
        scores={name: summary.get(name) for name in MEASURES},
        logits=float(np.abs(emissions - exact).mean()),
        speed=sum(map(len, texts)) / seconds,
    )


def _emissions(nlp: Language, texts: Sequence[str]) -> NDArray[np.float32]:
    """Emissions of all characters of all texts, shape ``(characters, tags)``."""
    encoder: Any = encoder_of(nlp).encoder
    encoded = encoder.encode(texts, [split_sentences(text) for text in texts])
    return np.concatenate([one.emissions for one in encoded if len(one.emissions)])


def print_measured(found: Mapping[str, Measured], *, console: Console) -> None:
    """A table, a row a pipeline; scores with their difference from the exact pipeline's."""
    table = Table("form", "MB", *MEASURES, "Δ logits", "characters/CPU-s")
    exact = found[EXACT].scores
    for name, one in found.items():
        scores = [_with_difference(one.scores[measure], exact[measure]) for measure in MEASURES]
        table.add_row(name, f"{one.megabytes:.1f}", *scores, f"{one.logits:.4f}", f"{one.speed:,.0f}")
    console.print(table)


def _with_difference(value: float | None, exact: float | None) -> str:
    if value is None or exact is None:
        return figure(value)
    return f"{value:.4f} ({100 * (value - exact):+.2f})"
