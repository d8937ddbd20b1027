from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from tests.strategies import SCHEME, bulletins, collections_of_bulletins

from zhengling.formats import REGISTRY, FormatOptions, convert, read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity, Sentence, faults

PATHS = {
    "bulletin": "folder",
    "jsonl": "file.jsonl",
    "conll": "file.conll",
    "brat": "folder",
    "doccano": "file.jsonl",
    "ents": "file.jsonl.gz",
    "label_studio": "file.json",
    "docbin": "file.spacy",
}
OPTIONS = (FormatOptions(tags="BIOES", utf16=False), FormatOptions(tags="BIO", utf16=True))


def by_id(entries: list[Bulletin]) -> list[Bulletin]:
    return sorted(entries, key=lambda bulletin: bulletin.id)


def test_every_format_is_tested() -> None:
    assert PATHS.keys() == REGISTRY.keys()


@pytest.mark.parametrize("options", OPTIONS, ids=["BIOES, code points", "BIO, UTF-16"])
@pytest.mark.parametrize("name", PATHS)
def test_nothing_is_lost(name: str, options: FormatOptions) -> None:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(collections_of_bulletins())
    def check(entries: list[Bulletin]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / PATHS[name]
            assert write_bulletins(entries, path, format=name, options=options) == len(entries)
            read = read_bulletins(path, format=name, scheme=SCHEME, options=options)
            assert by_id(list(read)) == by_id(entries)

    check()


@pytest.mark.parametrize("name", ["jsonl", "docbin"])
def test_scores_are_kept(name: str, tmp_path: Path) -> None:
    scored = Bulletin(
        "a",
        "民政部召开会议。",
        entities=(Entity(0, 3, "ORG", 0.75),),
        sentences=(Sentence(0, 8, "REPORT", (), {"REPORT": 0.5}),),
    )
    write_bulletins([scored], tmp_path / PATHS[name], format=name)
    assert list(read_bulletins(tmp_path / PATHS[name], format=name)) == [scored]


@pytest.mark.parametrize("source", PATHS)
@pytest.mark.parametrize("target", PATHS)
def test_converting(source: str, target: str, tmp_path: Path) -> None:
    text = "示例市民政局部署清明祭扫\n\n各殡仪馆要错峰预约；\n养老机构要为老年人代办祭扫。"
    original = Bulletin(
        "示例/01",
        text,
        entities=(Entity(0, 6, "ORG"), Entity(30, 33, "GROUP")),
        sentences=(Sentence(0, 12, "OTHER"), Sentence(14, len(text), "DIRECTIVE", ("elderly", "funeral"))),
        meta={"date": "2024-03-05", "title": "部署: “祭扫”"},
    )
    assert not list(faults(original, scheme=SCHEME))
    first, second = tmp_path / "a" / PATHS[source], tmp_path / "b" / PATHS[target]
    write_bulletins([original], first, format=source)
    assert convert(first, second, source_format=source, target_format=target, scheme=SCHEME) == 1
    assert list(read_bulletins(second, format=target, scheme=SCHEME)) == [original]


def test_the_strategy_yields_hard_cases() -> None:
    """Guards the property tests against running on trifles."""

    def crosses(bulletin: Bulletin) -> bool:
        return any(e.start < s.end < e.end for e in bulletin.entities for s in bulletin.sentences)

    def gap(bulletin: Bulletin) -> bool:
        ends = [s.end for s in bulletin.sentences]
        return any(bulletin.text[end : end + 2] == "\n\n" for end in ends)

    def astral(bulletin: Bulletin) -> bool:
        return any(bulletin.text[e.start - 1] > "\uffff" for e in bulletin.entities if e.start)

    quick = settings(max_examples=2000, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    for condition in (crosses, gap, astral):
        assert not list(faults(find(bulletins(), condition, settings=quick), scheme=SCHEME))


def test_without_functions(tmp_path: Path) -> None:
    plain = Bulletin("a", "一句。\n二句。", sentences=(Sentence(0, 3), Sentence(4, 7)))
    for name, file in PATHS.items():
        path = tmp_path / name / file
        write_bulletins([plain], path, format=name)
        assert list(read_bulletins(path, format=name)) == [plain], name


def test_awkward_names(tmp_path: Path) -> None:
    """Labels may be any words; BRAT alone allows no spaces in them."""
    text = "甲乙丙。"
    odd = Bulletin(
        "../..",
        text,
        entities=(Entity(0, 1, "人|名"), Entity(1, 2, "A+"), Entity(2, 3, "B-(x)")),
        sentences=(Sentence(0, 4, "~", ("a,b", "#")),),
        meta={"a:b|c": " x ", "": ""},
    )
    for name, file in PATHS.items():
        path = tmp_path / name / file
        write_bulletins([odd], path, format=name)
        assert list(read_bulletins(path, format=name)) == [odd], name
    assert not (tmp_path.parent / "...bulletin").exists()


def test_long_ids_get_names_of_their_own(tmp_path: Path) -> None:
    entries = [Bulletin("长" * 300 + ending, "文。") for ending in "ab"]
    write_bulletins(entries, tmp_path / "folder", format="bulletin")
    assert by_id(list(read_bulletins(tmp_path / "folder"))) == entries
    spare = replace(entries[0], id="")
    write_bulletins([spare], tmp_path / "other", format="brat")
    assert list(read_bulletins(tmp_path / "other")) == [spare]
