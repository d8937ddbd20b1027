"""zhengling (政令) reads Chinese government bulletins: entities, directives, service domains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(name_or_path: str | Path | None = None, *, threads: int | None = None) -> Language:
    """Load a pipeline; see ``zhengling.loading.load_pipeline``."""
    # Imported here because spaCy takes half a second that `zhengling --help` need not wait for.
    from zhengling.loading import load_pipeline  # noqa: PLC0415

    return load_pipeline(name_or_path, threads=threads)
