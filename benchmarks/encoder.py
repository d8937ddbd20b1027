"""Compare encoders by one probe, ``configs/probe.cfg``: strict F1 on its held-out texts, mean over seeds.

    python benchmarks/encoder.py measure "as given" runs/start --seeds 1 --seeds 2
    python benchmarks/encoder.py measure "random" runs/start --random --rate 3e-4
    python benchmarks/encoder.py table

Results are kept in ``benchmarks/encoder.json``; ``table`` puts them into ``benchmarks/encoder.md``.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer
from transformers import BertConfig, BertModel

from zhengling.files import write_text
from zhengling_training.config import load_recipe
from zhengling_training.encoder_files import TOKENIZER, load_encoder, read_config, save_encoder
from zhengling_training.ner_heads import HeadsRecipe, train_heads
from zhengling_training.pretrain import read_history

HERE = Path(__file__).parent
RECIPE = HERE.parent / "configs" / "probe.cfg"
RESULTS, TABLE = HERE / "encoder.json", HERE / "encoder.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"

app = typer.Typer(pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Probe:
    """What is probed and how; None leaves what the recipe says."""

    encoder: Path
    layers: int | None
    rate: float | None


@app.command()
def measure(
    name: Annotated[str, typer.Argument(help="What the row of the table says.")],
    encoder: Annotated[Path, typer.Argument(help="The encoder's folder.")],
    seeds: Annotated[list[int] | None, typer.Option(help="Once for each run; 1 if left out.")] = None,
    layers: Annotated[int | None, typer.Option(help="Keep so many layers.")] = None,
    rate: Annotated[float | None, typer.Option(help="Learning rate of the encoder.")] = None,
    random: Annotated[bool, typer.Option("--random", help="Random weights instead.")] = False,
) -> None:
    """Probe an encoder and keep the result under its name."""
    torch.manual_seed(0)
    with TemporaryDirectory() as folder:
        model = BertModel(BertConfig(**read_config(encoder)), add_pooling_layer=False) if random else None
        start = _bare(encoder, model or load_encoder(encoder), Path(folder) / "start")
        probe = Probe(start, layers, rate)
        scores = {seed: _run(probe, seed=seed, folder=Path(folder) / str(seed)) for seed in seeds or [1]}
        result = {"f1": list(scores.values()), "seeds": list(scores), **({} if random else _history(encoder))}
    write_text(RESULTS, json.dumps(_results() | {name: result}, ensure_ascii=False, indent=1) + "\n")
    typer.echo(f"{name}: {statistics.mean(scores.values()):.4f}")


@app.command()
def table() -> None:
    """Put the results into the page."""
    rows = [
        "| encoder | characters seen | held-out MLM accuracy | probe F1, mean (min-max) |",
        "|---|---|---|---|",
        *(_row(name, result) for name, result in _results().items()),
    ]
    before, _, rest = TABLE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    write_text(TABLE, "\n".join([f"{before}{BEGIN}", *rows, f"{END}{after}"]))


def _row(name: str, result: dict[str, Any]) -> str:
    f1 = result["f1"]
    seen = f"{result['characters'] / 1e6:.1f}M" if result.get("characters") else "–"
    accuracy = f"{result['held_out_accuracy']:.3f}" if result.get("held_out_accuracy") else "–"
    return f"| {name} | {seen} | {accuracy} | {statistics.mean(f1):.3f} ({min(f1):.3f}-{max(f1):.3f}) |"


def _run(probe: Probe, *, seed: int, folder: Path) -> float:
    overrides = {
        "encoder.start": str(probe.encoder),
        "encoder.layers": probe.layers,
        "schedule.seed": seed,
        "schedule.encoder_rate": probe.rate,
    }
    chosen = {key: value for key, value in overrides.items() if value is not None}
    recipe = load_recipe(RECIPE, HeadsRecipe, overrides=chosen)
    record = train_heads(recipe, run_folder=folder / "run", output=folder / "encoder")
    return float(record["scores"]["msra"]["f1"])


def _bare(encoder: Path, model: BertModel, folder: Path) -> Path:
    """The encoder without heads: the probe trains its own."""
    save_encoder(model, folder, tokenizer=(encoder / TOKENIZER).read_bytes())
    return folder


def _history(encoder: Path) -> dict[str, Any]:
    """Characters seen and accuracy at the end of pretraining, where the encoder's folder tells."""
    ends = [stage["curve"][-1] for stage in read_history(encoder)]
    if not ends:
        return {}
    characters = sum(end["characters"] for end in ends)
    return {"characters": characters, "held_out_accuracy": ends[-1].get("held_out_accuracy")}


def _results() -> dict[str, Any]:
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


if __name__ == "__main__":
    app()
