"""Annotation kept apart from texts that may be read but not passed on: lines, offsets and labels, no text.

A file holds one bulletin a line: ``{"id", "file", "first", "last", "sha256", "entities", "sentences"}`` with
entities ``[start, end, label]`` and sentences ``[start, end, function, [domain]]``. Its text is lines
``first`` to ``last`` (from 0, both included, empty ones not counted) of ``file``, stripped, joined by line
feeds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.schema import Bulletin
from zhengling_training.corpus import read_lines


def read_detached(path: Path) -> list[Bulletin]:
    """Read a file of detached annotation and put it onto its texts.

    Raises:
        DataError: the file or one of its texts can't be read, or a text is another one than was annotated.
    """
    entries = list(_entries(path))
    lines = {name: list(read_lines(Path(name))) for name in dict.fromkeys(entry["file"] for entry in entries)}
    return [_join(entry, lines[entry["file"]], path=path) for entry in entries]


def _entries(path: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(read_lines(path), 1):
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise DataError(f"not JSON: {error}", path=path, line=number) from error
        missing = [key for key in ("id", "file", "first", "last", "sha256") if key not in entry]
        if missing:
            raise DataError(f"missing key {missing[0]!r}", path=path, line=number)
        yield entry


def _join(entry: Mapping[str, Any], lines: list[str], *, path: Path) -> Bulletin:
    text = "\n".join(islice(lines, entry["first"], entry["last"] + 1))
    if hashlib.sha256(text.encode("utf-8")).hexdigest() != entry["sha256"]:
        raise DataError(
            f"bulletin {entry['id']!r}: lines {entry['first']} to {entry['last']} of {entry['file']} are not "
            "the text that was annotated; take the file that the annotation was made on",
            path=path,
        )
    try:
        return Bulletin.from_dict(
            {
                "id": entry["id"],
                "text": text,
                "entities": [
                    {"start": start, "end": end, "label": label} for start, end, label in entry["entities"]
                ],
                "sentences": [
                    {"start": start, "end": end, "function": function, "domains": domains}
                    for start, end, function, domains in entry["sentences"]
                ],
            }
        )
    except (DataError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"bulletin {entry['id']!r}: not annotation of this form: {error}", path=path
        ) from error
