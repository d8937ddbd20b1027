"""Checks on annotated bulletins: faults, and what looks like one, with place and suggestion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from zhengling.checking.consistency import check_consistency
from zhengling.checking.coverage import check_coverage
from zhengling.checking.distribution import check_distribution
from zhengling.checking.duplicates import check_duplicates
from zhengling.checking.findings import Finding, Item, Note, count_by_kind, exit_status, in_order, to_finding
from zhengling.checking.page import html
from zhengling.checking.reading import Reader
from zhengling.checking.rules import Rules
from zhengling.checking.sentences import check_sentences
from zhengling.checking.spans import check_spans
from zhengling.checking.terminal import json, table
from zhengling.formats import FormatOptions
from zhengling.report.wording import Language
from zhengling.schema import LabelScheme

__all__ = ["Finding", "Rules", "check", "count_by_kind", "exit_status", "html", "json", "table"]


def check(
    paths: Sequence[Path],
    *,
    scheme: LabelScheme,
    rules: Rules,
    format: str | None = None,  # noqa: A002
    options: FormatOptions | None = None,
    language: Language = "zh",
) -> list[Finding]:
    """Check annotated bulletins.

    Args:
        paths: files or folders; each is an input whose labels are compared with those of the others.
        scheme: the labels.
        rules: what to look for; ``Rules()`` for faults of format alone.
        format: name of the files' format; by default their suffixes say it.
        options: what can't be read off the files.
        language: of the messages; those on faults of format are English.

    Returns:
        Findings: errors first, then by kind and place.

    Raises:
        DataError: no such file or folder, or its format is unknown.
    """
    reader = Reader(scheme, format=format, options=options or FormatOptions())
    items = [item for number, path in enumerate(paths) for item in reader.read(path, source=number)]
    notes = [*reader.notes, *_notes(items, paths, scheme=scheme, rules=rules)]
    findings = [*reader.findings, *(to_finding(note, language=language) for note in notes)]
    return in_order(replace(f, severity=rules.severities.get(f.kind, f.severity)) for f in findings)


def _notes(
    items: Sequence[Item], paths: Sequence[Path], *, scheme: LabelScheme, rules: Rules
) -> Iterator[Note]:
    for item in items:
        yield from check_spans(item, rules)
        yield from check_coverage(item, rules)
        yield from check_sentences(item, rules, scheme=scheme)
    if rules.consistency is not None:
        yield from check_consistency(items, rules.consistency)
    if rules.duplicates is not None:
        yield from check_duplicates(items, rules.duplicates)
    if rules.distribution is not None:
        yield from check_distribution(items, paths, rules.distribution, scheme=scheme)
