"""Loading pipelines: from the repository, from a folder, or from an installed package."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import spacy
from confection import ConfigValidationError
from spacy.language import Language
from spacy.util import get_installed_models, get_package_path, is_package

from zhengling import components
from zhengling.errors import ZhenglingError
from zhengling.manifest import MANIFEST, check_model
from zhengling.schema import LabelScheme

LOG = logging.getLogger(__name__)
DEFAULT_MODEL = "zh_bulletin_sm"
REPOSITORY_MODELS = Path(__file__).parents[2] / "models"


# What spaCy and its parts raise over a folder or package that is no sound pipeline.
_FAULTS = (ConfigValidationError, OSError, ValueError, KeyError, TypeError, AttributeError, ImportError)


def load_pipeline(
    name_or_path: str | Path | None = None,
    *,
    threads: int | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Language:
    """Load a pipeline.

    Args:
        name_or_path: a folder, an installed package, or None for the default model.
        threads: threads of ONNX Runtime; by default ``OMP_NUM_THREADS`` or the physical cores.
        changes: settings to replace: ``{"components.bulletin_encoder.overlap": 32}``.

    Returns:
        A spaCy ``Language`` that takes texts of any length.

    Raises:
        ZhenglingError: there is no such model, or it is damaged.
    """
    model = find_model(name_or_path)
    if isinstance(model, Path) and not check_model(model):
        LOG.warning(
            "%s: has no %s, so some of its files can't be checked; see zhengling seal", model, MANIFEST
        )
    try:
        nlp = spacy.load(model, config=dict(changes or {}))
    except _FAULTS as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ZhenglingError(f"{model}: not a pipeline that can be loaded: {reason}") from error
    nlp.max_length = sys.maxsize  # windows make long texts safe
    if threads is not None:
        for _, pipe in nlp.pipeline:
            if isinstance(pipe, components.BulletinEncoderPipe):
                pipe.set_threads(threads)
    return nlp


def find_model(name_or_path: str | Path | None) -> str | Path:
    """Where a model is.

    Raises:
        ZhenglingError: nowhere; the message says what was looked for.
    """
    name = str(name_or_path or DEFAULT_MODEL)
    for folder in (Path(name), REPOSITORY_MODELS / name):
        if (folder / "config.cfg").is_file() and (folder / "meta.json").is_file():
            return folder
    if Path(name).name == name and is_package(name):
        return name
    if Path(name).exists():
        raise ZhenglingError(f"{name}: not a model, it has no config.cfg and meta.json")
    near = get_close_matches(Path(name).name, _known_models(), n=1)
    hint = (
        f"did you mean {near[0]}?" if near else "give the folder of a model or the name of an installed one"
    )
    raise ZhenglingError(f"{name}: no such model; {hint}")


def _known_models() -> list[str]:
    """Models of the repository and installed ones, by name."""
    return [*get_installed_models(), *(path.parent.name for path in REPOSITORY_MODELS.glob("*/meta.json"))]


def model_folder(name_or_path: str | Path | None) -> Path:
    """The folder with a model's files; that of its package for an installed one.

    Raises:
        ZhenglingError: there is no such model.
    """
    model = find_model(name_or_path)
    return model if isinstance(model, Path) else get_package_path(model)


def scheme_of(nlp: Language) -> LabelScheme:
    """The label scheme of a pipeline.

    Raises:
        ZhenglingError: the pipeline has no trained entity tagger.
    """
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, components.EntityTagger) and pipe.state is not None:
            return pipe.state.scheme
    raise ZhenglingError("the pipeline has no trained entity_tagger, so its labels are unknown")
