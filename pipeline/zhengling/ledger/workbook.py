"""A ledger as an Excel workbook, written row by row."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.xml import LXML

from zhengling.errors import ZhenglingError
from zhengling.ledger.cells import cell
from zhengling.ledger.entries import Entry
from zhengling.ledger.files import Value, values
from zhengling.ledger.wording import COLUMNS, headings

# Excel's own limits: rows of a sheet, with one for the headings, and links of a sheet.
ROWS = 1_048_576 - 1
LINKS = 65_530
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def write_workbook(
    rows: Iterable[Entry], path: Path, *, language: str, folder: Path, rows_a_sheet: int = ROWS
) -> None:
    """Write rows to sheets with a frozen heading and a filter.

    Args:
        rows: what is demanded; past ``rows_a_sheet`` they go on on another sheet.
        path: the file.
        language: of the headings.
        folder: where the ledger will lie, for relative links to the sources.
        rows_a_sheet: at most so many, headings not counted.
    """
    book = Workbook(write_only=True)
    numbered = enumerate(rows, start=1)
    try:
        for number, part in enumerate(_parts(numbered, rows_a_sheet), start=1):
            _sheet(book, part, number=number, language=language, folder=folder)
        # Packed in memory: a file that can't be ended on a full disk complains when it is thrown away.
        packed = io.BytesIO()
        book.save(packed)
        path.write_bytes(packed.getbuffer())
    except BaseException as error:
        _abandon(book)
        if isinstance(error, _writing_errors()):
            raise ZhenglingError(f"{folder}: the workbook can't be written ({error}); disk full?") from error
        raise


def _writing_errors() -> tuple[type[Exception], ...]:
    """What lxml raises where a file can't be written; openpyxl writes with it where it is installed."""
    if not LXML:
        return ()
    from lxml import etree  # noqa: PLC0415 - only where openpyxl has it

    return (etree.LxmlError,)


def _abandon(book: Workbook) -> None:
    """End open sheets, which would complain when they are thrown away half written."""
    for sheet in book.worksheets:
        with suppress(Exception):
            sheet.close()


def _parts(rows: Iterator[tuple[int, Entry]], size: int) -> Iterator[Iterator[tuple[int, Entry]]]:
    """Rows in parts, each read to its end before the next; one part at least."""
    first = True
    while True:
        head = list(islice(rows, 1))
        if not head and not first:
            return
        first = False
        yield chain(head, islice(rows, size - 1))


def _sheet(
    book: Workbook, rows: Iterator[tuple[int, Entry]], *, number: int, language: str, folder: Path
) -> None:
    heading = headings(language)
    sheet = book.create_sheet(heading["sheet"] + (f" ({number})" if number > 1 else ""))
    sheet.freeze_panes = "A2"
    for place, width in enumerate(COLUMNS.values(), start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.append([_heading(sheet, heading[name]) for name in COLUMNS])
    count = 0
    for count, (place, row) in enumerate(rows, start=1):
        found = values(place, row)
        cells = [_cell(sheet, found[name]) for name in COLUMNS]
        if count <= LINKS and (target := _target(row, folder)):
            cells[list(COLUMNS).index("link")].hyperlink = target
        sheet.append(cells)
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{count + 1}"


def _heading(sheet: Any, text: str) -> Any:
    made = WriteOnlyCell(sheet, text)
    made.font = Font(bold=True)
    made.fill = PatternFill("solid", fgColor="EDE8DD")
    made.alignment = _WRAPPED
    return made


def _cell(sheet: Any, value: Value) -> Any:
    made = WriteOnlyCell(sheet, cell(value) if isinstance(value, str) else value)
    made.alignment = _WRAPPED
    return made


def _target(row: Entry, folder: Path) -> str:
    """A relative link from the ledger to the file of the item, empty if there is no file."""
    if not row.file or not Path(row.file).is_file():
        return ""
    return quote(Path(os.path.relpath(row.file, folder)).as_posix())
