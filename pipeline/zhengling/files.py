"""Files written whole or not at all, and JSON read with errors that name the file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zhengling.errors import ZhenglingError


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it over ``path`` when the block succeeds.

    What a link leads to is replaced, not the link. A device or a pipe is written to.

    Raises:
        OSError: the folder can't be written.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if path.exists() and not path.is_file():
        with _written_through(path) as temporary:
            yield temporary
        return
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _named(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with _named(path, instead_of=temporary):
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, line ends as given."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; it takes the place of ``path`` when the block succeeds.

    What a link leads to is replaced, not the link.

    Raises:
        OSError: the parent can't be written.
    """
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    with _named(path):
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
            path.replace(old / path.name)
            temporary.replace(path)
            shutil.rmtree(old)
        else:
            temporary.replace(path)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def check_folder(folder: Path, *, what: str) -> None:
    """See that a folder can be written at a path, before the work for it is done.

    Args:
        folder: the path.
        what: what needs the folder, for the message.

    Raises:
        ZhenglingError: the path or one above it is a file, or nothing can be written there.
    """
    if folder.exists() and not folder.is_dir():
        raise ZhenglingError(f"{folder}: is a file; {what} needs a folder")
    nearest = next(path for path in folder.resolve().parents if path.exists())
    if not nearest.is_dir():
        raise ZhenglingError(f"{folder}: can't be written: {nearest} is a file")
    try:
        with tempfile.TemporaryDirectory(prefix=".", dir=nearest):
            pass
    except OSError as error:
        raise ZhenglingError(f"{folder}: can't be written: {error.strerror or error}") from error


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        ZhenglingError: the file can't be read, or isn't JSON in UTF-8.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ZhenglingError(f"{path}: can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ZhenglingError(f"{path}: not JSON: {error}") from error


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read as a stream.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def suffix_among(path: Path, suffixes: Collection[str], *, what: str) -> str:
    """The suffix of a file to be written, in lower case.

    Args:
        path: the file.
        suffixes: those that can be written, with their dots.
        what: what is written, for the message.

    Raises:
        ZhenglingError: it has another one.
    """
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        raise ZhenglingError(f"{path}: {what} is one of {', '.join(suffixes)}")
    return suffix


@contextmanager
def _written_through(path: Path) -> Iterator[Path]:
    """Yield a temporary path; what is written there goes to ``path``, which can't be replaced, at the end."""
    with tempfile.TemporaryDirectory() as folder:
        temporary = Path(folder) / path.name
        temporary.touch()
        yield temporary
        with temporary.open("rb") as written, path.open("wb") as stream:
            shutil.copyfileobj(written, stream)


@contextmanager
def _named(path: Path, *, instead_of: Path | None = None) -> Iterator[None]:
    """Let an error name the file that was asked for, not the temporary one or, as of a full disk, none."""
    try:
        yield
    except OSError as error:
        foreign = error.filename is not None and str(error.filename) != str(instead_of)
        if error.errno is None or (instead_of is not None and foreign):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
