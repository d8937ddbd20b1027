"""Files that are documents, and archives of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zhengling.batch.documents import Found, Item, Quarantined, check_length
from zhengling.batch.job import BatchSettings
from zhengling.batch.kinds.base import Digest, Kind, read_through
from zhengling.batch.ranges import Slice, Unit
from zhengling.errors import DataError
from zhengling.formats.documents import SUFFIXES, Document
from zhengling.inputs import Source, printable, read_documents


def scan(path: Path, digest: Digest, settings: BatchSettings) -> Iterator[Unit]:
    """The file; whether it can be read shows when it is its turn."""
    try:
        read_through(path, digest)
    except OSError as error:
        digest(f"can't be read: {error.strerror}".encode())
    yield Unit()


class DocumentCursor:
    """A file with one document, or an archive."""

    def __init__(self, path: Path, name: str, settings: BatchSettings) -> None:
        self._path, self._name, self._settings = path, printable(name), settings

    def items(self, part: Slice) -> Iterator[Item]:
        """See ``Cursor``."""
        yield Item(self._name, None, self._read)

    def close(self) -> None:
        """See ``Cursor``; the file is open only while it is read."""

    def _read(self) -> Iterator[Found | Quarantined]:
        for document in read_documents(str(self._path)):
            yield self._found(document)

    def _found(self, document: Document | DataError) -> Found | Quarantined:
        place = document.path if isinstance(document, DataError) else document.place
        name = self._name + printable(str(place).removeprefix(str(self._path)))
        if isinstance(document, DataError):
            return Quarantined(name, None, None, document.message)
        try:
            check_length(document.text, self._settings)
        except DataError as error:
            return Quarantined(name, None, name, error.message)
        return Found(name, None, Source(id=name, place=name, text=document.text, meta=document.meta))


KIND = Kind("documents", SUFFIXES, scan, DocumentCursor)
