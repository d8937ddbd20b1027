"""The card of an encoder with its learning curves, from the history that lies in its folder.

python -m zhengling_training.encoder_card models/encoder
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from zhengling.errors import ZhenglingError
from zhengling.files import write_text
from zhengling_training.curves import draw_curves
from zhengling_training.encoder_files import WEIGHTS, read_config, read_weights
from zhengling_training.ner_heads import read_training
from zhengling_training.pretrain import HISTORY, read_history
from zhengling_training.templating import environment

CARD, PICTURE, HEADS_PICTURE = "README.md", "learning.svg", "heads.svg"


@dataclass(frozen=True)
class Point:
    """A measurement: characters seen in all stages so far, held-out loss (nats) and accuracy."""

    characters: int
    loss: float
    accuracy: float


def write_encoder_card(encoder: Path) -> Path:
    """Write ``README.md`` and ``learning.svg`` into an encoder's folder.

    Returns:
        The card.

    Raises:
        ZhenglingError: no encoder, or none that keeps a history of its pretraining.
    """
    settings, stages = read_config(encoder), read_history(encoder)
    if not stages:
        raise ZhenglingError(f"{encoder}: has no {HISTORY}; a card is written for a pretrained encoder")
    points = learning_curve(stages)
    templates = environment(escape=False)
    picture = templates.get_template("learning.svg.j2").render(
        panels=[
            _panel(points, "held-out accuracy", [point.accuracy for point in points], top=0.0),
            _panel(points, "held-out loss, nats", [point.loss for point in points], top=190.0),
        ]
    )
    write_text(encoder / PICTURE, picture)
    card = templates.get_template("encoder_card.md.j2").render(
        name=encoder.name,
        settings=settings,
        parameters=sum(value.numel() for value in read_weights(encoder / WEIGHTS).values()),
        stages=[_row(stage) for stage in stages],
        picture=PICTURE,
        heads=_write_heads_picture(encoder),
        heads_picture=HEADS_PICTURE,
    )
    write_text(encoder / CARD, card)
    return encoder / CARD


def _write_heads_picture(encoder: Path) -> dict[str, Any] | None:
    """What the card says of an encoder's heads, None without heads; draws their learning curves."""
    record = read_training(encoder)
    if record is None:
        return None
    runs = [*record.get("before", []), record]
    lines = {name: _over_runs(runs, f"{name}_f1") for name in record["scores"]}
    picture = draw_curves(
        lines,
        title="Strict F1 on held-out texts of each public set by training steps",
        heading="held-out strict F1",
        x="steps",
    )
    write_text(encoder / HEADS_PICTURE, picture)
    return {
        "scores": record["scores"],
        "hours": [run["seconds"] / 3600 for run in runs],
        "epochs": [run["recipe"]["schedule"]["epochs"] for run in runs],
        "observed": record["recipe"]["schedule"]["observed_texts"],
    }


def _over_runs(runs: Sequence[dict[str, Any]], measure: str) -> list[tuple[float, float]]:
    """A measure by steps, the steps of all runs counted on."""
    points: list[tuple[float, float]] = []
    before = 0
    for run in runs:
        points += [(before + seen["step"], seen[measure]) for seen in run["curve"] if measure in seen]
        before += run["curve"][-1]["step"]
    return points


def learning_curve(stages: Sequence[dict[str, Any]]) -> list[Point]:
    """All measurements, in the order in which they were made."""
    points, before = [], 0
    for stage in stages:
        points += [
            Point(before + seen["characters"], seen["held_out_loss"], seen["held_out_accuracy"])
            for seen in stage["curve"]
            if "held_out_loss" in seen
        ]
        before += stage["curve"][-1]["characters"]
    return points


def _row(stage: dict[str, Any]) -> dict[str, Any]:
    last, recipe = stage["curve"][-1], stage["recipe"]
    if isinstance(recipe, str):
        what = recipe
    else:
        schedule, rate = recipe["schedule"], recipe["masking"]["rate"]
        rows = f"{schedule['batch_rows']} rows of {recipe['corpus']['row_length']}"
        what = (
            f"{schedule['steps']} steps of {rows}, learning rate {schedule['learning_rate']}, "
            f"{rate:.0%} hidden, seed {schedule['seed']}"
        )
    return {
        "what": what,
        "characters": last["characters"] / 1e6,
        "hours": stage["seconds"] / 3600,
        "loss": last.get("held_out_loss"),
        "accuracy": last.get("held_out_accuracy"),
    }


def _panel(points: Sequence[Point], title: str, values: Sequence[float], *, top: float) -> dict[str, Any]:
    """Where a panel's line and ticks are drawn; the plot is 480 by 130 at (60, top + 25)."""
    most, low, high = max(p.characters for p in points), min(values), max(values)
    reach = (high - low) or 1.0

    def place(characters: float, value: float) -> tuple[float, float]:
        return 60 + 480 * characters / most, top + 25 + 130 * (1 - (value - low) / reach)

    return {
        "title": title,
        "top": top,
        "dots": [place(p.characters, value) for p, value in zip(points, values, strict=True)],
        "y_ticks": [(place(0, value)[1], f"{value:.2f}") for value in (low, (low + high) / 2, high)],
        "x_ticks": [(place(most * n / 4, low)[0], f"{most * n / 4e6:.1f}") for n in range(5)],
    }


def main(encoder: Annotated[Path, typer.Argument(help="The encoder's folder.")]) -> None:
    """Write an encoder's card."""
    try:
        typer.echo(write_encoder_card(encoder))
    except (ZhenglingError, OSError) as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    typer.run(main)
