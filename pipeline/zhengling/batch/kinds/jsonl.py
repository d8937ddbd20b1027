"""Lines of JSON, plain or compressed with gzip."""

from __future__ import annotations

import codecs
import functools
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from zhengling.batch.documents import Item, of_record
from zhengling.batch.job import BatchSettings
from zhengling.batch.kinds.base import Digest, Kind
from zhengling.batch.ranges import Slice, Unit
from zhengling.errors import DataError
from zhengling.formats.sources import parse_json_line


@dataclass(frozen=True, slots=True)
class _Line:
    unit: Unit
    data: bytes
    too_long: bool


def scan(path: Path, digest: Digest, settings: BatchSettings) -> Iterator[Unit]:
    """The lines that are not blank.

    Raises:
        DataError: the file can't be read or decompressed.
    """
    with _faults(path), _open(path) as stream:
        for line in _lines(stream, Unit(), limit=settings.line_bytes, digest=digest):
            yield line.unit


class JsonlCursor:
    """An open file of lines."""

    def __init__(self, path: Path, name: str, settings: BatchSettings) -> None:
        self._path, self._name, self._settings = path, name, settings
        with _faults(path):
            self._stream = _open(path)

    def items(self, part: Slice) -> Iterator[Item]:
        """See ``Cursor``; a compressed file is read forwards as long as slices come in order."""
        with _faults(self._path):
            self._stream.seek(part.first.offset)
            lines = _lines(self._stream, part.first, limit=self._settings.line_bytes)
            for line in islice(lines, part.count):
                yield self._item(line)

    def close(self) -> None:
        """See ``Cursor``."""
        self._stream.close()

    def _item(self, line: _Line) -> Item:
        row = line.unit.row
        values = functools.partial(self._values, line)
        read = functools.partial(of_record, values, file=self._name, row=row, settings=self._settings)
        return Item(self._name, row, read)

    def _values(self, line: _Line) -> dict[str, Any]:
        if line.too_long:
            raise DataError(f"a line of more than {self._settings.line_bytes} bytes")
        value = parse_json_line(line.data, path=self._path, number=line.unit.row)
        if not isinstance(value, dict):
            raise DataError(f"expected a JSON object, got {type(value).__name__}")
        return value


def _open(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")


def _lines(stream: IO[bytes], first: Unit, *, limit: int, digest: Digest | None = None) -> Iterator[_Line]:
    """Lines that are not blank; of one that is longer than the limit, only its beginning is kept."""
    number, offset = first.row, first.offset
    while data := stream.readline(limit):
        unit, kept, length = Unit(number, offset), data, len(data)
        if digest:
            digest(data)
        while not data.endswith(b"\n") and (data := stream.readline(limit)):
            length += len(data)
            if digest:
                digest(data)
        number, offset = number + 1, offset + length
        kept = kept.removeprefix(codecs.BOM_UTF8) if unit.offset == 0 else kept
        if kept.strip() or length > limit:
            yield _Line(unit, kept, too_long=length > limit)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"damaged, it can't be decompressed: {error}", path=path) from error
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror or error}", path=path) from error


KIND = Kind("jsonl", (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"), scan, JsonlCursor)
