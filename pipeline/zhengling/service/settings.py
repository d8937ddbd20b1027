"""Limits of the service, as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zhengling.errors import DataError, ZhenglingError
from zhengling.files import read_json
from zhengling.formats.documents import DocumentLimits


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What the service takes and how long it works on it.

    Attributes:
        body_bytes: size of a request's body; larger ones are answered with 413.
        text_characters: length of a text, 413.
        batch_texts: texts in a request, those of archives included, 413.
        workers: threads that analyse; they share one model.
        queue: requests that wait for a worker; further ones are answered with 429.
        retry_seconds: after which a refused client is told to come back.
        timeout_seconds: for a request to arrive, else 408; then for its answer, waiting included, else 504.
        shutdown_seconds: for requests under way when the service is stopped.
        documents: limits of uploaded documents and archives.
    """

    body_bytes: int = 20_000_000
    text_characters: int = 200_000
    batch_texts: int = 200
    workers: int = 1
    queue: int = 16
    retry_seconds: int = 2
    timeout_seconds: float = 120.0
    shutdown_seconds: int = 150
    documents: DocumentLimits = field(default_factory=lambda: DocumentLimits(archive_bytes=200_000_000))

    @classmethod
    def from_file(cls, path: Path) -> ServiceSettings:
        """Read settings from a JSON object; what is left out has its default.

        Raises:
            ZhenglingError: no such file, no JSON, an unknown key, a value that is no positive number.
        """
        try:
            values = _checked(read_json(path), cls)
            given = _checked(values.pop("documents", {}), DocumentLimits)
            documents = dataclasses.replace(cls().documents, **given)
            return cls(**values, documents=documents)
        except DataError as error:
            raise ZhenglingError(f"{path}: {error.message}") from error


def _checked(data: Any, kind: type[Any]) -> dict[str, Any]:
    """The values of an object for a dataclass of numbers.

    Raises:
        DataError: an unknown key or no number of the right kind.
    """
    if not isinstance(data, dict):
        raise DataError(f"expected a JSON object, got {type(data).__name__}")
    names = [entry.name for entry in dataclasses.fields(kind)]
    for key, value in data.items():
        if key not in names:
            raise DataError(f"unknown key {key!r}, there are {', '.join(names)}")
        fits = isinstance(value, int | float if key in _FRACTIONS else int) and not isinstance(value, bool)
        if key != "documents" and not (fits and value >= _LEAST.get(key, 1)):
            raise DataError(f"key {key!r}: expected a number, {_LEAST.get(key, 1)} or more, got {value!r}")
    return dict(data)


_FRACTIONS = ("timeout_seconds",)
_LEAST = {"queue": 0, "archive_depth": 0, "timeout_seconds": 0.001}
