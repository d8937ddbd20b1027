"""Bulletins read leniently: faults become notes, what remains is sound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from zhengling.checking.findings import Finding, Item, Note
from zhengling.errors import DataError
from zhengling.formats import format_by_name, format_by_path
from zhengling.formats.base import Context, FormatOptions, Record, trim
from zhengling.formats.checking import check_read
from zhengling.schema import Bulletin, LabelScheme

_RANGE = re.compile(r"\[(\d+), (\d+)\)")


@dataclass(slots=True)
class Reader:
    """Reads inputs one after the other and keeps what was wrong with them.

    Attributes:
        scheme: labels to check against.
        format: name of the format; by default the files' suffixes say it.
        options: what can't be read off the files.
        notes: faults of bulletins.
        findings: faults of files of which no bulletin came.
    """

    scheme: LabelScheme
    format: str | None = None
    options: FormatOptions = field(default_factory=FormatOptions)
    notes: list[Note] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _current: Item | None = None

    def read(self, path: Path, *, source: int) -> Iterator[Item]:
        """Sound bulletins of a file or folder.

        Args:
            path: the file or folder.
            source: its place among the inputs.

        Raises:
            DataError: no such file or folder, or its format is unknown.
        """
        if not path.exists():
            raise DataError("no such file or folder", path=path)
        chosen = format_by_name(self.format) if self.format else format_by_path(path)
        if path.is_dir() and not chosen.folder:
            raise DataError(f"is a folder; the format {chosen.name} is read from a file", path=path)
        context = Context(self._fault, scheme=self.scheme, options=self.options)
        try:
            for bulletin in check_read(self._watched(chosen.read(path, context), source=source), context):
                if self._current is not None:
                    yield replace(self._current, bulletin=bulletin)
        except DataError as error:
            self._current = None
            self._fault(error)

    def _watched(self, records: Iterable[Record], *, source: int) -> Iterator[Record]:
        """The records as they pass, with their spans trimmed."""
        for record in records:
            self._current = Item(record.bulletin, record.path, record.line, source)
            self.notes += _loose_spans(self._current)
            yield replace(record, bulletin=_trimmed(record.bulletin))
            self._current = None

    def _fault(self, error: DataError) -> None:
        """Keep a fault; what a bulletin's fault says of a range is its place."""
        if self._current is None:
            self.findings.append(
                Finding("error", "format", error.message, file=error.path or "", line=error.line)
            )
            return
        length = len(self._current.bulletin.text)
        span = _RANGE.search(error.message)
        start, end = (int(span[1]), int(span[2])) if span else (0, 0)
        if not 0 <= start <= end <= length:
            start, end = min(start, length), length
        self.notes.append(Note("format", self._current, start, end, {"fault": error.message}))


def _loose_spans(item: Item) -> Iterator[Note]:
    """Spans with white space at a border."""
    text = item.bulletin.text
    for entity in item.bulletin.entities:
        if not 0 <= entity.start < entity.end <= len(text):
            continue
        tight = trim(text, entity.start, entity.end)
        if tight is not None and tight != (entity.start, entity.end):
            facts: dict[str, object] = {"label": entity.label}
            suggestion = text[slice(*tight)]
            yield Note("white-space", item, entity.start, entity.end, facts, suggestion)


def _trimmed(bulletin: Bulletin) -> Bulletin:
    length = len(bulletin.text)
    entities = []
    for entity in bulletin.entities:
        inside = 0 <= entity.start < entity.end <= length
        tight = trim(bulletin.text, entity.start, entity.end) if inside else None
        entities.append(replace(entity, start=tight[0], end=tight[1]) if tight else entity)
    return replace(bulletin, entities=tuple(sorted(entities, key=lambda e: (e.start, e.end))))
