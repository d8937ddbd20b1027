"""Word documents: paragraphs, tables, text boxes and content controls in the order of the file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from zhengling.formats.documents.archive import check_sizes
from zhengling.formats.documents.base import Document, DocumentLimits, facts, library, parsing

_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_PARAGRAPH, _TABLE, _ROW, _CELL, _TEXT = (f"{_WORD}{name}" for name in ("p", "tbl", "tr", "tc", "t"))
_BOX = f"{_WORD}txbxContent"
_SIGNS = {f"{_WORD}tab": "\t", f"{_WORD}br": "\n", f"{_WORD}cr": "\n", f"{_WORD}noBreakHyphen": "-"}
# What was deleted or moved away, and second forms of drawings for old programs.
_SKIPPED = (f"{_WORD}del", f"{_WORD}moveFrom", f"{_WORD}pPr", f"{_COMPATIBILITY}Fallback")


def read(content: bytes, *, limits: DocumentLimits) -> Document:
    """The body of a document; headers, footers, notes and comments are left out.

    External references are not followed, and entities of the XML are not resolved (python-docx).

    Raises:
        DataError: damaged, encrypted, or larger than the limits.
    """
    opened = library("docx", package="python-docx")
    check_sizes(content, kind="Word", limits=limits)
    with parsing("Word"):
        document = opened.Document(io.BytesIO(content))
        text = "\n".join(_blocks(document.element.body))
        about = document.core_properties
        date = about.created.date().isoformat() if about.created else None
        return Document(text, facts(title=about.title, date=date, source=about.author))


def _blocks(parent: Any) -> Iterator[str]:
    """A line for each paragraph and each row of a table, its cells parted by tabs."""
    for child in parent:
        if child.tag == _PARAGRAPH:
            yield from _paragraph(child)
        elif child.tag == _TABLE:
            yield from _rows(child)
        elif child.tag not in _SKIPPED:
            yield from _blocks(child)


def _rows(table: Any) -> Iterator[str]:
    for row in table.iter(_ROW):
        if next(row.iterancestors(_TABLE)) is table:
            cells = (cell for cell in row.iter(_CELL) if next(cell.iterancestors(_ROW)) is row)
            yield "\t".join("\n".join(_blocks(cell)) for cell in cells)


def _paragraph(paragraph: Any) -> Iterator[str]:
    """The paragraph, and after it those of text boxes that hang on it."""
    boxes = list[Any]()
    yield "".join(_pieces(paragraph, boxes))
    for box in boxes:
        yield from _blocks(box)


def _pieces(node: Any, boxes: list[Any]) -> Iterator[str]:
    for child in node:
        if child.tag == _TEXT:
            yield child.text or ""
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag == _BOX:
            boxes.append(child)
        elif child.tag not in _SKIPPED:
            yield from _pieces(child, boxes)
