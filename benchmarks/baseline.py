"""Measure the baselines as a model is measured, so that `zhengling compare` can set one against the other.

python benchmarks/baseline.py configs/zh_bulletin_sm.cfg DATA --output reports/baseline
zhengling compare reports/baseline reports/zh_bulletin_sm
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zhengling import __version__
from zhengling.errors import ZhenglingError
from zhengling.formats import read_bulletins
from zhengling.schema import LabelScheme
from zhengling_training.baselines import fit_baseline
from zhengling_training.config import load_recipe
from zhengling_training.data import load_bulletins
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.facts import Facts, ModelFacts, data_facts, machine, now, timed, versions
from zhengling_training.evaluation.report import make_report
from zhengling_training.evaluation.running import Evaluation, write_report
from zhengling_training.finetune import FinetuneRecipe

PATTERNS = Path(__file__).parents[1] / "configs" / "baselines" / "zh_bulletin.jsonl"


def main(
    recipe: Annotated[Path, typer.Argument(help="Its data are learned from.")],
    data: Annotated[Path, typer.Argument(help="Annotated bulletins to measure on.")],
    output: Annotated[Path, typer.Option(help="Folder of the report.")],
    patterns: Annotated[Path, typer.Option(help="Patterns of spaCy's EntityRuler.")] = PATTERNS,
) -> None:
    """Fit the baselines on a recipe's data and write a report."""
    section = load_recipe(recipe, FinetuneRecipe).data
    scheme = LabelScheme.from_file(Path(section.scheme))
    train = load_bulletins(
        section.train, scheme=scheme, detached=section.detached, corrections=section.corrections
    )
    gold = list(read_bulletins(data, scheme=scheme))
    baseline = fit_baseline(train, scheme=scheme, patterns=patterns)
    characters = sum(len(bulletin.text) for bulletin in gold)
    predicted, run = timed(lambda: [baseline(b.text) for b in gold], characters=characters, threads=1)
    facts = Facts(
        model=ModelFacts("baseline", __version__, path=str(recipe), sha256=""),
        data=data_facts(data, gold),
        training=None,
        command=f"python benchmarks/baseline.py {recipe} {data}",
        date=now(),
        machine=machine(),
        versions=versions(),
        run=run,
    )
    report = make_report(gold, predicted, scheme=scheme, facts=facts, resampling=Resampling())
    write_report(Evaluation(report, gold, predicted), output, language="en")
    typer.echo({name: round(value or 0, 4) for name, value in report.scores.summary().items()})


if __name__ == "__main__":
    try:
        typer.run(main)
    except ZhenglingError as error:
        raise SystemExit(f"error: {error}") from error
