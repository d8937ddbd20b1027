"""Finding bulletins on disk and reading them."""

from __future__ import annotations

import io
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from glob import escape, glob, has_magic
from pathlib import Path

from zhengling.errors import DataError
from zhengling.formats.documents import SUFFIXES, UNREAD, Document, DocumentLimits, read_document

STANDARD_INPUT = "-"
_ANY_FOLDERS = re.compile(r"(?:^|(?<=[/\\]))\*\*(?:[/\\]+|$)")


@dataclass(frozen=True, slots=True)
class Source:
    """A text with its name.

    Attributes:
        id: the file's stem, made unique among the inputs of a run.
        place: where it came from, for messages.
        text: the raw text.
        meta: title, date and source, each where the document says it.
    """

    id: str
    place: str
    text: str
    meta: Mapping[str, str] = field(default_factory=dict)


def find_files(paths: Iterable[str], *, left_out: Counter[str] | None = None) -> Iterator[str | DataError]:
    """Expand folders and globs, in order, each file once; what leads nowhere becomes an error.

    Args:
        paths: files, folders (searched through for ``SUFFIXES``, and ``UNREAD``, which become errors when
            they are read), globs, or ``-``.
        left_out: files of other kinds in the folders are counted here, by suffix.

    Yields:
        Names of files (or ``-``), and errors for paths that have none.
    """
    seen: set[str] = set()
    for path in paths:
        for found in _expand(path, Counter() if left_out is None else left_out):
            key = found if isinstance(found, DataError) else os.path.realpath(found)
            if isinstance(key, DataError) or key not in seen:
                yield found
            if isinstance(key, str):
                seen.add(key)


def _expand(path: str, left_out: Counter[str]) -> list[str] | list[DataError]:
    if path == STANDARD_INPUT or Path(path).is_file():
        return [path]
    if Path(path).is_dir():
        there = [file for file in Path(path).rglob("*") if file.is_file()]
        known = (*SUFFIXES, *UNREAD)
        files = sorted(str(file) for file in there if file.suffix.lower() in known)
        others = (file for file in there if file.suffix.lower() not in known)
        left_out.update(file.suffix or file.name for file in others if not file.name.startswith("."))
        return files or [DataError(f"no bulletins in this folder ({', '.join(SUFFIXES)})", path=path)]
    if has_magic(path):
        files = sorted(file for file in set(_fitting(path)) if Path(file).is_file())
        return files or [DataError("no file fits this pattern", path=path)]
    return [DataError("no such file or folder", path=path)]


def by_suffix(counts: Counter[str]) -> str:
    """Counts of files in words, the most frequent kinds first."""
    shown = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common(5))
    return shown + (" …" if len(counts) > 5 else "")


def _fitting(pattern: str) -> Iterator[str]:
    """What fits a pattern; ``**`` stands for any folders, but those that only a link leads to.

    ``glob`` would follow links, and never end where two of them lead back.
    """
    found = _ANY_FOLDERS.search(pattern)
    if found is None:
        yield from glob(pattern)  # noqa: PTH207 - Path.glob takes no absolute patterns
        return
    before, after = pattern[: found.start()], pattern[found.end() :] or "*"
    for base in glob(before) if before else ["."]:  # noqa: PTH207
        for folder, inner, _ in os.walk(base):
            inner[:] = [name for name in inner if not name.startswith(".")]
            inside = "" if folder == "." else escape(folder.removeprefix("./"))
            yield from _fitting(os.path.join(inside, after))  # noqa: PTH118


def read_sources(
    paths: Iterable[str], *, limits: DocumentLimits | None = None, left_out: Counter[str] | None = None
) -> Iterator[Source | DataError]:
    """Read all texts that the paths lead to, one file at a time; a fault is yielded and the rest goes on.

    Args:
        paths: see ``find_files``; an archive holds several texts.
        limits: how much is read of a file.
        left_out: see ``find_files``.
    """
    return name_sources(
        document
        for path in find_files(paths, left_out=left_out)
        for document in ([path] if isinstance(path, DataError) else read_documents(path, limits=limits))
    )


def name_sources(documents: Iterable[Document | DataError]) -> Iterator[Source | DataError]:
    """Give documents ids that are unique among them; faults go through."""
    taken: set[str] = set()
    for document in documents:
        if isinstance(document, DataError):
            yield document
            continue
        name = _unique(document.place, taken)
        taken.add(name)
        yield Source(id=name, place=document.place, text=document.text, meta=document.meta)


def read_documents(path: str, *, limits: DocumentLimits | None = None) -> Iterator[Document | DataError]:
    """The document in a file (or in standard input), or those in an archive; a fault is yielded."""
    try:
        limit = (limits or DocumentLimits()).file_bytes
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else _read_bytes(path, limit=limit)
    except DataError as error:
        yield error
        return
    yield from read_document(content, place=path, limits=limits)


def _read_bytes(path: str, *, limit: int) -> bytes:
    try:
        with io.FileIO(path) as stream:
            return read_whole(stream, limit=limit)
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", path=path) from error
    except DataError as error:
        raise DataError(error.message, path=path) from error


def read_whole(stream: io.FileIO, *, limit: int) -> bytes:
    """All of an open file, if it is one version of it.

    Raises:
        DataError: it is longer than the limit, or somebody wrote to it meanwhile.
    """
    before = os.fstat(stream.fileno())
    if before.st_size > limit:
        raise DataError(f"{before.st_size} bytes, more than {limit} (limit file_bytes)")
    content = stream.readall()
    after = os.fstat(stream.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DataError("was changed while it was read; try again when it is complete")
    return content


def _unique(path: str, taken: set[str]) -> str:
    """The file's stem, or with its folders, or with a number, whichever is free first."""
    stem = "stdin" if path == STANDARD_INPUT else printable(Path(path).stem)
    if stem not in taken:
        return stem
    qualified = printable(Path(path).with_suffix("").as_posix())
    number = 2
    while qualified in taken:
        qualified, number = f"{stem}-{number}", number + 1
    return qualified


def printable(name: str) -> str:
    """A file's name as text, whatever bytes the file system keeps for it."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
