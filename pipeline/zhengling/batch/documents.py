"""Documents as kinds of input give them: each with the place that it is from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from zhengling.batch.job import BatchSettings
from zhengling.errors import DataError
from zhengling.inputs import Source

META = ("title", "date", "source")


@dataclass(frozen=True, slots=True)
class Found:
    """A document that could be read.

    Attributes:
        file: name of its file, from the folder of the input; for one in an archive both names.
        row: line or row in the file, from 1; None for a file that is one document.
        source: id, text and facts.
    """

    file: str
    row: int | None
    source: Source


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A document without a row in the results.

    Attributes:
        file: see ``Found``.
        row: see ``Found``.
        id: its id, if it could be read so far.
        reason: what was wrong.
    """

    file: str
    row: int | None
    id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """What the plan counts: a line, a row or a file.

    Attributes:
        file: see ``Found``.
        row: see ``Found``.
        read: gives its documents, one or, for an archive, several; a fault is given, not raised.
    """

    file: str
    row: int | None
    read: Callable[[], Iterator[Found | Quarantined]]


def of_record(
    values: Callable[[], Mapping[str, Any]], *, file: str, row: int, settings: BatchSettings
) -> Iterator[Found | Quarantined]:
    """The document of a JSON object or a row.

    Args:
        values: gives keys and values, or raises ``DataError``.
        file: see ``Found``.
        row: see ``Found``.
        settings: names of columns, longest text.
    """
    place, name = f"{file}:{row}", None
    try:
        record = values()
        name = _scalar(record, settings.id_column) or None
        text = _text(record, settings)
        meta = {key: value for key in META if (value := _scalar(record, key))}
        yield Found(file, row, Source(id=name or place, place=place, text=text, meta=meta))
    except DataError as error:
        yield Quarantined(file, row, name, error.message)


def check_length(text: str, settings: BatchSettings) -> None:
    """Check that a text is not too long.

    Raises:
        DataError: it is.
    """
    if len(text) > settings.text_characters:
        raise DataError(f"{len(text)} characters, more than {settings.text_characters} (--text-characters)")


def _text(record: Mapping[str, Any], settings: BatchSettings) -> str:
    text = record.get(settings.text_column)
    if text is None:
        raise DataError(f"no text: {settings.text_column!r} is missing")
    if not isinstance(text, str):
        raise DataError(f"no text: {settings.text_column!r} has the wrong type {type(text).__name__}")
    if not text.strip():
        raise DataError("empty: there is no text to analyse")
    check_length(text, settings)
    return text


def _scalar(record: Mapping[str, Any], key: str) -> str:
    """A fact as a string, empty if it is missing.

    Raises:
        DataError: it is a list or an object.
    """
    value = record.get(key)
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case str() | int() | float():
            return str(value)
    raise DataError(f"{key!r} has the wrong type {type(value).__name__}; a string is wanted")
