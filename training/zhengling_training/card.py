"""Model cards: what a pipeline was trained on, how, what it reaches, and what it can't do."""

from __future__ import annotations

import json
from pathlib import Path

from zhengling.errors import ZhenglingError
from zhengling.files import read_json, write_text
from zhengling.manifest import check_model, renew
from zhengling_training.evaluation.report import read_report
from zhengling_training.evaluation.table import figure
from zhengling_training.templating import environment


def write_card(model: Path, report: Path) -> Path:
    """Write ``README.md`` into a pipeline's folder and the figures into its ``meta.json``.

    Args:
        model: folder of a pipeline made by ``zhengling train``.
        report: ``report.json`` written by ``zhengling evaluate``, or its folder.

    Returns:
        The card.

    Raises:
        ZhenglingError: one of the files can't be read or isn't what it should be.
    """
    meta = read_json(model / "meta.json")
    check_model(model)
    measured = read_report(report)
    if "zhengling" not in meta:
        raise ZhenglingError(f"{model}: not a pipeline that zhengling train made")
    meta["performance"] = measured["summary"]
    write_text(model / "meta.json", json.dumps(meta, ensure_ascii=False, indent=2))
    renew(model)
    templates = environment(escape=False)
    templates.filters["figure"] = figure
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file()) / 1e6
    text = templates.get_template("card.md.j2").render(
        meta=meta, scores=measured, facts=meta["zhengling"], size=size, figure=figure
    )
    write_text(model / "README.md", text)
    return model / "README.md"
