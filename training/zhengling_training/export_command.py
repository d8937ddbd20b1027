"""``zhengling export``: from a pipeline or a run to a pipeline in the form that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from zhengling.errors import DataError
from zhengling.formats import read_bulletins
from zhengling_training.config import load_recipe
from zhengling_training.finetune import FinetuneRecipe, average
from zhengling_training.reexport import EXACT, Measured, check_form, measure, reexport


@dataclass(frozen=True)
class Wanted:
    """What is exported.

    Attributes:
        source: a pipeline, or the folder of a run's checkpoints.
        recipe: the run's recipe; None for a pipeline.
        changes: values of the recipe to replace.
        windows: settings of the windows to replace.
    """

    source: str
    recipe: Path | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    windows: Mapping[str, int] = field(default_factory=dict)


def run_export(wanted: Wanted, output: Path, *, form: str) -> None:
    """Write a pipeline.

    Raises:
        ZhenglingError: no such source, recipe or form, or windows that don't go together.
    """
    check_form(form)
    if wanted.recipe is None:
        reexport(wanted.source, output, form=form, windows=wanted.windows)
        return
    names = {"window": "size"}
    windows = {f"windows.{names.get(name, name)}": value for name, value in wanted.windows.items()}
    changes: dict[str, Any] = {**wanted.changes, **windows, "package.quantise": form != EXACT}
    if form != EXACT:
        changes["package.form"] = form
    recipe = load_recipe(wanted.recipe, FinetuneRecipe, overrides=changes)
    average(recipe, run_folders=[Path(wanted.source)], output=output)


def export_and_measure(wanted: Wanted, output: Path, *, form: str, data: Path) -> dict[str, Measured]:
    """Write a pipeline, and measure it against the same network in fp32.

    Args:
        wanted: what is exported.
        output: the pipeline's folder.
        form: of its weights.
        data: annotated bulletins that it was not trained on.

    Returns:
        By name: the source if it is a pipeline, ``fp32``, and the form.

    Raises:
        ZhenglingError: as for ``run_export``; data that can't be read.
    """
    gold = list(read_bulletins(data))
    if not gold:
        raise DataError("nothing to measure on: there are no bulletins", path=data)
    run_export(wanted, output, form=form)
    with TemporaryDirectory() as folder:
        exact = Path(folder) / EXACT
        run_export(wanted, exact, form=EXACT)
        given = {"as given": wanted.source} if wanted.recipe is None else {}
        return measure(given | {EXACT: exact, form: output}, gold)
