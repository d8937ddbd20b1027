"""Canonical JSONL: one bulletin a line, as in section 4 of the annotation guidelines.

Carries everything, scores too. Keys beside ``id``, ``text``, ``entities`` and ``sentences`` are facts
about the bulletin and hold strings; null is as good as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.formats.base import Context, Format, Record
from zhengling.formats.lines import read_objects, write_objects
from zhengling.schema import Bulletin

_KNOWN = ("id", "text", "entities", "sentences")


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a file of canonical JSONL."""
    return read_objects(path, context, make=lambda data, _: _bulletin(data))


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a file of canonical JSONL."""
    write_objects((bulletin.to_dict() for bulletin in bulletins), path)


def _bulletin(data: Any) -> Bulletin:
    if isinstance(data, dict) and "ents" in data and "entities" not in data:
        raise DataError("holds ents rather than entities; name the format ents (--from ents)")
    bulletin = Bulletin.from_dict(data)
    for key, value in data.items():
        if key not in _KNOWN and not isinstance(value, str) and value is not None:
            raise DataError(
                f"key {key!r}: a fact about a bulletin is a string, not {type(value).__name__}; "
                "for an export of doccano name the format doccano"
            )
    return bulletin


FORMAT = Format("jsonl", (".jsonl",), "canonical JSONL, one bulletin a line", read, write)
