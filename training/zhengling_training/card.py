"""Model cards: what a pipeline was trained on, how, what it reaches, and what it can't do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from zhengling.errors import ZhenglingError
from zhengling.files import write_text
from zhengling_training.evaluation.table import figure


def write_card(model: Path, scores: Path) -> Path:
    """Write ``README.md`` into a pipeline's folder and the figures into its ``meta.json``.

    Args:
        model: folder of a pipeline made by ``zhengling train``.
        scores: JSON written by ``zhengling evaluate``.

    Returns:
        The card.

    Raises:
        ZhenglingError: one of the files can't be read or isn't what it should be.
    """
    meta = _read(model / "meta.json")
    measured = _read(scores)
    if "zhengling" not in meta or "summary" not in measured:
        raise ZhenglingError(f"{model}, {scores}: expected a pipeline of zhengling and scores of one")
    meta["performance"] = measured["summary"]
    write_text(model / "meta.json", json.dumps(meta, ensure_ascii=False, indent=2))
    templates = Environment(
        loader=PackageLoader("zhengling_training"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,
    )
    size = sum(file.stat().st_size for file in model.rglob("*") if file.is_file()) / 1e6
    text = templates.get_template("card.md.j2").render(
        meta=meta, scores=measured, facts=meta["zhengling"], size=size, figure=figure
    )
    write_text(model / "README.md", text)
    return model / "README.md"


def _read(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ZhenglingError(f"{path}: can't be read: {error.strerror}") from error
    except ValueError as error:
        raise ZhenglingError(f"{path}: not JSON: {error}") from error
    return data
