"""Documents as people keep them: one module a format, one registry."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from zhengling.errors import DataError
from zhengling.formats.documents import archive, docx, html, markdown, pdf, plain
from zhengling.formats.documents.base import Document, DocumentLimits

__all__ = ["READERS", "SUFFIXES", "Document", "DocumentLimits", "read_document"]

Reader = Callable[[bytes], Document]


def _readers(limits: DocumentLimits) -> Mapping[str, Reader]:
    return {
        ".txt": plain.read,
        ".md": markdown.read,
        ".html": html.read,
        ".htm": html.read,
        ".docx": functools.partial(docx.read, limits=limits),
        ".pdf": pdf.read,
    }


READERS = tuple(_readers(DocumentLimits()))
ARCHIVE = ".zip"
SUFFIXES = (*READERS, ARCHIVE)
# Documents that people would expect to be read; what to do with each.
UNREAD: Mapping[str, str] = {
    ".doc": "save it as .docx",
    ".wps": "save it as .docx",
    ".rtf": "save it as .docx",
    ".odt": "save it as .docx",
    ".ofd": "save it as .pdf",
}
_HTML = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!doctype\s+html|<html)\b", re.IGNORECASE)


def read_document(
    content: bytes, *, place: str, limits: DocumentLimits | None = None
) -> Iterator[Document | DataError]:
    """Take the text out of a file; out of each file in an archive.

    Args:
        content: the bytes of the file.
        place: its name. The suffix says the format, the first bytes do without one; a file with an unknown
            suffix is read if it is plain text.
        limits: how much is read.

    Yields:
        Documents in the order of an archive. A fault is yielded with its place, and the rest goes on.
    """
    chosen = limits or DocumentLimits()
    return _Reading(chosen, archive.Budget.of(chosen)).read(content, place=place, depth=0)


@dataclass(frozen=True, slots=True)
class _Reading:
    limits: DocumentLimits
    budget: archive.Budget

    def read(self, content: bytes, *, place: str, depth: int) -> Iterator[Document | DataError]:
        try:
            if _kind(content, place=place) == ARCHIVE:
                yield from self._members(content, place=place, depth=depth)
            else:
                yield replace(self._text(content, place=place, strict=depth > 0), place=place)
        except DataError as error:
            yield DataError(error.message, path=place)

    def _text(self, content: bytes, *, place: str, strict: bool) -> Document:
        if len(content) > self.limits.file_bytes:
            raise DataError(f"{len(content)} bytes, more than {self.limits.file_bytes} (limit file_bytes)")
        kind = _kind(content, place=place)
        reader = _readers(self.limits).get(kind)
        document = reader(content) if reader else _unknown(content, suffix=kind, strict=strict)
        if not document.text.strip():
            raise DataError("empty: there is no text to analyse")
        return document

    def _members(self, content: bytes, *, place: str, depth: int) -> Iterator[Document | DataError]:
        if depth > self.limits.archive_depth:
            raise DataError("an archive too deep inside others (limit archive_depth); unpack it first")
        count = 0
        for member in archive.read_members(content, limits=self.limits, budget=self.budget):
            count += 1
            if isinstance(member, archive.Member):
                yield from self.read(member.content, place=f"{place}/{member.name}", depth=depth + 1)
            else:
                name, error = member
                yield DataError(error.message, path=f"{place}/{name}")
        if not count:
            raise DataError("an archive with no files in it")


def _kind(content: bytes, *, place: str) -> str:
    """The suffix of a document, in lower case, or the one that it should have; empty if nothing says it."""
    suffix = PurePosixPath(place).suffix.lower()
    if suffix:
        return suffix
    if content.startswith(b"%PDF-"):
        return ".pdf"
    if content.startswith(b"PK\x03\x04"):
        return ".docx" if b"word/document.xml" in content else ARCHIVE
    return ".html" if _HTML.match(content) else ""


def _unknown(content: bytes, *, suffix: str, strict: bool) -> Document:
    """A file of no known format, read as plain text if somebody named it and it is that."""
    if suffix in UNREAD:
        raise DataError(f"unsupported type {suffix}; {UNREAD[suffix]}")
    message = f"unsupported type {suffix or 'without a suffix'}; supported are {', '.join(SUFFIXES)}"
    if strict:
        raise DataError(message)
    try:
        return plain.read(content)
    except DataError as error:
        raise DataError(f"{message} ({error.message})") from error
