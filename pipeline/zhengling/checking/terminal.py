"""Findings for the terminal, one line each, and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from json import dumps

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhengling.checking.findings import Finding, count_by_kind, exit_status
from zhengling.checking.wording import KINDS, furniture
from zhengling.report.spans import one_line
from zhengling.report.terminal import visible
from zhengling.report.wording import Language

_STYLES = {"error": "bold red", "warning": "yellow"}


def table(findings: Sequence[Finding], *, console: Console, language: Language = "zh") -> None:
    """Print findings and their counts by kind.

    Args:
        findings: in the order in which they are shown.
        console: where to print, of any width.
        language: of names and headings.
    """
    said = furniture(language)
    for finding in findings:
        # The terminal wraps: rich would break Chinese at spaces only; and lines of a log stay whole.
        console.print(_line(finding, language=language), soft_wrap=True)
    if not findings:
        console.print(said["none"])
        return
    counts = Table(box=HORIZONTALS)
    counts.add_column(said["kind"])
    counts.add_column(said["count"], justify="right")
    for kind, count in count_by_kind(findings).items():
        counts.add_row(KINDS[kind].names[language], str(count))
    console.print(counts)


def json(findings: Sequence[Finding]) -> str:
    """Findings as a JSON object: ``exit_status``, ``counts`` by kind and ``findings``."""
    data = {
        "exit_status": exit_status(findings),
        "counts": count_by_kind(findings),
        "findings": [finding.to_dict() for finding in findings],
    }
    return dumps(data, ensure_ascii=False, indent=1) + "\n"


def place(finding: Finding) -> str:
    """Where a finding is: file, line if known, bulletin and offsets."""
    file = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
    span = f"[{finding.start}, {finding.end})" if finding.end > finding.start else ""
    return " ".join(part for part in (file, finding.bulletin, span) if part)


def _line(finding: Finding, *, language: Language) -> Text:
    said = furniture(language)
    line = Text(visible(place(finding))).append("  ")
    line.append(said[finding.severity], style=_STYLES[finding.severity])
    line.append(f" {KINDS[finding.kind].names[language]}: {visible(finding.message)}")
    if finding.surface:
        line.append("  …" + _narrow(finding.before), style="dim")
        line.append(f"【{_narrow(finding.surface)}】", style="bold")
        line.append(_narrow(finding.after) + "…", style="dim")
    if finding.suggestion:
        line.append(f"  → {_narrow(finding.suggestion)}")
    return line


def _narrow(text: str) -> str:
    return visible(one_line(text) if text.strip() else "")
