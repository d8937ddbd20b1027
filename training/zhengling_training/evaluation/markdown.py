"""A report as Markdown: the same notes and tables as the page, without pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zhengling.report.spans import one_line
from zhengling.report.wording import Language
from zhengling_training.evaluation.background import background, measured
from zhengling_training.evaluation.report import Report
from zhengling_training.evaluation.sections import results
from zhengling_training.evaluation.view import Section, Table
from zhengling_training.evaluation.wording import report_words


def to_markdown(report: Report, *, language: Language) -> str:
    """Write a report as Markdown (tables of GitHub's flavour); what others named is escaped."""
    title = f"# {report_words(language)['report']}: {_escape(report.facts.model.name)}"
    parts = [measured(report, language=language), *results(report, language=language)]
    parts += background(report, language=language)
    lines = [title, *(line for part in parts for line in _section(part))]
    return "\n".join(lines) + "\n"


def _section(part: Section) -> Iterator[str]:
    yield from ("", f"## {part.title}")
    for note in part.notes:
        yield from ("", note)
    for entry in part.tables:
        yield from _table(entry)


def _table(entry: Table) -> Iterator[str]:
    if entry.title:
        yield from ("", f"### {_escape(entry.title)}")
    yield from ("", _row(entry.head))
    yield _bare(["---" if place < entry.words else "---:" for place in range(len(entry.head))])
    for row in entry.rows:
        yield _row(row)


def _row(cells: tuple[str, ...]) -> str:
    return _bare([_escape(cell) for cell in cells])


def _bare(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escape(text: str) -> str:
    """A text on one line in which no sign means anything to Markdown or HTML."""
    flat = one_line(text) if text.strip() else ""
    return re.sub(r"([\\`*_\[\]<>|~#&])", r"\\\1", flat)
