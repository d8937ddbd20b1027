"""A shorter start for the processes that this project starts itself."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NEED_TORCH = ("spacy_transformers", "spacy_curated_transformers")


def import_spacy_lightly() -> None:
    """Import spaCy's network library without PyTorch, which it loads wherever it is installed.

    That takes two seconds, for layers that no pipeline of ours has; what does need PyTorch imports it itself.
    Only for processes that run nothing but this project: in others spaCy may be used with PyTorch. Where an
    extension of spaCy is installed that brings such layers, a pipeline may have them, and nothing is done.
    """
    if "torch" in sys.modules or "thinc" in sys.modules or any(map(find_spec, _NEED_TORCH)):
        return
    sys.modules["torch"] = None  # type: ignore[assignment]  # says "not installed" to imports
    try:
        import thinc.compat  # noqa: F401, PLC0415 - here, while it is hidden
    finally:
        del sys.modules["torch"]
