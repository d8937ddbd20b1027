"""Recipes: ``.cfg`` files in spaCy's syntax, checked against a pydantic model."""

from __future__ import annotations

import configparser
import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from confection import Config, ConfigValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zhengling.errors import ZhenglingError

Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0.0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Precision = Literal["no", "bf16", "auto"]


class Section(BaseModel):
    """Base of every recipe section: unknown keys and loose types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CommonSchedule(Section):
    """What every training run has: see ``zhengling_training.loop``."""

    seed: int = 1
    accumulate: Count = 1
    final_rate: Weight = 0.02
    weight_decay: Weight = 0.01
    precision: Precision = "no"
    checkpoint_minutes: Weight = 10.0


Recipe = TypeVar("Recipe", bound=Section)


def load_recipe(path: Path, kind: type[Recipe], *, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        path: the ``.cfg`` file; relative paths in it count from the working folder.
        kind: the pydantic model of the recipe.
        overrides: values by dotted key, ``{"training.seed": 2}``.

    Raises:
        ZhenglingError: no such file, bad syntax, an unknown or missing key, a wrong type; the
            message names ``section.key`` and the nearest known one.
    """
    for key in overrides or {}:
        _check_override(key, kind, path=path)
    try:
        raw = Config().from_disk(path, interpolate=True, overrides=overrides or {})
    except OSError as error:
        raise ZhenglingError(f"{path}: can't read the recipe: {error.strerror}") from error
    except (ConfigValidationError, configparser.Error, ValueError) as error:
        reasons = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ZhenglingError(f"{path}: not a recipe: {'; '.join(reasons)}") from error
    try:
        return kind.model_validate(dict(raw))
    except ValidationError as error:
        raise ZhenglingError(f"{path}: {_explain(error, kind)}") from error


def _check_override(key: str, kind: type[BaseModel], *, path: Path) -> None:
    section, _, name = key.partition(".")
    if name and section in kind.model_fields:
        return
    known = [f"{part}.{own}" for part in kind.model_fields for own in _keys(kind, [part])]
    last = key.rpartition(".")[2]
    near = [full for full in known if full.endswith(f".{last}")] or difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"sections are {', '.join(kind.model_fields)}"
    raise ZhenglingError(f"{path}: --set {key}: no key of the recipe, {hint}")


def _explain(error: ValidationError, kind: type[BaseModel]) -> str:
    """One line for all faults of a recipe."""
    return "; ".join(_explain_one(dict(fault), kind) for fault in error.errors())


def _explain_one(fault: dict[str, Any], kind: type[BaseModel]) -> str:
    place = [str(part) for part in fault["loc"]]
    key = ".".join(place)
    if fault["type"] == "missing":
        return f"missing key {key}"
    if fault["type"] != "extra_forbidden":
        return f"{key}: {fault['msg']}, got {fault['input']!r}"
    known = _keys(kind, place[:-1])
    near = difflib.get_close_matches(place[-1], known, n=1, cutoff=0.5)
    hint = f"did you mean {'.'.join([*place[:-1], near[0]])}?" if near else f"known: {', '.join(known)}"
    return f"unknown key {key}, {hint}"


def _keys(kind: type[BaseModel], place: list[str]) -> list[str]:
    for part in place:
        annotation = kind.model_fields[part].annotation if part in kind.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        kind = annotation
    return list(kind.model_fields)
