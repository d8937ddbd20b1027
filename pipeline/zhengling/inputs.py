"""Finding bulletins on disk and decoding them."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from zhengling.errors import DataError

STANDARD_INPUT = "-"
SUFFIXES = (".txt",)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PLAIN_CONTROLS = frozenset("\t\n\r\v\f\x1a\x1b\x85")


@dataclass(frozen=True, slots=True)
class Source:
    """A text with its name.

    Attributes:
        id: the file's stem, made unique among the inputs of a run.
        place: where it came from, for messages.
        text: the raw text.
    """

    id: str
    place: str
    text: str


def find_files(paths: Iterable[str]) -> Iterator[str | DataError]:
    """Expand folders and globs, in order, each file once; what leads nowhere becomes an error.

    Args:
        paths: files, folders (searched through for ``SUFFIXES``), globs, or ``-``.

    Yields:
        Names of files (or ``-``), and errors for paths that have none.
    """
    seen: set[str] = set()
    for path in paths:
        for found in _expand(path):
            key = found if isinstance(found, DataError) else os.path.realpath(found)
            if isinstance(key, DataError) or key not in seen:
                yield found
            if isinstance(key, str):
                seen.add(key)


def _expand(path: str) -> list[str] | list[DataError]:
    if path == STANDARD_INPUT or Path(path).is_file():
        return [path]
    if Path(path).is_dir():
        found = (file for file in Path(path).rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        files = sorted(map(str, found))
        return files or [DataError(f"no bulletins in this folder ({', '.join(SUFFIXES)})", path=path)]
    if has_magic(path):
        fitting = glob(path, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute patterns
        files = sorted(file for file in fitting if Path(file).is_file())
        return files or [DataError("no file fits this pattern", path=path)]
    return [DataError("no such file or folder", path=path)]


def read_sources(paths: Iterable[str]) -> Iterator[Source | DataError]:
    """Read all texts that the paths lead to, one at a time; a fault is yielded and the rest goes on."""
    taken: set[str] = set()
    for found in find_files(paths):
        if isinstance(found, DataError):
            yield found
            continue
        try:
            text = read_text(found)
        except DataError as error:
            yield error
            continue
        name = _unique(found, taken)
        taken.add(name)
        yield Source(id=name, place=found, text=text)


def read_text(path: str) -> str:
    """Read a text file (or standard input), its line ends unchanged.

    Raises:
        DataError: unreadable, empty, or no text in UTF-8 or GB18030.
    """
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", path=path) from error
    text = decode_text(content, path=path)
    if not text.strip():
        raise DataError("empty: there is no text to analyse", path=path)
    return text


def decode_text(content: bytes, *, path: str) -> str:
    """Decode bytes: a byte order mark decides, else UTF-8, else GB18030.

    Args:
        content: the bytes; a byte order mark is no part of the text.
        path: for the message.

    Raises:
        DataError: it is binary or in another encoding.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decode(content[len(mark) :] if encoding == "utf-8" else content, encoding, path=path)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_cut_off(content, error):
            raise DataError(
                "UTF-8 that ends in the middle of a character; is the file whole?", path=path
            ) from error
        text = _decode(content, "gb18030", path=path, first=error)
    strange = next((c for c in text if c < " " and c not in _PLAIN_CONTROLS), None)
    if strange is not None:
        offset = text.index(strange)
        raise DataError(f"binary: control character U+{ord(strange):04X} at offset {offset}", path=path)
    return text


def _is_cut_off(content: bytes, error: UnicodeDecodeError) -> bool:
    """Whether all is UTF-8, and not just ASCII, up to a last character of which bytes are missing."""
    return error.reason == "unexpected end of data" and not content[: error.start].isascii()


def _decode(content: bytes, encoding: str, *, path: str, first: UnicodeDecodeError | None = None) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        shown = first or error
        raise DataError(
            f"not text in UTF-8 or GB18030 (byte {shown.start}); convert it to UTF-8", path=path
        ) from error


def _unique(path: str, taken: set[str]) -> str:
    """The file's stem, or with its folders, or with a number, whichever is free first."""
    stem = "stdin" if path == STANDARD_INPUT else _printable(Path(path).stem)
    if stem not in taken:
        return stem
    qualified = _printable(Path(path).with_suffix("").as_posix())
    number = 2
    while qualified in taken:
        qualified, number = f"{stem}-{number}", number + 1
    return qualified


def _printable(name: str) -> str:
    """A file's name as text, whatever bytes the file system keeps for it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
