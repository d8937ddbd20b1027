"""Reading the documents of a part, with every step on the trail before it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from zhengling.batch.documents import Found, Item, Quarantined
from zhengling.batch.job import Job
from zhengling.batch.kinds import Cursor, kind_of
from zhengling.batch.plan import check_unchanged
from zhengling.batch.ranges import Part, Slice
from zhengling.batch.trail import Trail


@dataclass(slots=True)
class Reader:
    """Reads parts; the last file stays open, as some can only be read forwards.

    Attributes:
        job: the run.
    """

    job: Job
    _name: str = ""
    _cursor: Cursor | None = field(default=None, repr=False)

    def read(self, part: Part, trail: Trail) -> Iterator[Found | Quarantined]:
        """All documents of a part, and what is in place of those that can't be read.

        Raises:
            DataError: a file isn't as it was planned.
            ZhenglingError: too many workers died over a file.
        """
        for number, item in enumerate(self._items(part, trail)):
            yield from _documents(item, number, trail)
        trail.must("end", what=f"part {part.number} was finished")

    def close(self) -> None:
        """Close the file."""
        if self._cursor is not None:
            self._cursor.close()
        self._cursor, self._name = None, ""

    def _items(self, part: Part, trail: Trail) -> Iterator[Item]:
        for number, planned in enumerate(part.slices):
            path = self.job.root / planned.file
            check_unchanged(path, planned)
            trail.must(f"fetch {number}", what=f"{path} was read")
            read = 0
            for read, item in enumerate(self._slice(path, planned), 1):  # noqa: B007 - counted
                yield item
            check_unchanged(path, planned, count=read)

    def _slice(self, path: Path, planned: Slice) -> Iterator[Item]:
        if self._cursor is None or self._name != planned.file:
            self.close()
            self._cursor = kind_of(self.job.kind).open(path, planned.file, self.job.settings)
            self._name = planned.file
        yield from self._cursor.items(planned)


def _documents(item: Item, number: int, trail: Trail) -> Iterator[Found | Quarantined]:
    """The documents of an item, up to one that kills whoever reads it."""
    documents = item.read()
    for member in count():
        step = f"read {number}.{member}"
        if trail.is_deadly(step):
            yield Quarantined(item.file, item.row, None, killed("reading it", trail.most))
            return
        trail.begin(step)
        document = next(documents, None)
        if document is None:
            return
        yield document


def killed(doing: str, times: int) -> str:
    """The reason of a document that workers die of."""
    return f"{doing} ended the worker process {times} times"
