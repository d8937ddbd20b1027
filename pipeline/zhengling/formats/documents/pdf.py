"""PDF: the text layer, lines joined to paragraphs across lines and pages, page numbers dropped."""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any

from zhengling.errors import DataError
from zhengling.formats.documents.base import Document, facts, library, parsing
from zhengling.formats.documents.glyphs import set_right

# What it says of small faults of a file that it reads nevertheless is for programmers who ask for it.
logging.getLogger("pypdf").addHandler(logging.NullHandler())

_BARE_NUMBER = re.compile(r"\d{1,4}")
_DRESSED_NUMBER = re.compile(
    r"[-‐-―－─·]\s*\d{1,4}\s*[-‐-―－─·]|第\s*\d{1,4}\s*页(\s*[,，/]?\s*共\s*\d{1,4}\s*页)?|\d{1,4}\s*/\s*\d{1,4}"
)
_SENTENCE_END = tuple("。！？!?…；;：:”』」")
# Beginnings that open a paragraph even after a full line.
_OPENING = re.compile(
    r"\s|[一二三四五六七八九十]+[、.]|[(（][一二三四五六七八九十\d]+[)）]"
    r"|第[一二三四五六七八九十百]+[章节条]"
)
_FULL_LINE = 0.9
_RUNNING_PAGES, _RUNNING_LINES = 3, 2
# What programs write into the title when nobody gave one.
_PROGRAM_TITLE = re.compile(r"Microsoft Word - |.*\.docx?$|untitled$|无标题", re.IGNORECASE)


def read(content: bytes) -> Document:
    """The text of a PDF with its title, date of creation and author.

    Raises:
        DataError: damaged, encrypted with a password, or without text (a scan).
    """
    pypdf = library("pypdf", package="pypdf")
    with parsing("PDF"):
        reader = pypdf.PdfReader(io.BytesIO(content))
        _unlock(reader, pypdf)
        pages = [set_right(page.extract_text()).splitlines() for page in reader.pages]
        about = _about(reader)
    if not any(line.strip() for page in pages for line in page):
        raise DataError("no text in it, only pictures; scans must go through OCR first")
    return Document(join_pages(pages), about)


def _unlock(reader: Any, pypdf: Any) -> None:
    """Open a file that is locked with no password, as restricted ones often are."""
    if not reader.is_encrypted:
        return
    try:
        opened = reader.decrypt("")
    except pypdf.errors.DependencyError as error:
        raise DataError("encrypted: reading it needs pip install 'zhengling[documents]'") from error
    if not opened:
        raise DataError("encrypted: it needs a password; save it without one")


def _about(reader: Any) -> dict[str, str]:
    stated = reader.metadata
    if stated is None:
        return {}
    title = stated.title if stated.title and not _PROGRAM_TITLE.match(stated.title) else None
    try:
        date = stated.creation_date
    except ValueError:
        date = None  # A date in no form of the standard says nothing.
    return facts(title=title, date=date.date().isoformat() if date else None, source=stated.author)


def join_pages(pages: Sequence[Sequence[str]]) -> str:
    """Lines of pages as one text, page numbers left out, running heads and feet kept once.

    A line that fills the measure goes on in the next one, also over the border of a page; a shorter one
    ends its paragraph.

    Args:
        pages: the lines of each page.
    """
    lines = [line.rstrip() for page in _kept(pages) for line in page]
    measure = _FULL_LINE * _measure(lines)
    parts = list[str]()
    for line, following in pairwise([*lines, ""]):
        goes_on = _width(line) >= measure and _goes_on(line, following)
        parts += [line, _glue(line, following) if goes_on else "\n"]
    return "".join(parts[:-1])


def _kept(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """Pages without blank lines, page numbers and repeated heads and feet."""
    filled = [[line for line in page if line.strip()] for page in pages]
    return without_running(without_numbers(filled))


def without_numbers(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """Pages without their numbers, which stand in the first or the last line.

    A bare number is one only where it counts the pages, so that a figure or a year is not lost.

    Args:
        pages: their lines, none blank.
    """
    edges = [(page, edge) for page, lines in enumerate(pages) if lines for edge in (0, -1)]
    shifts = Counter((e, int(pages[page][e]) - page) for page, e in edges if _is_bare(pages[page][e]))
    numbers = {
        (page, edge)
        for page, edge in edges
        if _DRESSED_NUMBER.fullmatch(pages[page][edge].strip())
        or (_is_bare(pages[page][edge]) and shifts[edge, int(pages[page][edge]) - page] > 1)
    }
    return _without(pages, numbers)


def without_running(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """Pages without the heads and feet that recur, but for their digits, on most of at least three pages.

    A head stays on its first page and a foot on its last, so no words are lost and no sentence is
    interrupted.
    """
    remaining = [list(page) for page in pages]
    stays: dict[tuple[int, int], list[str]] = {}
    for _ in range(_RUNNING_LINES):
        groups = [group for edge in (0, -1) for group in _repeated(remaining, edge=edge)]
        for group in groups:
            page, edge = group[0] if group[0][1] == 0 else group[-1]
            stays.setdefault((page, edge), []).append(remaining[page][edge])
        remaining = _without(remaining, {place for group in groups for place in group})
    return [
        [*stays.get((number, 0), []), *lines, *reversed(stays.get((number, -1), []))]
        for number, lines in enumerate(remaining)
    ]


def _repeated(pages: Sequence[Sequence[str]], *, edge: int) -> list[list[tuple[int, int]]]:
    """The places of each line that recurs, in the order of the pages."""
    forms = [(number, re.sub(r"\d+", "#", page[edge])) for number, page in enumerate(pages) if len(page) > 1]
    counts = Counter(form for _, form in forms)
    recurring = [f for f, n in counts.items() if n >= _RUNNING_PAGES and 2 * n > len(pages)]
    return [[(number, edge) for number, own in forms if own == form] for form in recurring]


def _without(pages: Sequence[Sequence[str]], places: Collection[tuple[int, int]]) -> list[list[str]]:
    """Pages without some of their first (0) and last (-1) lines."""
    return [
        list(page[(number, 0) in places : max(0, len(page) - ((number, -1) in places))])
        for number, page in enumerate(pages)
    ]


def _is_bare(line: str) -> bool:
    return _BARE_NUMBER.fullmatch(line.strip()) is not None


def _goes_on(line: str, following: str) -> bool:
    return bool(following) and not line.endswith(_SENTENCE_END) and _OPENING.match(following) is None


def _glue(line: str, following: str) -> str:
    """A space between two Latin words, nothing else; a hyphen at the end of the line stays."""
    return " " if line[-1].isascii() and following[0].isascii() and line[-1].isalnum() else ""


def _measure(lines: Sequence[str]) -> float:
    """The width of full lines: nine in ten are no wider."""
    widths = sorted(map(_width, lines))
    return widths[int(0.9 * (len(widths) - 1))] if widths else 0


def _width(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
