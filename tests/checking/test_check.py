from __future__ import annotations

import json as json_module
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from tests.strategies import SCHEME, collections_of_bulletins

from zhengling.checking import Rules, check, count_by_kind, exit_status
from zhengling.errors import DataError
from zhengling.formats import write_bulletins
from zhengling.schema import Bulletin, LabelScheme

from .conftest import CONFIGS, Check

DEFAULT = Rules.from_file(CONFIGS / "checks" / "zh_bulletin.json", scheme=SCHEME)


@settings(deadline=None)
@given(collections_of_bulletins())
def test_sound_bulletins_without_rules_give_nothing(bulletins: list[Bulletin]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.jsonl"
        write_bulletins(bulletins, path)
        assert check([path], scheme=SCHEME, rules=Rules()) == []


@settings(deadline=None)
@given(collections_of_bulletins())
def test_places_are_places_of_the_raw_text(bulletins: list[Bulletin]) -> None:
    texts = {bulletin.id: bulletin.text for bulletin in bulletins}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.jsonl"
        write_bulletins(bulletins, path)
        for finding in check([path], scheme=SCHEME, rules=DEFAULT):
            if finding.bulletin or finding.surface:
                text = texts[finding.bulletin]
                assert text[finding.start : finding.end] == finding.surface
                assert finding.before + finding.surface + finding.after in text
            assert finding.kind == "crosses-sentences" or finding.severity == "warning"


def test_faults_of_format_have_their_place(tmp_path: Path, scheme: LabelScheme) -> None:
    text = "云川市召开会议。"
    sentences = [{"start": 0, "end": 8, "function": "REPORT", "domains": []}]
    lines = [
        json_module.dumps({"id": "a", "text": text, "entities": [], "sentences": sentences}),
        "{broken",
        json_module.dumps(
            {
                "id": "b",
                "text": text,
                "entities": [
                    {"start": 0, "end": 3, "label": "PLACE"},
                    {"start": 1, "end": 99, "label": "LOC"},
                ],
                "sentences": sentences,
            }
        ),
        json_module.dumps({"id": "a", "text": text, "entities": [], "sentences": sentences}),
    ]
    path = tmp_path / "faulty.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    findings = check([path], scheme=scheme, rules=Rules())
    assert {f.kind for f in findings} == {"format"} and exit_status(findings) == 1
    assert {f.line for f in findings} == {2, 3, 4}
    assert all(f.file == str(path) for f in findings)
    label = next(f for f in findings if "PLACE" in f.message)
    assert (label.bulletin, label.surface) == ("b", "云川市")
    out = next(f for f in findings if "out of range" in f.message)
    assert (out.start, out.end) == (1, len(text))
    assert "given twice" in findings[-1].message


def test_no_such_file(tmp_path: Path, scheme: LabelScheme) -> None:
    with pytest.raises(DataError, match="no such file"):
        check([tmp_path / "none.jsonl"], scheme=scheme, rules=Rules())


def test_a_broken_file_does_not_hide_the_others(lint: Check) -> None:
    findings = lint("REPORT | | [broken", "REPORT | | 发放3500元。")
    assert [f.kind for f in findings] == ["format", "uncovered"]


def test_warnings_alone_leave_the_exit_status_at_zero(lint: Check) -> None:
    findings = lint("REPORT | | 发放3500元，占15%。")
    assert count_by_kind(findings) == {"uncovered": 2}
    assert exit_status(findings) == 0 == exit_status([])


def test_a_scheme_without_functions_and_domains(tmp_path: Path) -> None:
    msra = LabelScheme.from_file(CONFIGS / "schemes" / "msra.json")
    path = tmp_path / "plain.jsonl"
    write_bulletins([Bulletin("a", "云川市发放3500元。")], path)
    rules = Rules.from_dict(
        {"name": "t", "coverage": [{"label": msra.entity_names[0], "pattern": "\\d+元"}]}, scheme=msra
    )
    assert [f.surface for f in check([path], scheme=msra, rules=rules)] == ["3500元"]
