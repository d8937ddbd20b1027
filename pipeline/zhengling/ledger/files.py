"""Ledgers as Excel workbook, CSV or JSONL."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from zhengling.extras import need
from zhengling.files import atomic_file, suffix_among
from zhengling.ledger.cells import cell
from zhengling.ledger.entries import Entry
from zhengling.ledger.wording import COLUMNS, headings

Value = str | int | float | None
_SEPARATOR = "；"


def write_ledger(rows: Iterable[Entry], output: Path, *, language: str) -> int:
    """Write a ledger, whole or not at all; rows are consumed one by one.

    Args:
        rows: what is demanded.
        output: a file with one of ``SUFFIXES``.
        language: ``zh`` or ``en``, of the headings.

    Returns:
        How many rows were written.

    Raises:
        ZhenglingError: another suffix or language, or the library for workbooks is missing.
        OSError: the file can't be written.
    """
    suffix = check_ledger(output)
    counted = _Counter()
    with atomic_file(output) as temporary:
        _WRITERS[suffix](counted.count(rows), temporary, language, output.parent)
    return counted.total


def check_ledger(output: Path) -> str:
    """The suffix of a ledger that can be written.

    Raises:
        ZhenglingError: another suffix, or the library for workbooks is missing.
    """
    suffix = suffix_among(output, _WRITERS, what="a ledger")
    if suffix == ".xlsx":
        need("openpyxl", extra="ledger", what="a ledger in .xlsx")
    return suffix


class _Counter:
    """Counts what passes through."""

    def __init__(self) -> None:
        self.total = 0

    def count(self, rows: Iterable[Entry]) -> Iterator[Entry]:
        for row in rows:
            self.total += 1
            yield row


def values(number: int, row: Entry) -> dict[str, Value]:
    """A row's cells by column, lists joined."""
    fields = {name: getattr(row, name) for name in COLUMNS if name not in ("number", "confidence")}
    joined = {name: _SEPARATOR.join(v) if isinstance(v, tuple) else v for name, v in fields.items()}
    confidence = None if row.confidence is None else round(row.confidence, 3)
    return {"number": number, **joined, "confidence": confidence}


def _csv(rows: Iterable[Entry], path: Path, language: str, folder: Path) -> None:
    """Comma-separated values for Excel: UTF-8 with a byte order mark, CR LF."""
    heading = headings(language)
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(heading[name] for name in COLUMNS)
        for number, row in enumerate(rows, start=1):
            found = values(number, row)
            writer.writerow(_safe(found[name]) for name in COLUMNS)


def _safe(value: Value) -> Value:
    return cell(value) if isinstance(value, str) else value


def _jsonl(rows: Iterable[Entry], path: Path, language: str, folder: Path) -> None:
    """One JSON object a row, texts as they are."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        for row in rows:
            stream.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")


def _xlsx(rows: Iterable[Entry], path: Path, language: str, folder: Path) -> None:
    from zhengling.ledger.workbook import write_workbook  # noqa: PLC0415 - needs an extra

    write_workbook(rows, path, language=language, folder=folder)


_WRITERS: Mapping[str, Callable[[Iterable[Entry], Path, str, Path], None]] = {
    ".xlsx": _xlsx,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
SUFFIXES = tuple(_WRITERS)
