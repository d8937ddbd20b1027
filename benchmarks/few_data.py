"""How much annotation labels of one's own need: F1 by number of bulletins, from two starts.

    python benchmarks/few_data.py measure ../shared/annotated/dev.jsonl
    python benchmarks/few_data.py page

The labels (``few_data_scheme.json``) are not the default pipeline's: bodies, people served, papers, sums of
money, days by which something is due. Bulletins to learn from are those that its recipe holds out.
``measure`` keeps its results in ``few_data.json``; ``page`` puts them into ``few_data.md`` and draws
``few_data.svg``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

from zhengling.components import bulletin_of
from zhengling.files import write_text
from zhengling.formats import read_bulletins, write_bulletins
from zhengling.loading import load_pipeline
from zhengling.schema import Bulletin, Entity, LabelScheme
from zhengling_training.config import load_recipe
from zhengling_training.curves import draw_curves
from zhengling_training.data import load_bulletins, split_held_out
from zhengling_training.evaluation.metrics import score
from zhengling_training.finetune import FinetuneRecipe, finetune

HERE = Path(__file__).parent
CONFIGS = HERE.parent / "configs"
SCHEME, RESULTS = HERE / "few_data_scheme.json", HERE / "few_data.json"
PAGE, PICTURE = HERE / "few_data.md", HERE / "few_data.svg"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
STARTS = {"the default pipeline": "models/zh_bulletin_sm", "the bare encoder": "models/encoder"}
# New label, label of the default pipeline, what the words must hold.
RULES = (
    ("BODY", "ORG", ""),
    ("TARGET", "GROUP", ""),
    ("PAPER", "DOC", ""),
    ("MONEY", "AMOUNT", "元"),
    ("DEADLINE", "DATE", "(?:前|底|末|内|起)$"),
)

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def measure(
    data: Annotated[Path, typer.Argument(help="Annotated bulletins to measure on.")],
    sizes: Annotated[list[int] | None, typer.Option(help="Bulletins; 5, 10, 20, 40, 80 if left out.")] = None,
) -> None:
    """Train from both starts and measure; figures of other sizes stay."""
    gold = [relabelled(bulletin) for bulletin in read_bulletins(data)]
    pool = _pool()
    wanted = sizes or [5, 10, 20, 40, 80]
    rows = [row for row in _results() if row["bulletins"] not in wanted]
    for size in wanted:
        for name, start in STARTS.items():
            rows.append({"start": name, "bulletins": size, **_run(start, pool[:size], gold)})
            rows.sort(key=lambda row: row["bulletins"])
            write_text(RESULTS, json.dumps(rows, ensure_ascii=False, indent=1) + "\n")


@app.command()
def page() -> None:
    """Put the results into the page and draw them."""
    rows = _results()
    lines = {name: [(r["bulletins"], r["f1"]) for r in rows if r["start"] == name] for name in STARTS}
    title = "Strict F1 on labels of one's own by number of annotated bulletins"
    write_text(PICTURE, draw_curves(lines, title=title, heading="strict F1", x="annotated bulletins"))
    table = [
        "| bulletins | characters | from | strict F1 | seconds |",
        "|---|---|---|---|---|",
        *(
            f"| {r['bulletins']} | {r['characters']} | {r['start']} | {r['f1']:.3f} | {r['seconds']:.0f} |"
            for r in rows
        ),
    ]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    write_text(PAGE, "\n".join([f"{before}{BEGIN}", *table, f"{END}{rest.partition(END)[2]}"]))


def _results() -> list[dict[str, Any]]:
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []


def relabelled(bulletin: Bulletin) -> Bulletin:
    """The bulletin with the new labels alone, and without labels of sentences."""
    entities = [
        Entity(found.start, found.end, label)
        for found in bulletin.entities
        for label, old, words in RULES
        if found.label == old and re.search(words, bulletin.surface(found))
    ]
    sentences = tuple(replace(s, function=None, domains=()) for s in bulletin.sentences)
    return replace(bulletin, entities=tuple(entities), sentences=sentences)


def _pool() -> list[Bulletin]:
    """What the default recipe holds out, in a fixed random order."""
    section = load_recipe(CONFIGS / "zh_bulletin_sm.cfg", FinetuneRecipe).data
    everything = load_bulletins(
        section.train,
        scheme=LabelScheme.from_file(Path(section.scheme)),
        detached=section.detached,
        corrections=section.corrections,
    )
    _, held_out = split_held_out(everything, share=section.held_out, seed=0)
    order = np.random.default_rng(0).permutation(len(held_out))
    # Other ids: by their own, training would hold all of them out again.
    return [replace(relabelled(held_out[i]), id=f"mine-{held_out[i].id}") for i in order]


def _run(start: str, bulletins: Sequence[Bulletin], gold: Sequence[Bulletin]) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        data = Path(folder) / "train.jsonl"
        write_bulletins(bulletins, data, format="jsonl")
        changes = {"data.scheme": str(SCHEME), "data.train": [str(data)], "encoder.start": start}
        recipe = load_recipe(CONFIGS / "own_labels.cfg", FinetuneRecipe, overrides=changes)
        began = time.monotonic()
        finetune(recipe, run_folder=Path(folder) / "run", output=Path(folder) / "model")
        seconds = time.monotonic() - began
        nlp = load_pipeline(str(Path(folder) / "model"))
        predicted = [bulletin_of(doc) for doc in nlp.pipe(bulletin.text for bulletin in gold)]
    f1 = score(gold, predicted, scheme=LabelScheme.from_file(SCHEME)).entity_micro.f1
    return {"f1": f1 or 0.0, "seconds": seconds, "characters": sum(len(b.text) for b in bulletins)}


if __name__ == "__main__":
    app()
