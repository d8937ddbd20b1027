from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zhengling.checking import Rules
from zhengling.errors import DataError, ZhenglingError
from zhengling.schema import LabelScheme

from .conftest import CONFIGS


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"coverag": []}, ["'coverag'", "did you mean 'coverage'"]),
        ({"coverage": [{"label": "AMOUNT"}]}, ["missing key 'coverage[0].pattern'"]),
        ({"coverage": [{"label": "SUM", "pattern": "a"}]}, ["coverage[0].label", "'SUM'", "AMOUNT"]),
        ({"coverage": [{"label": "DOC", "pattern": "("}]}, ["coverage[0].pattern", "broken pattern"]),
        ({"coverage": [{"label": "DOC", "pattern": "a*"}]}, ["matches the empty string"]),
        ({"coverage": [{"label": "DOC", "pattern": "@{x}"}]}, ["no definition 'x'"]),
        ({"coverage": {}}, ["'coverage'", "wrong type dict"]),
        ({"domains": {"aged": {"cues": "a"}}}, ["domains.aged", "unknown domain"]),
        ({"functions": [{"functions": ["REPORT"]}]}, ["functions[0]", "'cues'", "'without'"]),
        ({"borders": {"pairs": ["("]}}, ["borders.pairs"]),
        ({"borders": {"enclosing": {"DOC": ["()"]}}}, ["borders.enclosing.DOC"]),
        ({"consistency": {"min_count": 0, "min_share": 1, "min_length": 1}}, ["consistency.min_count"]),
        ({"consistency": {"min_count": 1, "min_share": 2, "min_length": 1}}, ["consistency.min_share"]),
        ({"severities": {"duplicate": "fatal"}}, ["severities.duplicate", "error, warning"]),
        ({"continuations": [{"labels": ["LOC"]}]}, ["continuations[0]", "'after'"]),
    ],
)
def test_errors_name_the_key(data: dict[str, Any], words: list[str], scheme: LabelScheme) -> None:
    with pytest.raises(DataError) as caught:
        Rules.from_dict({"name": "t", **data}, scheme=scheme)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_errors_name_the_file(tmp_path: Path, scheme: LabelScheme) -> None:
    path = tmp_path / "rules.json"
    for source in ("{", "[]", "{}"):
        path.write_text(source, encoding="utf-8")
        with pytest.raises(ZhenglingError, match=r"rules\.json"):
            Rules.from_file(path, scheme=scheme)
    with pytest.raises(ZhenglingError, match=r"none\.json"):
        Rules.from_file(tmp_path / "none.json", scheme=scheme)


def test_definitions_build_on_each_other(scheme: LabelScheme) -> None:
    data = {
        "name": "t",
        "definitions": {"digit": "[0-9]", "sum": ["@{digit}元", "@{digit}角"]},
        "coverage": [{"label": "AMOUNT", "pattern": "约@{sum}"}],
    }
    (rule,) = Rules.from_dict(data, scheme=scheme).coverage
    assert rule.pattern.fullmatch("约3角")


def test_default_rules_fit_no_other_scheme() -> None:
    msra = LabelScheme.from_file(CONFIGS / "schemes" / "msra.json")
    with pytest.raises(ZhenglingError, match="unknown"):
        Rules.from_file(CONFIGS / "checks" / "zh_bulletin.json", scheme=msra)
