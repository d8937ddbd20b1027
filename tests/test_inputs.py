from __future__ import annotations

import codecs
import io
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zhengling.errors import DataError
from zhengling.formats.documents import SUFFIXES
from zhengling.formats.documents.plain import decode
from zhengling.inputs import Source, by_suffix, find_files, read_sources, read_whole

TEXT = "示例市民政局召开会议，\r\n部署“一老一小”工作。\r\n"


def texts_of(*paths: str | Path) -> list[Source]:
    found = list(read_sources(map(str, paths)))
    assert all(isinstance(source, Source) for source in found), found
    return [source for source in found if isinstance(source, Source)]


def errors_of(*paths: str | Path) -> list[str]:
    return [str(found) for found in read_sources(map(str, paths)) if isinstance(found, DataError)]


def write(path: Path, content: str | bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode("utf-8"),
        codecs.BOM_UTF8 + TEXT.encode("utf-8"),
        TEXT.encode("gb18030"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"),
        codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
    ],
    ids=["utf-8", "utf-8-bom", "gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"],
)
def test_encodings_give_one_text_with_its_line_ends(content: bytes, tmp_path: Path) -> None:
    assert [source.text for source in texts_of(write(tmp_path / "a.txt", content))] == [TEXT]


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_utf8_is_read_as_it_is(text: str) -> None:
    text = text.removeprefix("\ufeff")
    assume(not text.startswith("{\\rtf"))
    assert decode(text.encode("utf-8")) == text
    assert decode(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == text


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=40))
def test_any_bytes_are_text_or_a_named_fault(content: bytes) -> None:
    try:
        text = decode(content)
    except DataError as error:
        assert error.message
    else:
        assert text.encode("utf-8") is not None  # no lone surrogates


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (codecs.BOM_UTF8, "empty"),
        (codecs.BOM_UTF16_LE, "empty"),
        (b"PK\x03\x04\x14\x00\x00\x00", "binary: control character U+0003 at offset 2"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a.txt"),
        (bytes(64), "binary"),
        (TEXT.encode("utf-16-le"), "a.txt"),
        (b"abc\xff\xff", "not text in UTF-8 or GB18030 (byte 3)"),
        (codecs.BOM_UTF8 + b"abc\xff", "not text"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8a\x00", "not text"),
        (codecs.BOM_UTF16_LE + b"a", "not text"),
    ],
)
def test_what_is_no_text(content: bytes, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", content)
    (error,) = errors_of(path)
    assert error.startswith(f"{path}: ")
    assert message in error
    assert "\n" not in error


def test_utf8_that_was_cut_off_is_not_read_as_gb18030() -> None:
    cut_off = TEXT.encode("utf-8")[:4]
    with pytest.raises(DataError):
        decode(cut_off)


TRADITIONAL = "本會議討論長者照顧服務，並決定於年底前完成設施檢查。"


def test_big5_is_not_read_as_nonsense(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", TRADITIONAL.encode("big5"))
    assert errors_of(path) == [f"{path}: text in Big5, not in UTF-8 or GB18030; convert it to UTF-8"]


@pytest.mark.parametrize("text", [TRADITIONAL, TEXT, "民政", "龘靐齉爩", "№１２３，ABC"])
def test_gb18030_is_not_taken_for_big5(text: str) -> None:
    assert decode(text.encode("gb18030")) == text


def test_documents_that_people_expect_to_be_read(tmp_path: Path) -> None:
    write(tmp_path / "a.doc", b"\xd0\xcf\x11\xe0")
    write(tmp_path / "b.rtf", rb"{\rtf1 a}")
    write(tmp_path / "c.txt", rb"{\rtf1 a}")
    write(tmp_path / "d.OFD", b"PK")
    assert errors_of(tmp_path) == [
        f"{tmp_path / 'a.doc'}: unsupported type .doc; save it as .docx",
        f"{tmp_path / 'b.rtf'}: unsupported type .rtf; save it as .docx",
        f"{tmp_path / 'c.txt'}: RTF, not plain text; save it as .docx",
        f"{tmp_path / 'd.OFD'}: unsupported type .ofd; save it as .pdf",
    ]


def test_standard_input_is_read_by_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "<!DOCTYPE html><html><head><title>标题</title></head><body><p>示例市民政局。</p></body></html>"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(page.encode())))
    (source,) = texts_of("-")
    assert (source.text.strip(), source.meta["title"]) == ("示例市民政局。", "标题")


def test_unreadable(tmp_path: Path) -> None:
    missing, broken = tmp_path / "missing.txt", tmp_path / "broken.txt"
    broken.symlink_to(missing)
    assert errors_of(missing) == [f"{missing}: no such file or folder"]
    assert errors_of(broken) == [f"{broken}: no such file or folder"]


def test_a_fault_stops_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    write(tmp_path / "b.txt", b"")
    write(tmp_path / "c.txt")
    found = list(read_sources([str(tmp_path), str(tmp_path / "none.txt")]))
    assert [type(one) for one in found] == [Source, DataError, Source, DataError]


def test_folders_are_searched_through_in_order(tmp_path: Path) -> None:
    names = ["b.txt", "a/c.TXT", "a/deep/d.txt", "e.txt"]
    for name in (*names, "f.csv", "g"):
        write(tmp_path / name)
    assert list(find_files([str(tmp_path)])) == sorted(str(tmp_path / name) for name in names)
    assert [source.id for source in texts_of(tmp_path)] == ["c", "d", "b", "e"]


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    for name in ("a.txt", "b.csv", "deep/c.csv", "deep/d", ".hidden"):
        write(tmp_path / name)
    left_out: Counter[str] = Counter()
    assert list(find_files([str(tmp_path)], left_out=left_out)) == [str(tmp_path / "a.txt")]
    assert left_out == {".csv": 2, "d": 1}
    assert by_suffix(left_out) == "2 .csv, 1 d"


def test_folder_without_bulletins(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    assert errors_of(tmp_path) == [f"{tmp_path}: no bulletins in this folder ({', '.join(SUFFIXES)})"]


def test_a_folder_may_be_named_like_a_file(tmp_path: Path) -> None:
    write(tmp_path / "2024.txt" / "a.txt")
    assert [source.id for source in texts_of(tmp_path)] == ["a"]


def test_globs(tmp_path: Path) -> None:
    for name in ("a1.txt", "a2.md", "b.txt", "x/a3.txt"):
        write(tmp_path / name)
    assert [source.id for source in texts_of(tmp_path / "a*")] == ["a1", "a2"]
    assert [source.id for source in texts_of(tmp_path / "**" / "a?.txt")] == ["a1", "a3"]
    assert errors_of(tmp_path / "c*.txt") == [f"{tmp_path / 'c*.txt'}: no file fits this pattern"]


def test_a_name_may_look_like_a_glob(tmp_path: Path) -> None:
    assert [source.id for source in texts_of(write(tmp_path / "a[1].txt"))] == ["a[1]"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt")
    assert len(texts_of(path, tmp_path, tmp_path / "*.txt", path)) == 1


def test_a_file_is_read_once_whatever_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.txt")
    monkeypatch.chdir(tmp_path)
    assert len(texts_of("a.txt", "./a.txt")) == 1


def test_ids_are_unique(tmp_path: Path) -> None:
    for name in ("x/a.txt", "y/a.txt", "y/a.md", "a.txt", "z/a.txt"):
        write(tmp_path / name)
    found = texts_of(tmp_path / "x" / "a.txt", tmp_path / "y" / "a.txt", tmp_path / "y" / "a.md", tmp_path)
    ids = [source.id for source in found]
    assert len(ids) == len(set(ids)) == 5
    assert ids[0] == "a"
    assert [source.place for source in found][:2] == [str(tmp_path / "x/a.txt"), str(tmp_path / "y/a.txt")]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode("gb18030"))))
    assert texts_of("-") == [Source(id="stdin", place="-", text=TEXT)]


def test_standard_input_has_an_id_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    found = texts_of(write(tmp_path / "stdin.txt"), "-")
    assert found[0].id != found[1].id


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes on Linux only")
def test_a_file_name_in_another_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / os.fsdecode("公告.txt".encode("gbk")))
    (source,) = texts_of(path)
    assert source.id.encode("utf-8")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**/*.txt", {"a.txt", "d/b.txt", "d/[e]/c.txt"}),
        ("**", {"a.txt", "d/b.txt", "d/[e]/c.txt", "d/x.md"}),
        ("d/**", {"d/b.txt", "d/[e]/c.txt", "d/x.md"}),
        ("**/d/**/c.*", {"d/[e]/c.txt"}),
        ("d/**b.txt", {"d/b.txt"}),
        ("*/*.txt", {"d/b.txt"}),
    ],
)
def test_patterns_with_any_folders(
    pattern: str, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "d/b.txt", "d/[e]/c.txt", "d/x.md", ".hidden/h.txt"):
        write(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert set(find_files([pattern])) == names
    assert set(find_files([str(tmp_path / pattern)])) == {str(tmp_path / name) for name in names}


def test_links_that_lead_back_to_themselves_end(tmp_path: Path) -> None:
    """``**`` followed them, 40 levels deep each, and with two of them never came back."""
    text = write(tmp_path / "folder" / "a.txt")
    for name in ("one", "two"):
        (tmp_path / "folder" / name).symlink_to(tmp_path / "folder")
    assert list(find_files([str(tmp_path / "**" / "*.txt")])) == [str(text)]
    assert list(find_files([str(tmp_path / "folder")])) == [str(text)]


class Growing(io.FileIO):
    """A file to which somebody adds while it is read."""

    def readall(self) -> bytes:
        content = super().readall()
        with Path(str(self.name)).open("ab") as other:
            other.write(b"more")
        return content


def test_a_file_that_is_written_while_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt")
    with io.FileIO(path) as stream:
        assert read_whole(stream, limit=100) == path.read_bytes()
    with Growing(path) as stream, pytest.raises(DataError, match="changed while it was read"):
        read_whole(stream, limit=100)
    with io.FileIO(path) as stream, pytest.raises(DataError, match="limit file_bytes"):
        read_whole(stream, limit=9)
