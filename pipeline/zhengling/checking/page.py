"""Findings as one HTML file: no server, no network, no script; grouped by kind, each with its context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from zhengling.checking.findings import Finding
from zhengling.checking.terminal import place
from zhengling.checking.wording import KINDS, furniture
from zhengling.report.page import THEMES, content_policy, page_templates
from zhengling.report.wording import Language


@dataclass(frozen=True, slots=True)
class _Group:
    """The findings of one kind.

    Attributes:
        anchor: its id on the page.
        name: of the kind.
        severity: of its findings.
        total: how many there are.
        shown: those on the page.
    """

    anchor: str
    name: str
    severity: str
    total: int
    shown: tuple[Finding, ...]


def html(
    findings: Sequence[Finding], *, language: Language = "zh", title: str | None = None, limit: int = 500
) -> str:
    """Lay findings out as one self-contained HTML page.

    Args:
        findings: in the order in which they are shown.
        language: of headings and names of kinds.
        title: of the page.
        limit: findings of a kind that the page lists; all are counted, and those left out are said to be.

    Returns:
        The HTML text. It makes no request and runs no script: the style is inline and pinned by its hash.

    Raises:
        ZhenglingError: the language is unknown.
    """
    said = furniture(language)
    templates = page_templates("zhengling.checking")
    style = templates.get_template("check.css.j2").render(themes=THEMES, palettes=_NO_PALETTES, lead=None)
    # Safe to embed unescaped: our own templates, filled with our own colours only.
    return templates.get_template("check.html.j2").render(
        style=Markup(style),
        policy=content_policy(style=style, script=""),
        words=said,
        title=title or said["page"],
        totals=Counter(finding.severity for finding in findings),
        groups=_groups(findings, language=language, limit=limit),
        place=place,
    )


_NO_PALETTES: dict[str, list[dict[str, str]]] = {"light": [], "dark": []}


def _groups(findings: Sequence[Finding], *, language: Language, limit: int) -> list[_Group]:
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault(finding.kind, []).append(finding)
    return [
        _Group(kind, KINDS[kind].names[language], members[0].severity, len(members), tuple(members[:limit]))
        for kind, members in grouped.items()
    ]
