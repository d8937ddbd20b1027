"""Finding the files of an input, one by one and in an order that doesn't change."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zhengling.batch.kinds import NAMES, Kind, kind_of
from zhengling.errors import DataError, ZhenglingError


@dataclass(frozen=True, slots=True)
class Input:
    """Where documents come from.

    Attributes:
        path: as it was named.
        root: folder that names of files are relative to.
        kind: what its files are.
    """

    path: Path
    root: Path
    kind: Kind

    def files(self, left_out: Counter[str] | None = None) -> Iterator[str]:
        """Names of the files, sorted within each folder; the suffixes of others are counted."""
        if self.path.is_file():
            yield self.path.name
            return
        for name in _walk(self.path):
            if name.lower().endswith(self.kind.suffixes):
                yield name
            elif left_out is not None:
                left_out[Path(name).suffix or Path(name).name] += 1


def find_input(path: Path, *, kind: str | None = None) -> Input:
    """Find out what an input is.

    Args:
        path: a file or a folder.
        kind: a name of ``kinds.NAMES``; by the suffixes of the files if left out.

    Raises:
        DataError: nothing is there.
        ZhenglingError: there is nothing to read, or files of several kinds.
    """
    if not path.exists():
        raise DataError("no such file or folder", path=path)
    if kind is not None and kind not in NAMES:
        raise ZhenglingError(f"unknown kind of input {kind!r}, there are {', '.join(NAMES)}")
    root = path if path.is_dir() else path.parent
    kinds = [kind_of(name) for name in ([kind] if kind else NAMES)]
    if path.is_dir():
        kinds = _present(path, kinds)
    elif kind is None:
        kinds = [one for one in kinds if path.name.lower().endswith(one.suffixes)]
    if not kinds:
        known = ", ".join(suffix for name in NAMES for suffix in kind_of(name).suffixes)
        raise DataError(f"nothing to read here; files with these suffixes are: {known}", path=path)
    return Input(path, root, kinds[0])


def _present(folder: Path, kinds: list[Kind]) -> list[Kind]:
    """The kind whose files are in a folder."""
    counts: Counter[str] = Counter()
    for name in _walk(folder):
        counts.update(kind.name for kind in kinds if name.lower().endswith(kind.suffixes))
    if len(counts) > 1:
        found = ", ".join(f"{counts[kind.name]} of {kind.name}" for kind in kinds if kind.name in counts)
        raise ZhenglingError(f"{folder}: files of several kinds ({found}); name one: --from {min(counts)}")
    return [kind for kind in kinds if kind.name in counts]


def _walk(folder: Path) -> Iterator[str]:
    """Names of all regular files under a folder, with ``/`` between their parts."""
    for parent, folders, files in os.walk(folder, onerror=_unreadable):
        folders.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if path.is_file():
                yield path.relative_to(folder).as_posix()


def _unreadable(error: OSError) -> None:
    raise DataError(f"can't be read: {error.strerror}", path=error.filename) from error
