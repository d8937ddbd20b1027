"""Rows of Parquet files."""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from zhengling.batch.documents import META, Item, of_record
from zhengling.batch.job import BatchSettings
from zhengling.batch.kinds.base import Digest, Kind, read_through
from zhengling.batch.ranges import Slice, Unit
from zhengling.errors import DataError

# Memory of reading: rows that are decoded together, bytes that are read together.
_ROWS, _BUFFER = 64, 1 << 20


def scan(path: Path, digest: Digest, settings: BatchSettings) -> Iterator[Unit]:
    """The rows.

    Raises:
        DataError: no Parquet file, or the column with the texts is not in it.
    """
    with _faults(path):
        read_through(path, digest)
        with pq.ParquetFile(path) as file:
            _columns(file.schema_arrow, path, settings)
            count = file.metadata.num_rows
    yield from (Unit(row) for row in range(1, count + 1))


class ParquetCursor:
    """An open file of rows; it is read forwards, as rows inside a row group can't be skipped."""

    def __init__(self, path: Path, name: str, settings: BatchSettings) -> None:
        self._path, self._name, self._settings = path, name, settings
        with _faults(path):
            self._file = pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
            self._names = _columns(self._file.schema_arrow, path, settings)
        metadata = self._file.metadata
        sizes = (metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
        self._starts = list(accumulate(sizes, initial=0))
        self._at = _Position(-1, 0, iter(()), [])
        # Of a damaged row group, the first row that can't be read, and why: no part reads it again.
        self._broken: dict[int, tuple[int, str]] = {}

    def items(self, part: Slice) -> Iterator[Item]:
        """See ``Cursor``; rows on damaged pages come as faults."""
        for number in range(part.first.row, part.first.row + part.count):
            try:
                values = functools.partial(_decoded, self._values(number - 1))
            except DataError as error:
                values = functools.partial(_raise, error)
            read = functools.partial(of_record, values, file=self._name, row=number, settings=self._settings)
            yield Item(self._name, number, read)

    def close(self) -> None:
        """See ``Cursor``."""
        self._file.close()

    def _values(self, row: int) -> dict[str, Any]:
        """A row, counted from 0.

        Raises:
            DataError: its page is damaged, or the file is shorter than it was.
        """
        group = bisect_right(self._starts, row) - 1
        first_broken, reason = self._broken.get(group, (row + 1, ""))
        if row >= first_broken:
            raise DataError(reason)
        if group != self._at.group or row < self._at.row:
            self._at = _Position(group, self._starts[group], self._batches(group), [])
        try:
            with _faults(self._path):
                return self._at.forward(row)
        except DataError as error:
            self._broken[group] = self._at.row, error.message
            self._at = _Position(-1, 0, iter(()), [])
            raise

    def _batches(self, group: int) -> Iterator[pa.RecordBatch]:
        yield from self._file.iter_batches(_ROWS, row_groups=[group], columns=self._names, use_threads=False)


@dataclass(slots=True)
class _Position:
    """Where reading is: in which row group, before which row, counted from 0, and what comes next."""

    group: int
    row: int
    batches: Iterator[pa.RecordBatch]
    rest: list[dict[str, Any]]

    def forward(self, row: int) -> dict[str, Any]:
        """Go on to a row and past it."""
        while True:
            if not self.rest:
                batch = next(self.batches, None)
                if batch is None:
                    raise DataError("fewer rows than it had")
                self.rest = _rows(batch)
            found = self.rest.pop()
            self.row += 1
            if self.row > row:
                return found


def _raise(error: DataError) -> dict[str, Any]:
    raise error


def _columns(schema: pa.Schema, path: Path, settings: BatchSettings) -> list[str]:
    """Names of the columns to read.

    Raises:
        DataError: those with text or id are not there.
    """
    if settings.text_column not in schema.names:
        raise DataError(
            f"no column {settings.text_column!r}, there are {', '.join(schema.names)}; "
            "name the column with the texts: --text-column",
            path=path,
        )
    if settings.id_column != BatchSettings().id_column and settings.id_column not in schema.names:
        raise DataError(
            f"no column {settings.id_column!r} (--id-column), there are {', '.join(schema.names)}", path=path
        )
    return [n for n in dict.fromkeys((settings.text_column, settings.id_column, *META)) if n in schema.names]


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows in reversed order; strings as bytes, as one that is no UTF-8 must not spoil the others."""
    columns = {name: _bytes(batch.column(name)).to_pylist() for name in batch.schema.names}
    rows = reversed(range(batch.num_rows))
    return [{name: values[row] for name, values in columns.items()} for row in rows]


def _bytes(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type):
        return column.cast(pa.binary())
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        return column.cast(pa.large_binary())
    return column


def _decoded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _text(value, name) for name, value in values.items()}


def _text(value: Any, name: str) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{name!r} is not UTF-8: byte {error.start}") from error


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise DataError(f"damaged, not a Parquet file that can be read: {reason[:200]}", path=path) from error
    except OSError as error:  # Arrow raises it for damaged pages too
        reason = error.strerror or " ".join(str(error).split())
        raise DataError(f"can't be read: {reason[:200]}", path=path) from error


KIND = Kind("parquet", (".parquet", ".pq"), scan, ParquetCursor)
