from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.strategies import SCHEME

from zhengling.errors import DataError
from zhengling.formats import FormatOptions, read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity, Sentence


def read(path: Path, source: str, **options: object) -> list[Bulletin]:
    path.write_text(source, encoding="utf-8")
    return list(read_bulletins(path, **options))  # type: ignore[arg-type]


def spelled(bulletin: Bulletin) -> list[tuple[str, str]]:
    return [(bulletin.surface(entity), entity.label) for entity in bulletin.entities]


def test_what_is_written(tmp_path: Path) -> None:
    bulletin = Bulletin(
        "示例 1",
        "民政部\n# 。",
        entities=(Entity(0, 3, "ORG"), Entity(4, 5, "DOC")),
        sentences=(Sentence(0, 3, "OTHER"), Sentence(4, 7, "REPORT", ("elderly", "funeral"))),
        meta={"title": "甲 乙"},
    )
    path = tmp_path / "x.conll"
    write_bulletins([bulletin], path, options=FormatOptions(tags="BIOES"))
    assert path.read_text(encoding="utf-8").split("\n") == [
        "# zhengling-conll 1",
        r"-DOCSTART- 示例\s1",
        "# meta title = 甲 乙",
        "",
        "# sentence = OTHER",
        "民 B-ORG",
        "政 I-ORG",
        "部 E-ORG",
        r"\n O",
        "",
        "# sentence = REPORT elderly,funeral",
        r"\# S-DOC",
        r"\s O",
        "。 O",
        "",
        "",
    ]
    assert list(read_bulletins(path, scheme=SCHEME)) == [bulletin]
    write_bulletins([bulletin], path, options=FormatOptions(tags="BIO"))
    assert "部 I-ORG" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "tags",
    [
        ["B-ORG", "I-ORG", "I-ORG", "B-POST", "I-POST", "B-PERSON", "I-PERSON", "O"],
        ["B-ORG", "I-ORG", "E-ORG", "B-POST", "E-POST", "B-PERSON", "E-PERSON", "O"],
        ["B-ORG", "M-ORG", "E-ORG", "B-POST", "E-POST", "B-PERSON", "E-PERSON", "O"],
    ],
    ids=["BIO", "BIOES", "BMES"],
)
@pytest.mark.parametrize("columns", ["{} {}", "{}\t{}", "{} NN _ {}", "{}\t{}\r"])
def test_foreign_files(tags: list[str], columns: str, tmp_path: Path) -> None:
    rows = [columns.format(character, tag) for character, tag in zip("民政部部长李某说", tags, strict=True)]
    first, second = read(tmp_path / "x.bio", "\n".join([*rows, "", *rows, "", "", ""]), scheme=SCHEME)
    assert first.id == "x-1" and second.id == "x-2"
    assert first.text == second.text == "民政部部长李某说"
    assert spelled(first) == [("民政部", "ORG"), ("部长", "POST"), ("李某", "PERSON")]
    assert first.sentences == ()


def test_foreign_documents_and_comments(tmp_path: Path) -> None:
    source = (
        "# some comment\n-DOCSTART- -X- -X- O\n\n甲 x S-LOC\n# x O\n\n\\n x O\n　 x O\n\n"
        "-DOCSTART- d2\n乙 x O\n\n# id = third\n丙 x O\n"
    )
    documents = read(tmp_path / "x.conll", source)
    assert [(d.id, d.text) for d in documents] == [("x-1", "甲#\\n　"), ("d2", "乙"), ("third", "丙")]
    assert documents[0].sentences == (Sentence(0, 2), Sentence(2, 4))
    assert read(tmp_path / "x.conll", source, scheme=SCHEME)[0].sentences == ()


def test_columns_of_foreign_files(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "x.conll", " 民  S-LOC \n \tO\n政 \t O\n部\t-\tO\n")
    assert (found.text, spelled(found)) == ("民 政部", [("民", "LOC")])


@pytest.mark.parametrize(
    ("mark", "identifier"),
    [
        ("-DOCSTART-", "x-1"),
        ("-DOCSTART- O", "x-1"),
        ("-DOCSTART- -X-", "x-1"),
        ("-DOCSTART- -X- O O", "x-1"),
        ("-DOCSTART- o", "o"),
        ("-DOCSTART- -x-", "-x-"),
        ("# id = a b ", "a b"),
        ("# id = ", "x-1"),
    ],
)
def test_ids_of_foreign_documents(mark: str, identifier: str, tmp_path: Path) -> None:
    (found,) = read(tmp_path / "x.conll", f"{mark}\n民 O\n")
    assert found.id == identifier


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("民 B-NONE\n部 E-NONE\n\n政 S-NONE\n", [1, 4]),
        ("-DOCSTART-\n民 S-NONE\n\n-DOCSTART-\n\n政 S-NONE\n", [1, 4]),
    ],
)
def test_faults_of_foreign_bulletins_say_where_they_begin(
    source: str, lines: list[int], tmp_path: Path
) -> None:
    report: list[str] = []
    read(tmp_path / "x.conll", source, scheme=SCHEME, lenient=True, report=report.append)
    places = [re.match(r".*x\.conll:(\d+): ", line) for line in report[:-1]]
    assert [int(place[1]) for place in places if place] == lines


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("部", "expected columns"),
        ("部 ORG", "expected columns"),
        ("\tO", "expected columns"),
        ("部 I-LOC", "the entity B-ORG has no E-ORG"),
    ],
)
def test_malformed_rows_are_named(row: str, message: str, tmp_path: Path) -> None:
    source = f"好 S-ORG\n\n民 B-ORG\n{row}\n。 O\n\n完 S-ORG\n"
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "x.conll", source)
    assert caught.value.line == (3 if "has no" in message else 4)
    report: list[str] = []
    documents = read(tmp_path / "x.conll", source, lenient=True, report=report.append)
    assert [d.text for d in documents][:: len(documents) - 1] == ["好", "完"]
    assert report[-1].endswith("left out")


def test_tags_that_continue_nothing_are_faults(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="I-ORG continues no entity") as caught:
        read(tmp_path / "x.conll", "民 O\n政 I-ORG\n")
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("民 O\n", 2, "-DOCSTART-"),
        ("-DOCSTART- a\n\n民 O O\n", 4, "a character, a space and a tag"),
        ("-DOCSTART- a\n\n\\q O\n", 4, "unknown escape"),
        ("-DOCSTART- a\n\n# sentence = OTHER\n\\n O\n", 2, "holds no text"),
    ],
)
def test_faults_in_our_files(body: str, line: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / "x.conll", f"# zhengling-conll 1\n{body}")
    assert caught.value.line == line
