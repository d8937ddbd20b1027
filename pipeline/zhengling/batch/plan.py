"""The plan of a run: the parts of its input, and what the input is known by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zhengling.batch.finding import Input
from zhengling.batch.job import BatchSettings
from zhengling.batch.ranges import Part, Slice
from zhengling.errors import DataError
from zhengling.files import atomic_file


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan on disk: it may be longer than memory.

    Attributes:
        path: a part a line.
        sha256: of names and contents of all files.
        files: how many.
        units: lines, rows or files in them.
        parts: how many.
        left_out: files of other kinds in the folder, by suffix.
    """

    path: Path
    sha256: str
    files: int
    units: int
    parts: int
    left_out: Counter[str]

    def read(self) -> Iterator[Part]:
        """The parts, one by one."""
        with self.path.open(encoding="utf-8") as stream:
            yield from map(Part.from_json, stream)


def write_plan(source: Input, path: Path, *, settings: BatchSettings) -> Plan:
    """Read the input once, as a stream, and plan its parts.

    Args:
        source: the input.
        path: where to write the plan, whole or not at all.
        settings: units in a part, names of columns.

    Raises:
        DataError: a file is damaged, or there is nothing in them.
    """
    survey = _Survey(source, settings, hashlib.sha256(), Counter())
    parts = 0
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for parts, slices in enumerate(_groups(survey.slices(), size=settings.part_documents), 1):
            stream.write(Part(parts - 1, slices).to_json() + "\n")
        if not parts:
            raise DataError("empty: there is no document in it", path=source.path)
    return Plan(path, survey.digest.hexdigest(), survey.files, survey.units, parts, survey.left_out)


def check_unchanged(path: Path, planned: Slice, *, count: int | None = None) -> None:
    """Check that a file is still the one that was planned.

    Args:
        path: the file.
        planned: a slice of it.
        count: units that were read of the slice, if it was read.

    Raises:
        DataError: it isn't.
    """
    try:
        stamp = _stamp(path)
    except OSError as error:
        raise _changed(path, f"{error.strerror}") from error
    if stamp != (planned.size, planned.changed):
        raise _changed(path, "size or time is another")
    if count not in (None, planned.count):
        raise _changed(path, f"{count} documents where {planned.count} were planned")


@dataclass(slots=True)
class _Survey:
    """One reading of the input, with what is counted on the way."""

    source: Input
    settings: BatchSettings
    digest: hashlib._Hash
    left_out: Counter[str]
    files: int = 0
    units: int = 0

    def slices(self) -> Iterator[Slice]:
        """A slice a unit."""
        for name in self.source.files(self.left_out):
            self.files += 1
            path, content = self.source.root / name, hashlib.sha256()
            size, changed = _stamp(path)
            for unit in self.source.kind.scan(path, content.update, self.settings):
                self.units += 1
                yield Slice(name, unit, 1, size, changed)
            self.digest.update(f"{name}\0{content.hexdigest()}\n".encode("utf-8", "surrogateescape"))
            if _stamp(path) != (size, changed):
                raise _changed(path, "size or time is another")


def _groups(slices: Iterator[Slice], *, size: int) -> Iterator[tuple[Slice, ...]]:
    """Slices of one unit each, grouped and joined."""
    group: list[Slice] = []
    count = 0
    for one in slices:
        if count == size:
            yield tuple(group)
            group, count = [], 0
        last = group[-1] if group else None
        if last is not None and last.file == one.file:
            group[-1] = Slice(last.file, last.first, last.count + 1, last.size, last.changed)
        else:
            group.append(one)
        count += 1
    if group:
        yield tuple(group)


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _changed(path: Path, how: str) -> DataError:
    return DataError(
        f"changed while it was read ({how}); finished parts are intact; "
        "put it back and run the same command again, or start anew with --overwrite",
        path=path,
    )
