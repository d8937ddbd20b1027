"""What the formats of one JSON object a line share; a file whose name ends in ``.gz`` is compressed."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import atomic_file
from zhengling.formats.base import Context, Record
from zhengling.formats.sources import dump_json, json_lines
from zhengling.schema import Bulletin


def read_objects(path: Path, context: Context, *, make: Callable[[Any, int], Bulletin]) -> Iterator[Record]:
    """Read a file; a faulty line goes to ``context.fault`` with its number.

    Args:
        path: the file.
        context: what readers are told.
        make: the bulletin of a line's value and number; it raises ``DataError`` where the value is none.

    Raises:
        DataError: the file can't be read.
    """
    for number, data in json_lines(path, fault=context.fault):
        try:
            bulletin = make(data, number)
        except DataError as error:
            context.fault(DataError(error.message, path=path, line=number))
            continue
        yield Record(bulletin, path, line=number)


def write_objects(values: Iterable[Any], path: Path) -> None:
    """Write a file, whole or not at all.

    Raises:
        OSError: it can't be written.
    """
    lines = (f"{dump_json(value)}\n".encode() for value in values)
    with atomic_file(path) as temporary, temporary.open("wb") as stream:
        if path.suffix.lower() == ".gz":
            # Without name and time, so that the same bulletins give the same file.
            with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed:
                packed.writelines(lines)
        else:
            stream.writelines(lines)
