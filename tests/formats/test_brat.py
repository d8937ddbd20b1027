from __future__ import annotations

from pathlib import Path

import pytest
from tests.strategies import SCHEME

from zhengling.errors import DataError
from zhengling.formats import read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity, Sentence

TEXT = "示例市\n民政局召开会议。😀李示例出席。"


def pair(folder: Path, ann: str, text: str = TEXT) -> Path:
    (folder / "x.txt").write_bytes(text.encode())
    (folder / "x.ann").write_bytes(ann.encode())
    return folder / "x.ann"


def test_what_is_written(tmp_path: Path) -> None:
    bulletin = Bulletin(
        "示例",
        TEXT,
        entities=(Entity(0, 7, "ORG"), Entity(13, 16, "PERSON")),
        sentences=(Sentence(0, 12, "REPORT", ("elderly",)), Sentence(12, 19, "OTHER")),
    )
    write_bulletins([bulletin], tmp_path / "x.ann")
    assert (tmp_path / "x.txt").read_bytes().decode() == TEXT
    assert (tmp_path / "x.ann").read_text(encoding="utf-8").split("\n") == [
        "T1\tORG 0 3;4 7\t示例市 民政局",
        "T2\tPERSON 13 16\t李示例",
        "T3\tREPORT 0 3;4 12\t示例市 民政局召开会议。",
        "A1\tSentence T3",
        "A2\telderly T3",
        "T4\tOTHER 12 19\t😀李示例出席。",
        "A3\tSentence T4",
        '#1\tBulletin T1\t{"id": "示例", "meta": {}}',
        "",
    ]
    for name in ("x.ann", "x.txt"):
        assert list(read_bulletins(tmp_path / name, format="brat", scheme=SCHEME)) == [bulletin]


def test_foreign_files(tmp_path: Path) -> None:
    ann = (
        "T1\tORG 0 7\t示例市 民政局\r\n#1\tAnnotatorNotes T1\tsure?\n"
        "T2\tREPORT 0 12\t示例市 民政局召开会议。\nA1\tDomain T2 charity\nT3\tCONTEXT 12 19\t😀李示例出席。\n"
    )
    (read,) = read_bulletins(pair(tmp_path, ann), scheme=SCHEME)
    assert read.id == "x"
    assert read.entities == (Entity(0, 7, "ORG"),)
    assert read.sentences == (Sentence(0, 12, "REPORT", ("charity",)), Sentence(12, 19, "CONTEXT"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("T2\tORG 0 3;5 7\t示例市 政局", "discontinuous span 0 3;5 7"),
        ("T2\tORG 4 7;0 3\t民政局 示例市", "discontinuous"),
        ("T2\tPERSON 14 17\t李示例", "the text has '示例出' at 14 17"),
        ("T2\tPERSON 90 99\t李示例", "the text has '' at 90 99"),
        ("T1\tPERSON 13 16\t李示例", "T1 is given twice, first on line 1"),
        ("R1\tWorksFor Arg1:T1 Arg2:T1", "only text-bound"),
        ("T2 PERSON 13 16 李示例", "only text-bound"),
        ("A1\telderly T1", "only sentences have domains"),
        ("A1\telderly T9", "not in the file"),
        ("#1\tBulletin T1\t{", "broken JSON"),
    ],
)
def test_faults_name_their_line(line: str, message: str, tmp_path: Path) -> None:
    path = pair(tmp_path, f"T1\tORG 4 7\t民政局\n{line}\n")
    with pytest.raises(DataError) as caught:
        list(read_bulletins(path))
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (str(path), 2)
    report: list[str] = []
    (read,) = read_bulletins(path, lenient=True, report=report.append)
    assert read.entities == (Entity(4, 7, "ORG"),) and len(report) == 2


def test_a_text_without_annotation_is_a_fault(tmp_path: Path) -> None:
    pair(tmp_path, "")
    (tmp_path / "y.txt").write_text("文。", encoding="utf-8")
    with pytest.raises(DataError, match=r"y\.txt has no y\.ann"):
        list(read_bulletins(tmp_path))


def test_labels_with_spaces_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no white space in the label 'MY ORG'"):
        write_bulletins(
            [Bulletin("a", TEXT, entities=(Entity(0, 3, "MY ORG"),))], tmp_path / "x", format="brat"
        )
    assert list(tmp_path.iterdir()) == []
