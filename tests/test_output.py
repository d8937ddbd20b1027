from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.strategies import SCHEME

from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import read_bulletins
from zhengling.output import WRITERS, write_analysis
from zhengling.schema import Bulletin, Entity, Sentence

BULLETINS = [
    Bulletin(
        id=f"b{number}",
        text=f"示例{number}市民政局召开会议。\n各地要关心<老年人>。",
        entities=(Entity(0, 7, "ORG", 0.9), Entity(19, 22, "GROUP", 0.6)),
        sentences=(
            Sentence(0, 12, "REPORT", (), {"REPORT": 0.8}),
            Sentence(13, 24, "DIRECTIVE", ("elderly",), {"DIRECTIVE": 0.7, "elderly": 0.9}),
        ),
    )
    for number in (1, 2)
]
PLAIN = {".bulletin", ".conll", ".jsonl"}
FILES_ONLY = {"parquet"}


def write(
    name: str, output: Path | None, bulletins: list[Bulletin] = BULLETINS, language: str = "zh"
) -> None:
    write_analysis(iter(bulletins), scheme=SCHEME, format_name=name, language=language, output=output)


def spans(bulletin: Bulletin) -> list[tuple[int, int, str]]:
    return [(e.start, e.end, e.label) for e in bulletin.entities]


@pytest.mark.parametrize("name", ["jsonl", "conll", "bulletin"])
def test_what_is_written_can_be_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / (name if name == "bulletin" else f"a.{name}")
    write(name, path)
    found = list(read_bulletins(path, format=name, scheme=SCHEME))
    assert [b.id for b in found] == ["b1", "b2"]
    assert [b.text for b in found] == [b.text for b in BULLETINS]
    assert [spans(b) for b in found] == [spans(b) for b in BULLETINS]


def test_lines_hold_everything(tmp_path: Path) -> None:
    write("jsonl", tmp_path / "a.jsonl")
    lines = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert [Bulletin.from_dict(json.loads(line)) for line in lines] == BULLETINS
    assert "示例" in lines[0]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", ["table", "html"])
def test_what_people_read(name: str, language: str, tmp_path: Path) -> None:
    write(name, tmp_path / "a.out", language=language)
    text = (tmp_path / "a.out").read_text(encoding="utf-8")
    assert re.search("养老服务" if language == "zh" else "elderly", text)
    if name == "html":
        assert "<老年人>" not in text


@pytest.mark.parametrize("name", ["jsonl", "table", "html"])
def test_several_bulletins_on_standard_output(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    write(name, None)
    out = capfd.readouterr().out
    assert "民政局" in out
    if name == "jsonl":
        assert [json.loads(line)["id"] for line in out.splitlines()] == ["b1", "b2"]


@pytest.mark.parametrize("name", sorted(set(WRITERS) - FILES_ONLY))
def test_one_bulletin_on_standard_output(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    write(name, None, BULLETINS[:1])
    assert "民" in capfd.readouterr().out


@pytest.mark.parametrize("name", sorted(FILES_ONLY))
def test_what_is_no_text_needs_a_file(name: str) -> None:
    with pytest.raises(ZhenglingError, match="needs --output FILE"):
        write(name, None, BULLETINS[:1])


def test_several_bulletins_in_a_form_of_one_file_each() -> None:
    with pytest.raises(ZhenglingError, match="need --output FOLDER"):
        write("bulletin", None)


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_failure_leaves_the_old_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_text("old")

    def broken() -> object:
        yield BULLETINS[0]
        raise DataError("unreadable", path="b.txt")

    with pytest.raises(DataError, match="unreadable"):
        write_analysis(broken(), scheme=SCHEME, format_name=name, language="zh", output=path)  # type: ignore[arg-type]
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["old"]


def test_unknown_format() -> None:
    with pytest.raises(ZhenglingError, match="unknown format 'xml', there are table"):
        write("xml", None)
