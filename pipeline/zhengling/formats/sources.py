"""Text and JSON from files, strictly: UTF-8, no NaN, no doubled keys, and every fault with its place."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from zhengling.errors import DataError

_UNSAFE = frozenset('/\\:*?"<>|%')
_LONGEST_NAME = 180


def read_text(path: Path, *, keep_bom: bool = False) -> str:
    """The text of a UTF-8 file, line ends as they are.

    Args:
        path: the file.
        keep_bom: leave a byte order mark in the text, for texts into which offsets point.

    Raises:
        DataError: the file can't be read or isn't UTF-8.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if not keep_bom:
        raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _not_utf8(error, path=path, line=line, within="file") from error


def unreadable(path: Path, error: OSError) -> DataError:
    """The fault of a file that the system doesn't give out."""
    return DataError(f"can't be read: {error.strerror or error}", path=path)


def json_lines(path: Path, *, fault: Callable[[DataError], None]) -> Iterator[tuple[int, Any]]:
    """Line numbers, from 1, and values of a JSONL file; blank lines are skipped.

    A file whose name ends in ``.gz`` is decompressed.

    Raises:
        DataError: the file can't be read. A broken line goes to ``fault``.
    """
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    try:
        with opened(path, "rb") as stream:
            for number, raw in enumerate(stream, 1):
                data = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
                if not data.strip():
                    continue
                try:
                    value = parse_json_line(data, path=path, number=number)
                except DataError as error:
                    fault(error)
                    continue
                yield number, value
    except OSError as error:
        raise unreadable(path, error) from error
    except (EOFError, zlib.error) as error:
        raise DataError(f"damaged, it can't be decompressed: {error}", path=path) from error


def parse_json(source: str) -> Any:
    """A JSON value, strictly.

    Raises:
        DataError: broken JSON, NaN or infinity, a key given twice, half a surrogate pair.
    """
    try:
        value = json.loads(source, parse_constant=_no_constant, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        raise DataError(f"broken JSON: {error.msg} at column {error.colno}", line=error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"JSON that can't be read: {error}") from error
    if "\\u" in source:
        _refuse_surrogates(value)
    return value


def dump_json(value: Any) -> str:
    """A JSON value on one line, characters as they are."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def typed(data: Any, key: str, kind: type | tuple[type, ...]) -> Any:
    """The value of a key of a JSON object, checked; a bool is no int.

    Raises:
        DataError: no object, no such key, another type.
    """
    if not isinstance(data, dict):
        raise DataError(f"expected a JSON object, got {type(data).__name__}")
    if key not in data:
        raise DataError(f"missing key {key!r}")
    value = data[key]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(f"key {key!r}: wrong type {type(value).__name__}")
    return value


def foreign_meta(data: dict[str, Any], *, known: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Facts about a bulletin among the keys of a foreign JSON object.

    Args:
        data: the object.
        known: keys with another meaning.

    Returns:
        Strings and numbers by key, as strings; and the keys of values that no bulletin can carry.
        Null and empty values are neither.
    """
    rest = {
        key: value for key, value in data.items() if key not in set(known) and value not in (None, [], {})
    }
    meta = {key: str(value) for key, value in rest.items() if isinstance(value, str | int | float)}
    return meta, [key for key in rest if key not in meta]


def file_name(identifier: str) -> str:
    """A file name, without suffix, that differs for every id and is lawful everywhere.

    Characters that are not become ``%XX``; long names are cut and end in a digest.
    """
    safe = "".join(character if _is_safe(character) else _percent(character) for character in identifier)
    if not safe or safe[0] in ".-":
        safe = _percent(safe[:1]) + safe[1:]
    if len(safe.encode()) <= _LONGEST_NAME:
        return safe
    digest = hashlib.sha256(identifier.encode()).hexdigest()[:16]
    return safe.encode()[: _LONGEST_NAME - 20].decode(errors="ignore") + "%%" + digest


def _is_safe(character: str) -> bool:
    return character.isprintable() and character not in _UNSAFE and not character.isspace()


def _percent(characters: str) -> str:
    return "".join(f"%{byte:02X}" for byte in characters.encode()) or "%"


def parse_json_line(raw: bytes, *, path: Path, number: int) -> Any:
    """The value of a line of JSONL, strictly.

    Raises:
        DataError: not UTF-8, or as of ``parse_json``; with the line's place.
    """
    try:
        return parse_json(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _not_utf8(error, path=path, line=number, within="line") from error
    except DataError as error:
        raise DataError(error.message, path=path, line=number) from error


def _not_utf8(error: UnicodeDecodeError, *, path: Path, line: int, within: str) -> DataError:
    place = f"byte 0x{error.object[error.start]:02x} at offset {error.start} of the {within}"
    return DataError(f"not UTF-8: {place}; convert the file to UTF-8", path=path, line=line)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        doubled = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {doubled!r} is given twice")
    return data


def _refuse_surrogates(value: Any) -> None:
    try:
        dump_json(value).encode("utf-8")
    except UnicodeEncodeError as error:
        unit = ord(error.object[error.start])
        raise DataError(f"\\u{unit:04x} is half a surrogate pair, not a character") from error
