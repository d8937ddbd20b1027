"""What a format is, and what its reader and writer are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from zhengling.errors import DataError
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """What can't be read off the files.

    Attributes:
        tags: tag scheme in which CoNLL files are written; on reading it is recognised.
        utf16: whether the offsets of a doccano file count UTF-16 units rather than code points. ``None``
            refuses to read a file where it matters and writes code points.
    """

    tags: Literal["BIO", "BIOES"] = "BIOES"
    utf16: bool | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What readers and writers are told.

    Attributes:
        fault: takes a fault. It raises it, or reports it and returns: then what is faulty is left out.
        scheme: the labels, if known; tells sentence functions from entity labels in foreign files.
        options: see ``FormatOptions``.
    """

    fault: Callable[[DataError], None]
    scheme: LabelScheme | None = None
    options: FormatOptions = field(default_factory=FormatOptions)

    def is_function(self, label: str) -> bool:
        """Whether the scheme knows the label as a sentence function."""
        return self.scheme is not None and label in self.scheme.function_names


@dataclass(frozen=True, slots=True)
class Record:
    """A bulletin as read, not yet checked, with its place.

    Attributes:
        bulletin: the bulletin.
        path: the file that it is from.
        line: the line where it begins, if lines mean anything in that file.
        place: where else it is, such as ``task 3``; stands before messages about it.
    """

    bulletin: Bulletin
    path: Path
    line: int | None = None
    place: str = ""

    def error(self, message: str) -> DataError:
        """A fault of this bulletin, with its place."""
        named = f"bulletin {self.bulletin.id!r}: {message}"
        return DataError(f"{self.place}: {named}" if self.place else named, path=self.path, line=self.line)


@dataclass(frozen=True, slots=True)
class Format:
    """A way to keep bulletins in files.

    Attributes:
        name: name of the format.
        suffixes: endings of its files.
        description: what it is, in one line.
        read: yields unchecked bulletins from a file (or folder, see ``folder``).
        write: writes sound bulletins.
        folder: one file, or one pair of files, holds one bulletin, and a folder holds many.
    """

    name: str
    suffixes: tuple[str, ...]
    description: str
    read: Callable[[Path, Context], Iterator[Record]]
    write: Callable[[Iterable[Bulletin], Path, Context], None]
    folder: bool = False


def make_bulletin(
    identifier: str,
    text: str,
    *,
    entities: Iterable[Entity] = (),
    sentences: Iterable[Sentence] = (),
    meta: Mapping[str, str] | None = None,
) -> Bulletin:
    """A bulletin with its spans in order."""
    return Bulletin(
        id=identifier,
        text=text,
        entities=tuple(sorted(entities, key=_position)),
        sentences=tuple(sorted(sentences, key=_position)),
        meta=dict(meta or {}),
    )


def plain_sentences(text: str, ranges: Iterable[tuple[int, int]], *, context: Context) -> Iterator[Sentence]:
    """Sentences of a foreign file that knows no functions, without white space at their ends.

    Where the scheme asks for functions such sentences can't be sound, so there are none.

    Args:
        text: the text.
        ranges: start and end of each sentence.
        context: holds the scheme.
    """
    if context.scheme is not None and context.scheme.functions:
        return
    for start, end in ranges:
        if trimmed := trim(text, start, end):
            yield Sentence(*trimmed)


def trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The range without white space at its ends, None if nothing else is in it."""
    piece = text[start:end]
    solid = piece.strip()
    if not solid:
        return None
    start += len(piece) - len(piece.lstrip())
    return start, start + len(solid)


def _position(span: Entity | Sentence) -> tuple[int, int]:
    return span.start, span.end
