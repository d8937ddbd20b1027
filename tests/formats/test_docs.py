from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.strategies import SCHEME

from zhengling.formats import REGISTRY, FormatOptions, read_bulletins
from zhengling.schema import Bulletin, Entity, Sentence

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"<!-- example: (\S+) ?(\S*) -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
EXPECTED = Bulletin(
    "example-01",
    "工作动态\n李示例走访老年人。",
    entities=(Entity(5, 8, "PERSON"), Entity(10, 13, "GROUP")),
    sentences=(Sentence(0, 4, "OTHER"), Sentence(5, 14, "REPORT", ("elderly",))),
    meta={"date": "2024-03-05"},
)


@pytest.mark.parametrize(("name", "format_name", "source"), EXAMPLES)
def test_examples_are_read(name: str, format_name: str, source: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(source, encoding="utf-8")
    if path.suffix == ".ann":
        path.with_suffix(".txt").write_bytes(EXPECTED.text.encode())
    options = FormatOptions(utf16=False)
    assert list(read_bulletins(path, format=format_name or None, scheme=SCHEME, options=options)) == [
        EXPECTED
    ]


def test_every_format_is_described() -> None:
    assert len(EXAMPLES) == len(REGISTRY) - 1
    for name, entry in REGISTRY.items():
        assert f"| `{name}` |" in PAGE and f"\n## {name}" in PAGE
        assert all(f"`{suffix}`" in PAGE for suffix in entry.suffixes)
