"""What the readers of documents share: the result, the limits, and how faults of parsers are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from zhengling.errors import DataError


@dataclass(frozen=True, slots=True)
class Document:
    """A text taken out of a file; offsets count its code points from here on.

    Attributes:
        text: the text.
        meta: ``title``, ``date`` (ISO form) and ``source``, each where the file says it.
        place: where it came from, for messages; for a file in an archive both names.
    """

    text: str
    meta: Mapping[str, str] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How much is read; what lies beyond is a fault that names the limit.

    Attributes:
        file_bytes: size of a file.
        archive_files: files in an archive, those of archives inside it included.
        archive_bytes: unpacked size of an archive, likewise.
        archive_ratio: unpacked size over packed size of a file in an archive.
        archive_depth: archives inside archives; 0 for none.
    """

    file_bytes: int = 200_000_000
    archive_files: int = 10_000
    archive_bytes: int = 1_000_000_000
    archive_ratio: int = 200
    archive_depth: int = 1


def library(module: str, *, package: str) -> Any:
    """Import a library of the extra ``documents``.

    Raises:
        DataError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise DataError(f"reading it needs {package}: pip install 'zhengling[documents]'") from error


@contextmanager
def parsing(kind: str) -> Iterator[None]:
    """Turn whatever a parser raises over a damaged file into one fault.

    Parsers of foreign files raise exceptions of all sorts, so all are caught; none is dropped.

    Raises:
        DataError: the file is damaged.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"damaged, not a {kind} file that can be read: {reason[:200]}") from error


def facts(**values: str | None) -> dict[str, str]:
    """Metadata without what is missing, each value on one line."""
    lines = {key: " ".join(value.split()) for key, value in values.items() if value}
    return {key: value for key, value in lines.items() if value}
