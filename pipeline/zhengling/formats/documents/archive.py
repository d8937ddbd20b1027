"""Zip archives, in memory: nothing is unpacked to disk, and bombs are refused before they open."""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from zhengling.errors import DataError
from zhengling.formats.documents.base import DocumentLimits, parsing

_UTF8_NAME, _ENCRYPTED = 0x800, 0x1
_RATIO_COUNTS_FROM = 100_000  # bytes; a short file of one character packs to nothing and harms nobody
# What macOS adds to archives; no one's documents.
_LITTER = ("__MACOSX/", ".DS_Store")


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    name: str
    content: bytes


@dataclass(slots=True)
class Budget:
    """What may still be unpacked, shared by an archive and those inside it."""

    files: int
    size: int

    @classmethod
    def of(cls, limits: DocumentLimits) -> Budget:
        """The whole of it."""
        return cls(files=limits.archive_files, size=limits.archive_bytes)

    def take(self, entries: list[zipfile.ZipInfo]) -> None:
        """Account for the files of an archive by their stated sizes, which zipfile holds them to.

        Raises:
            DataError: too many files or too much in them.
        """
        self.files -= len(entries)
        self.size -= sum(entry.file_size for entry in entries)
        if self.files < 0:
            raise DataError("archive with too many files (limit archive_files); split it")
        if self.size < 0:
            raise DataError("archive that unpacks to too much (limit archive_bytes); split it")


def read_members(
    content: bytes, *, limits: DocumentLimits, budget: Budget
) -> Iterator[Member | tuple[str, DataError]]:
    """Files of an archive in its order; a fault of one comes with its name, and the rest goes on.

    Raises:
        DataError: no zip archive, or one beyond the limits.
    """
    with parsing("zip"), zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        budget.take(entries)
        for entry in entries:
            name = _name(entry)
            if name.startswith(_LITTER) or name.endswith(_LITTER[1:]):
                continue
            try:
                _check(entry, name, limits)
                with parsing("zip"):
                    member = Member(name, archive.read(entry))
            except DataError as error:
                yield name, error
            else:
                yield member


def check_sizes(content: bytes, *, kind: str, limits: DocumentLimits) -> None:
    """Refuse a file that is a zip archive inside and unpacks beyond the limits.

    Raises:
        DataError: it does, or is no zip archive.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(f"encrypted or of an old form of {kind}; save it as .docx without a password")
    with parsing(kind), zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        Budget.of(limits).take(entries)
        for entry in entries:
            _check_ratio(entry, limits)


def _check(entry: zipfile.ZipInfo, name: str, limits: DocumentLimits) -> None:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or PureWindowsPath(name).drive:
        raise DataError("unsafe name in an archive, it leads outside; not read")
    if entry.flag_bits & _ENCRYPTED:
        raise DataError("encrypted: it needs a password; pack it without one")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise DataError("a symbolic link in an archive; not followed")
    if entry.file_size > limits.file_bytes:
        raise DataError(f"{entry.file_size} bytes, more than {limits.file_bytes} (limit file_bytes)")
    _check_ratio(entry, limits)


def _check_ratio(entry: zipfile.ZipInfo, limits: DocumentLimits) -> None:
    unpacked = entry.file_size
    if unpacked > _RATIO_COUNTS_FROM and unpacked > limits.archive_ratio * max(entry.compress_size, 1):
        raise DataError(
            f"packed {unpacked // max(entry.compress_size, 1)} to 1, like a zip bomb"
            f" (limit archive_ratio: {limits.archive_ratio}); not read"
        )


def _name(entry: zipfile.ZipInfo) -> str:
    """The name, also where a Chinese Windows wrote it in GBK without saying so."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename
