"""Canonical JSONL: one bulletin a line, as in section 4 of the annotation guidelines.

Carries everything, scores too. Keys beside ``id``, ``text``, ``entities`` and ``sentences`` are facts
about the bulletin and hold strings; null is as good as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import atomic_file
from zhengling.formats.base import Context, Format, Record
from zhengling.formats.sources import dump_json, json_lines
from zhengling.schema import Bulletin

_KNOWN = ("id", "text", "entities", "sentences")


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a file of canonical JSONL."""
    for number, data in json_lines(path, fault=context.fault):
        try:
            bulletin = _bulletin(data)
        except DataError as error:
            context.fault(DataError(error.message, path=path, line=number))
            continue
        yield Record(bulletin, path, line=number)


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a file of canonical JSONL."""
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        for bulletin in bulletins:
            stream.write(dump_json(bulletin.to_dict()) + "\n")


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
