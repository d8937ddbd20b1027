"""What a check finds: its kind, its place, what to do; and the exit status that follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from zhengling.checking.wording import KINDS, message
from zhengling.report.wording import Language
from zhengling.schema import Bulletin

Severity = Literal["error", "warning"]

CONTEXT = 24


@dataclass(frozen=True, slots=True)
class Item:
    """A bulletin with its place.

    Attributes:
        bulletin: a sound bulletin.
        path: the file that it is from.
        line: the line where it begins, if lines mean anything in that file.
        source: which of the given paths it was found under, from 0.
    """

    bulletin: Bulletin
    path: Path
    line: int | None = None
    source: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault, or what looks like one.

    Attributes:
        severity: errors are faults, warnings are likely ones.
        kind: a key of ``zhengling.checking.wording.KINDS``.
        message: what is wrong.
        file: the file.
        bulletin: id of the bulletin, empty if the finding is about no single one.
        start: first character in the bulletin's text.
        end: one past the last character; equal to ``start`` if the finding has no place in the text.
        surface: the text from start to end.
        suggestion: what might stand there instead: a string, a label or several; empty if unknown.
        line: the line of the file, from 1, if known.
        before: text before the place.
        after: text after it.
    """

    severity: Severity
    kind: str
    message: str
    file: str
    bulletin: str = ""
    start: int = 0
    end: int = 0
    surface: str = ""
    suggestion: str = ""
    line: int | None = None
    before: str = ""
    after: str = ""

    def to_dict(self) -> dict[str, Any]:
        """A JSON object of all attributes."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Note:
    """What a single check has to say; ``Finding`` without its wording.

    Attributes:
        kind: see ``Finding``.
        item: the bulletin; None if the note is about a whole input.
        start: see ``Finding``.
        end: see ``Finding``.
        facts: what the message of this kind names.
        suggestion: see ``Finding``.
        file: the input, where there is no bulletin.
    """

    kind: str
    item: Item | None
    start: int
    end: int
    facts: dict[str, object]
    suggestion: str = ""
    file: str = ""


def to_finding(note: Note, *, language: Language) -> Finding:
    """Put a note into words and add the text around it."""
    text = message(note.kind, language=language, facts=note.facts)
    severity = KINDS[note.kind].severity
    if note.item is None:
        return Finding(severity, note.kind, text, file=note.file, suggestion=note.suggestion)
    bulletin = note.item.bulletin
    return Finding(
        severity,
        note.kind,
        text,
        file=str(note.item.path),
        bulletin=bulletin.id,
        start=note.start,
        end=note.end,
        surface=bulletin.text[note.start : note.end],
        suggestion=note.suggestion,
        line=note.item.line,
        before=bulletin.text[max(0, note.start - CONTEXT) : note.start] if note.end > note.start else "",
        after=bulletin.text[note.end : note.end + CONTEXT] if note.end > note.start else "",
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Errors first, then by kind in the order of ``KINDS``, file and place."""
    rank = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(
        findings, key=lambda f: (f.severity, rank[f.kind], f.file, f.line or 0, f.bulletin, f.start, f.end)
    )


def count_by_kind(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each kind, in the order of ``KINDS``; kinds without are left out."""
    counts = Counter(finding.kind for finding in findings)
    return {kind: counts[kind] for kind in KINDS if counts[kind]}


def exit_status(findings: Iterable[Finding]) -> int:
    """1 if there is an error among the findings, else 0."""
    return int(any(finding.severity == "error" for finding in findings))
