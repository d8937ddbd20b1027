"""Scores as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhengling.report.terminal import visible
from zhengling_training.evaluation.counts import Counts
from zhengling_training.evaluation.metrics import Scores

UNDEFINED = "–"


def print_scores(scores: Scores, *, console: Console) -> None:
    """Print the headline figures and one table for each kind of label."""
    summary = Table("measure", "value", title=f"{scores.bulletins} bulletins", title_justify="left")
    for name, value in scores.summary().items():
        summary.add_row(name, figure(value))
    console.print(summary)
    for title, counts in (
        ("entities (strict)", scores.entities),
        ("functions", scores.functions),
        ("domains", scores.domains),
    ):
        if counts:
            console.print(_table(title, counts))


def figure(value: float | None) -> str:
    """A figure, or a dash where it is undefined."""
    return UNDEFINED if value is None else f"{value:.4f}"


def _table(title: str, counts: Mapping[str, Counts]) -> Table:
    table = Table("label", "P", "R", "F1", "gold", title=title, title_justify="left")
    for label, count in counts.items():
        row = (count.precision, count.recall, count.f1)
        table.add_row(Text(visible(label)), *map(figure, row), str(count.tp + count.fn))
    return table
