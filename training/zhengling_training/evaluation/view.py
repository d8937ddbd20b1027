"""What a report shows: sections of notes, tables and pictures, ready for HTML and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from zhengling.report.svg import Picture

UNDEFINED = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        title: what it shows; may be empty.
        head: of its columns.
        rows: cells as text.
        words: how many columns on the left hold words; the others hold figures.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Attributes:
        key: its anchor.
        title: its heading.
        notes: what a reader should know.
        tables: its tables.
        pictures: its pictures, for HTML only.
    """

    key: str
    title: str
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()


Words = Mapping[str, str]


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, title: str = "", words: int = 1) -> Table:
    """A table of lists."""
    return Table(title, tuple(head), tuple(map(tuple, rows)), words)


def figure(value: float | None) -> str:
    """A share with three digits; a dash where it is undefined."""
    return UNDEFINED if value is None else f"{value:.3f}"


def number(value: float | None) -> str:
    """A number with separators; a dash where it is unknown."""
    return UNDEFINED if value is None else f"{value:,.0f}"
