from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from zhengling.checking import Finding, Rules, check
from zhengling.schema import LabelScheme

CONFIGS = Path(__file__).parents[2] / "configs"

Check = Callable[..., list[Finding]]


@pytest.fixture(scope="session")
def scheme() -> LabelScheme:
    return LabelScheme.from_file(CONFIGS / "schemes" / "zh_bulletin.json")


@pytest.fixture(scope="session")
def rules(scheme: LabelScheme) -> Rules:
    return Rules.from_file(CONFIGS / "checks" / "zh_bulletin.json", scheme=scheme)


@pytest.fixture
def lint(tmp_path: Path, scheme: LabelScheme, rules: Rules) -> Check:
    """Checks bodies of bulletins in the authoring form, with the default rules or others."""

    def run(*bodies: str, data: dict[str, Any] | None = None) -> list[Finding]:
        folder = tmp_path / f"data-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for number, body in enumerate(bodies):
            (folder / f"t-{number:03}.bulletin").write_text(
                f"id: t-{number:03}\n\n{body}\n", encoding="utf-8"
            )
        chosen = rules if data is None else Rules.from_dict({"name": "test", **data}, scheme=scheme)
        return check([folder], scheme=scheme, rules=chosen, language="en")

    return run


def found(findings: Sequence[Finding], kind: str) -> list[str]:
    """The surfaces of findings of a kind."""
    return [finding.surface for finding in findings if finding.kind == kind]
