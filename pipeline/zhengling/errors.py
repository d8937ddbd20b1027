"""The one exception that users see: a message that says what, where and what to do."""

from __future__ import annotations

from pathlib import Path


class ZhenglingError(Exception):
    """A fault of input, configuration or model files; the command line prints it as one line."""


class DataError(ZhenglingError):
    """A fault in a data file, with its place.

    Args:
        message: what was wrong and what to do.
        path: the file, if there is one.
        line: line number in the file, from 1, if known.
    """

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None) -> None:
        self.message = message
        self.path = None if path is None else str(path)
        self.line = line
        place = ":".join(str(part) for part in (self.path, line) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)
