from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.strategies import SCHEME

from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import FormatOptions, convert, read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity, Sentence

TEXT = "民政部召开会议。各地要落实。"
GOOD = {
    "id": "a",
    "text": TEXT,
    "entities": [{"start": 0, "end": 3, "label": "ORG"}],
    "sentences": [
        {"start": 0, "end": 8, "function": "REPORT", "domains": []},
        {"start": 8, "end": 14, "function": "DIRECTIVE", "domains": ["elderly"]},
    ],
}


def write_lines(path: Path, *objects: object) -> Path:
    path.write_text("\n".join(json.dumps(entry, ensure_ascii=False) for entry in objects), encoding="utf-8")
    return path


def with_entities(*entities: tuple[int, int, str]) -> dict[str, object]:
    return {**GOOD, "entities": [{"start": s, "end": e, "label": label} for s, e, label in entities]}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (with_entities((0, 3, "ORG"), (2, 5, "ORG")), "overlaps"),
        (with_entities((10, 99, "ORG")), "out of range"),
        (with_entities((-2, 3, "ORG")), "out of range"),
        (with_entities((0, 3, "ORGAN")), "unknown label 'ORGAN'"),
        ({**GOOD, "sentences": GOOD["sentences"][:1]}, "'各地要落实。' belongs to no sentence"),
        ({**GOOD, "sentences": [{"start": 0, "end": 14, "function": "ORDER"}]}, "unknown function 'ORDER'"),
        ({**GOOD, "sentences": [{"start": 0, "end": 14}]}, "has no function"),
    ],
)
def test_faults_are_errors_with_their_place(entry: object, message: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.jsonl", {**GOOD, "id": "first"}, entry)
    with pytest.raises(DataError, match=message) as caught:
        list(read_bulletins(path, scheme=SCHEME))
    assert (caught.value.path, caught.value.line) == (str(path), 2)
    assert "'a'" in caught.value.message


def test_lenient_leaves_out_entities_only(tmp_path: Path) -> None:
    entry = with_entities((0, 3, "ORG"), (2, 5, "ORG"), (5, 7, "MEETING"), (9, 99, "ORG"))
    report: list[str] = []
    (read,) = read_bulletins(
        write_lines(tmp_path / "x.jsonl", entry), scheme=SCHEME, lenient=True, report=report.append
    )
    assert read.entities == (Entity(0, 3, "ORG"), Entity(5, 7, "MEETING"))
    assert len(read.sentences) == 2
    assert len(report) == 3
    assert "overlaps" in report[0] and "x.jsonl:1" in report[0]
    assert "2 faults" in report[-1]


def test_lenient_leaves_out_domains_or_all_sentences(tmp_path: Path) -> None:
    good = GOOD["sentences"]
    strange = [good[0], {**good[1], "domains": ["elderly", "fishing"]}]
    path = write_lines(
        tmp_path / "x.jsonl", {**GOOD, "sentences": strange}, {**GOOD, "id": "b", "sentences": good[:1]}
    )
    report: list[str] = []
    first, second = read_bulletins(path, scheme=SCHEME, lenient=True, report=report.append)
    assert first.sentences[1].domains == ("elderly",)
    assert second.sentences == () and second.entities
    assert any("fishing" in line for line in report)
    assert any("left out" in line and "'b'" in line for line in report)


def test_domains_come_in_the_schemes_order(tmp_path: Path) -> None:
    entry = {**GOOD, "sentences": [GOOD["sentences"][0], {**GOOD["sentences"][1]}]}
    entry["sentences"][1]["domains"] = ["charity", "elderly", "charity"]
    (read,) = read_bulletins(write_lines(tmp_path / "x.jsonl", entry), scheme=SCHEME)
    assert read.sentences[1].domains == ("elderly", "charity")


def test_doubled_ids_name_both_lines(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.jsonl", GOOD, {**GOOD, "id": "b"}, GOOD)
    with pytest.raises(DataError, match=r"first at .*x\.jsonl:1$") as caught:
        list(read_bulletins(path))
    assert caught.value.line == 3
    report: list[str] = []
    assert len(list(read_bulletins(path, lenient=True, report=report.append))) == 2
    assert "given twice" in report[0]


def test_what_a_conversion_is_told_reaches_both_sides(tmp_path: Path) -> None:
    source, target = tmp_path / "source.dat", tmp_path / "target.dat"
    write_lines(source, with_entities((0, 3, "ORG"), (5, 7, "STRANGE")))
    names = {"source_format": "jsonl", "target_format": "conll"}
    with pytest.raises(DataError, match="unknown label 'STRANGE'"):
        convert(source, target, scheme=SCHEME, **names)
    report: list[str] = []
    options = FormatOptions(tags="BIO")
    told = {"lenient": True, "report": report.append, "options": options}
    assert convert(source, target, scheme=SCHEME, **names, **told) == 1
    assert "unknown label 'STRANGE'" in report[0]
    assert report[1:] == [f"{source}: 1 faults in all; what they name is left out"]
    assert "I-ORG" in target.read_text("utf-8") and "E-ORG" not in target.read_text("utf-8")
    assert convert(source, target, **names) == 1  # without a scheme every label is known
    assert "E-ORG" in target.read_text("utf-8") and "STRANGE" in target.read_text("utf-8")


def test_offsets_in_units_are_read_and_written_as_told(tmp_path: Path) -> None:
    """Both sides of a conversion are told how doccano counts."""
    source, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    write_lines(source, {"id": "a", "text": "𠮷民政部", "label": [[2, 5, "ORG"]]})
    units = FormatOptions(utf16=True)
    assert convert(source, target, source_format="doccano", target_format="doccano", options=units) == 1
    assert json.loads(target.read_text("utf-8"))["label"] == [[2, 5, "ORG"]]


def test_faults_of_names_are_whole_sentences_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_bulletins(write_lines(tmp_path / "x.docx", GOOD))
    known = "bulletin, jsonl, conll, brat, doccano, ents, label_studio, docbin"
    assert str(caught.value).replace("-", "_") == (
        f"{tmp_path / 'x.docx'}: its name fits no format; name one of {known}".replace("-", "_")
    )
    folder = tmp_path / "folder"
    folder.mkdir()
    write_lines(folder / "x.jsonl", GOOD)
    with pytest.raises(DataError) as caught:
        read_bulletins(folder)
    assert caught.value.path == str(folder)
    assert caught.value.message.startswith("a folder with no file in the formats ")
    assert caught.value.message.endswith("; name the format, or a file")


def test_unknown_formats(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.jsonl", GOOD)
    with pytest.raises(ZhenglingError, match=r"jsonl, conll, .* did you mean doccano"):
        read_bulletins(path, format="docano")
    with pytest.raises(DataError, match="fits no format"):
        write_bulletins([], tmp_path / "x.docx")
    with pytest.raises(DataError, match="no such file"):
        read_bulletins(tmp_path / "absent.jsonl")
    with pytest.raises(DataError, match="is a folder"):
        read_bulletins(tmp_path, format="jsonl")
    with pytest.raises(ZhenglingError, match="report"):
        read_bulletins(path, lenient=True)


def test_a_folder_of_files_that_hold_many_bulletins_says_what_to_do(tmp_path: Path) -> None:
    write_bulletins([Bulletin("a", "文。")], tmp_path / "a.jsonl")
    with pytest.raises(DataError, match="formats bulletin, brat; name the format, or a file"):
        read_bulletins(tmp_path)


def test_folders_know_their_format(tmp_path: Path) -> None:
    entry = Bulletin("a", "文。")
    for name in ("bulletin", "brat"):
        write_bulletins([entry], tmp_path / name, format=name)
        assert list(read_bulletins(tmp_path / name)) == [entry]
    (tmp_path / "brat" / "b.bulletin").write_text("id: b\n", encoding="utf-8")
    with pytest.raises(DataError, match="several formats"):
        read_bulletins(tmp_path / "brat")


def test_folders_with_files_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(DataError, match="name a new one"):
        write_bulletins([Bulletin("a", "文。")], tmp_path, format="bulletin")
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "keep"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Bulletin("a", "文。", entities=(Entity(0, 9, "ORG"),)), "out of range"),
        (Bulletin("a", "文。", entities=(Entity(0, 1, ""),)), "label is empty"),
        (Bulletin("a", "文。", meta={"text": "x"}), "'text'"),
        (Bulletin("a", "\ud83d。"), "surrogate"),
        (Bulletin("a", "文。甲", sentences=(Sentence(0, 2, "OTHER"),)), "no sentence"),
    ],
)
def test_what_is_unsound_is_not_written(entry: Bulletin, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        write_bulletins([Bulletin("b", "好。"), entry], tmp_path / "x.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_two_of_an_id_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two bulletins"):
        write_bulletins([Bulletin("a", "甲"), Bulletin("a", "乙")], tmp_path / "folder", format="bulletin")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_conversion_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "y.conll"
    target.write_text("old", encoding="utf-8")
    source = write_lines(tmp_path / "x.jsonl", GOOD, with_entities((0, 99, "ORG")))
    with pytest.raises(DataError):
        convert(source, target)
    assert target.read_text(encoding="utf-8") == "old"
    assert {file.name for file in tmp_path.iterdir()} == {"x.jsonl", "y.conll"}


@pytest.mark.parametrize("suffix", [".bulletin", ".ann"])
def test_a_file_for_one_bulletin_takes_one(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"x{suffix}"
    for entries in ([], [Bulletin("a", "甲"), Bulletin("b", "乙")]):
        with pytest.raises(DataError, match="name a folder"):
            write_bulletins(entries, path)
    write_bulletins([Bulletin("a", "甲")], path)
    assert list(read_bulletins(path)) == [Bulletin("a", "甲")]
