"""Documents as people keep them: one module a format, one registry."""

from __future__ import annotations

import functools
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


def read_document(
    content: bytes, *, place: str, limits: DocumentLimits | None = None
) -> Iterator[Document | DataError]:
    """Take the text out of a file; out of each file in an archive.

    Args:
        content: the bytes of the file.
        place: its name. The suffix says the format; a file with an unknown one is read if it is plain text.
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
            if _suffix(place) == ARCHIVE:
                yield from self._members(content, place=place, depth=depth)
            else:
                yield replace(self._text(content, place=place, strict=depth > 0), place=place)
        except DataError as error:
            yield DataError(error.message, path=place)

    def _text(self, content: bytes, *, place: str, strict: bool) -> Document:
        if len(content) > self.limits.file_bytes:
            raise DataError(f"{len(content)} bytes, more than {self.limits.file_bytes} (limit file_bytes)")
        reader = _readers(self.limits).get(_suffix(place))
        document = reader(content) if reader else _unknown(content, suffix=_suffix(place), strict=strict)
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


def _suffix(place: str) -> str:
    return PurePosixPath(place).suffix.lower()


def _unknown(content: bytes, *, suffix: str, strict: bool) -> Document:
    """A file of no known format, read as plain text if somebody named it and it is that."""
    message = f"unsupported type {suffix or 'without a suffix'}; supported are {', '.join(SUFFIXES)}"
    if strict:
        raise DataError(message)
    try:
        return plain.read(content)
    except DataError as error:
        raise DataError(f"{message} ({error.message})") from error
