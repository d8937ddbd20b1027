from __future__ import annotations

import io
import re
import socket
import stat
import sys
import zipfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.documents import packed, pdf, word

from zhengling.errors import DataError
from zhengling.formats.documents import SUFFIXES, Document, DocumentLimits, read_document
from zhengling.formats.documents.glyphs import set_right
from zhengling.formats.documents.pdf import join_pages, without_numbers
from zhengling.inputs import Source, read_sources

LINE = "示例市民政局要求各地在年底前完成困难群众走访工作并将有关情况及时报送"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PAGE = """<!DOCTYPE html><html><head><meta charset="{charset}"><title>示例市部署救助工作 - 示例网</title>
<meta property="og:site_name" content="示例网"><meta name="pubdate" content="2024-03-05"></head><body>
<nav><a href="/">首页</a><a href="/a">要闻</a></nav><article><h1>示例市部署救助工作</h1>
<p>3月5日，示例市民政局召开会议，部署困难群众救助工作。会议要求，各地要在年底前完成走访。</p>
<p>会议强调，要<b>健全</b>主动发现机制，<script>alert(1)</script>做到早发现、早救助。</p></article>
<footer>版权所有 网站地图</footer></body></html>"""


def texts(content: bytes, name: str, limits: DocumentLimits | None = None) -> list[Document]:
    found = list(read_document(content, place=name, limits=limits))
    assert all(isinstance(one, Document) for one in found), found
    return [one for one in found if isinstance(one, Document)]


def text(content: bytes, name: str) -> str:
    (found,) = texts(content, name)
    return found.text


def errors(content: bytes, name: str, limits: DocumentLimits | None = None) -> list[str]:
    found = read_document(content, place=name, limits=limits)
    return [str(one) for one in found if isinstance(one, DataError)]


# HTML and Markdown


@pytest.mark.parametrize(
    ("charset", "encoding"), [("utf-8", "utf-8"), ("gb2312", "gb18030"), ("wrong", "utf-8")]
)
def test_the_main_text_of_a_page_and_its_facts(charset: str, encoding: str) -> None:
    (found,) = texts(PAGE.format(charset=charset).encode(encoding), "a.html")
    assert found.text.splitlines()[-2:] == [
        "3月5日，示例市民政局召开会议，部署困难群众救助工作。会议要求，各地要在年底前完成走访。",
        "会议强调，要健全主动发现机制，做到早发现、早救助。",
    ]
    assert "网站地图" not in found.text
    assert found.meta == {"title": "示例市部署救助工作", "date": "2024-03-05", "source": "示例网"}


def test_a_page_without_text() -> None:
    assert errors(b"<html><body></body></html>", "a.htm") == [
        "a.htm: no main text found in the page; save its text as .txt"
    ]


def test_markdown_loses_its_marks_and_keeps_its_numbers() -> None:
    source = "---\ndate: 2024-03-05\nsource: '示例网'\n---\n# 通知\n\n各地要**抓紧**落实。\n\n"
    source += "1. 走访\n2. 报送\n\n|甲|乙|\n|-|-|\n|一|二|\n"
    (found,) = texts(source.encode(), "a.md")
    assert found.text == "通知\n各地要抓紧落实。\n1. 走访\n2. 报送\n甲\t乙\n一\t二"
    assert found.meta == {"title": "通知", "date": "2024-03-05", "source": "示例网"}


# Word


def test_word_in_the_order_of_the_file() -> None:
    document = docx.Document()
    document.add_paragraph("第一段。")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("县", "人数"), ("示例县", "35")), strict=True):
        for cell, value in zip(row.cells, cells, strict=True):
            cell.text = value
    document.add_paragraph("最后一段\n换行。")
    document.core_properties.title, document.core_properties.author = "通知", "示例市民政局"
    target = io.BytesIO()
    document.save(target)
    (found,) = texts(target.getvalue(), "a.docx")
    assert found.text == "第一段。\n县\t人数\n示例县\t35\n最后一段\n换行。"
    assert (found.meta["title"], found.meta["source"]) == ("通知", "示例市民政局")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<w:sdt {0}><w:sdtContent><w:p><w:r><w:t>控件里</w:t></w:r></w:p></w:sdtContent></w:sdt>", "控件里"),
        ("<w:p {0}><w:ins>{1}</w:ins><w:del><w:r><w:delText>删去</w:delText></w:r></w:del></w:p>", "文"),
        ("<w:p {0}><w:moveFrom><w:r><w:t>搬走</w:t></w:r></w:moveFrom>{1}</w:p>", "文"),
        (
            "<w:p {0}>{1}<w:r><w:pict><w:txbxContent><w:p>{1}</w:p></w:txbxContent></w:pict></w:r></w:p>",
            "文\n文",
        ),
        ("<w:p {0}><w:hyperlink><w:r><w:t>链</w:t><w:tab/><w:t>接</w:t></w:r></w:hyperlink></w:p>", "链\t接"),
    ],
    ids=["content control", "revision", "moved", "text box", "link"],
)
def test_nothing_of_a_word_document_is_lost(body: str, expected: str) -> None:
    document = docx.Document()
    document.element.body.insert(0, parse_xml(body.format(W, "<w:r><w:t>文</w:t></w:r>")))
    target = io.BytesIO()
    document.save(target)
    assert text(target.getvalue(), "a.docx").strip() == expected


def test_external_references_are_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    document = docx.Document(io.BytesIO(word("正文。")))
    address = "http://127.0.0.1:9/template.dotx"
    for kind in (RELATIONSHIP_TYPE.IMAGE, RELATIONSHIP_TYPE.HYPERLINK, RELATIONSHIP_TYPE.STYLES):
        document.part.relate_to(address, kind, is_external=True)
    target = io.BytesIO()
    document.save(target)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a connection was opened"))
    assert text(target.getvalue(), "a.docx") == "正文。"


def test_entities_of_the_xml_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret words")
    with zipfile.ZipFile(io.BytesIO(word("正文。"))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    xml = files["word/document.xml"].decode()
    doctype = f'<!DOCTYPE w [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    xml = re.sub(r"(<\?xml[^>]*\?>)?\s*", lambda found: found[0] + doctype, xml, count=1).replace(
        "正文。", "正&x;文。"
    )
    files["word/document.xml"] = xml.encode()
    shown = [str(one) for one in read_document(packed(files), place="a.docx")]
    assert len(shown) == 1
    assert "secret words" not in shown[0]


def test_what_a_word_document_says_of_itself() -> None:
    made = docx.Document()
    made.add_paragraph("正文。")
    made.core_properties.title, made.core_properties.author = "通知", "示例市民政局"
    made.core_properties.created = datetime(2024, 3, 5, 8, 30)
    stream = io.BytesIO()
    made.save(stream)
    (found,) = texts(stream.getvalue(), "a.docx")
    assert found.meta == {"title": "通知", "date": "2024-03-05", "source": "示例市民政局"}


def test_a_table_in_a_table_and_paragraphs_in_a_cell() -> None:
    made = docx.Document()
    table = made.add_table(1, 2)
    first, second = table.rows[0].cells
    first.text = "甲\n乙"
    second.text = "丙"
    second.add_table(1, 1).rows[0].cells[0].text = "丁"
    stream = io.BytesIO()
    made.save(stream)
    assert text(stream.getvalue(), "a.docx").split() == ["甲", "乙", "丙", "丁"]


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_front_matter_of_markdown(quote: str) -> None:
    source = f"---\nTitle: {quote}通知: 一{quote}\ndate: 2024-03-05\nnothing\n---\n正文。\n"
    (found,) = texts(source.encode(), "a.md")
    assert (found.text, found.meta) == ("正文。", {"title": "通知: 一", "date": "2024-03-05"})


# Plain text

TRADITIONAL = "民政局召開會議，研究養老服務工作。會議要求各單位落實責任，關心困難羣眾生活。" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_encodings_that_are_read(encoding: str) -> None:
    assert text(f"{LINE}。".encode(encoding), "a.txt") == f"{LINE}。"


@pytest.mark.parametrize("words", [TRADITIONAL, "會", f"3月5日 {TRADITIONAL} ABC"])
def test_big5_is_named_where_it_can_be_told(words: str) -> None:
    found = list(read_document(words.encode("big5", "ignore"), place="a.txt"))
    assert [str(one) for one in found] == [
        "a.txt: text in Big5, not in UTF-8 or GB18030; convert it to UTF-8"
    ]


@pytest.mark.parametrize("words", [TRADITIONAL, LINE, "〇一", "ＡＢ"])
def test_text_in_gb18030_is_not_taken_for_big5(words: str) -> None:
    assert text(words.encode("gb18030"), "a.txt") == words


def test_text_that_is_cut_off_or_none() -> None:
    whole = f"{LINE}。".encode()
    assert errors(whole[:-1], "a.txt") == [
        "a.txt: UTF-8 that ends in the middle of a character; is the file whole?"
    ]
    assert errors(b"abc \xff\xff", "a.txt") == [
        "a.txt: not text in UTF-8 or GB18030 (byte 4); convert it to UTF-8"
    ]
    assert errors(whole[:6] + b"\xff" + whole[6:], "a.txt") == [
        "a.txt: not text in UTF-8 or GB18030 (byte 6); convert it to UTF-8"
    ]


# PDF


def test_a_sentence_over_a_page_break() -> None:
    content = pdf([[LINE, "— 1 —"], ["示例市民政局办公室。", "— 2 —"]], Title="通知", Author="示例市民政局")
    (found,) = texts(content, "a.pdf")
    assert found.text == f"{LINE}示例市民政局办公室。"
    assert found.meta == {"title": "通知", "source": "示例市民政局"}


def test_date_and_titles_of_programs() -> None:
    content = pdf([["正文。"]], Title="Microsoft Word - 1.doc", CreationDate="D:20240305080000+08'00'")
    assert texts(content, "a.pdf")[0].meta == {"date": "2024-03-05"}
    assert texts(pdf([["正文。"]], CreationDate="yesterday"), "a.pdf")[0].meta == {}


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([[LINE, LINE + "。", "短行。"]], f"{LINE}{LINE}。\n短行。"),
        ([["关于工作的通知", LINE, LINE + "。"]], f"关于工作的通知\n{LINE}{LINE}。"),
        ([[LINE, "一、加强领导"]], f"{LINE}\n一、加强领导"),
        ([[LINE, "（二）压实责任"]], f"{LINE}\n（二）压实责任"),
        ([["2024", LINE], [LINE + "。", "35"]], f"2024\n{LINE}{LINE}。\n35"),
        ([[LINE, "1"], [LINE, "2"], ["完。", "3"]], f"{LINE}{LINE}完。"),
        ([[LINE, "第 1 页 共 2 页"], ["完。", "2/2"]], f"{LINE}完。"),
        ([["公报第1期", LINE], ["公报第2期", LINE], ["公报第3期", "完。"]], f"公报第1期\n{LINE}{LINE}完。"),
        (
            [["甲", LINE, "页脚1"], ["乙", LINE, "页脚2"], ["丙", "完。", "页脚3"]],
            f"甲\n{LINE}乙\n{LINE}丙\n完。\n页脚3",
        ),
        (
            [["期1", "一。"], ["期2", "二。"], ["三。", "三。"], ["四。", "四。"]],
            "期1\n一。\n期2\n二。\n三。\n三。\n四。\n四。",
        ),
        (
            [["头", f"第{n}期", f"{LINE}。", "脚", f"底{n}"] for n in (1, 2, 3)],
            f"头\n第1期\n{LINE}。\n{LINE}。\n{LINE}。\n脚\n底3",
        ),
        (
            [["头", "一。"], ["别", "头", "二。"], ["头", "三。"], ["头", "四。"]],
            "头\n一。\n别\n头\n二。\n三。\n四。",
        ),
        ([["only " * 9 + "Latin words", "go on here."]], "only " * 9 + "Latin words go on here."),
        ([["only " * 9 + "Latin-", "words go on."]], "only " * 9 + "Latin-words go on."),
        ([[LINE, "a" * len(LINE), "甲" * len(LINE)]], LINE + "a" * len(LINE) + "\n" + "甲" * len(LINE)),
        ([[f"  {LINE}  ", "完。"]], f"  {LINE}完。"),
        ([[LINE[:9] + "，"], ["1", "又。"]], LINE[:9] + "，1\n又。"),
        ([], ""),
        ([[], ["—1—"]], ""),
    ],
)
def test_lines_of_pages_become_paragraphs(pages: list[list[str]], expected: str) -> None:
    assert join_pages(pages) == expected


@settings(deadline=None)
@given(st.lists(st.lists(st.text("甲乙丙。 1ab-", min_size=1, max_size=8), max_size=5), max_size=2))
def test_joining_drops_numbers_and_white_space_only(pages: list[list[str]]) -> None:
    lines = [line for page in without_numbers([[x for x in p if x.strip()] for p in pages]) for line in page]
    assert re.sub(r"\s", "", join_pages(pages)) == re.sub(r"\s", "", "".join(lines))
    dropped = [line for page in pages for line in page if line.strip() and line not in lines]
    assert all(re.fullmatch(r"[-\s\d]*\d[-\s\d]*", line) for line in dropped)


def test_signs_of_radicals_are_characters() -> None:
    assert set_right("⺠政⼯作⻅第⼀⻚，ﬁle") == "民政工作见第一页，file"
    assert set_right("国办发〔 1997 〕 11 号，2024 年 3 月") == "国办发〔1997〕11号，2024年3月"
    assert set_right("人数 35 张三 李四") == "人数 35 张三 李四"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (pdf([[]]), "a.pdf: no text in it, only pictures; scans must go through OCR first"),
        (pdf([["秘密"]], password="one"), "a.pdf: encrypted: it needs a password; save it without one"),
        (b"%PDF-1.7\nnothing", "a.pdf: damaged, not a PDF file that can be read: "),
        (b"", "a.pdf: damaged, not a PDF file that can be read: "),
    ],
    ids=["scan", "encrypted", "damaged", "empty"],
)
def test_pdf_that_can_not_be_read(content: bytes, says: str) -> None:
    (error,) = errors(content, "a.pdf")
    assert error.startswith(says)
    assert "\n" not in error


def test_pdf_that_is_locked_with_no_password() -> None:
    assert text(pdf([["正文。"]], password=""), "a.pdf") == "正文。"


# Archives


FILES = {
    "a.txt": "甲。".encode(),
    "b/c.html": PAGE.format(charset="utf-8").encode(),
    "b/d.docx": word("丁。"),
    "e.pdf": pdf([["戊。"]]),
}


def test_an_archive_of_all_kinds() -> None:
    found = texts(packed(FILES), "x.zip")
    assert [one.place for one in found] == [f"x.zip/{name}" for name in FILES]
    assert [found[0].text, found[2].text, found[3].text] == ["甲。", "丁。", "戊。"]


def test_faults_in_an_archive_stop_nothing() -> None:
    content = packed(
        {
            "a.pdf": b"%PDF",
            "../../x.txt": b"x",
            "C:\\y.txt": b"y",
            "/z.txt": b"z",
            "p.doc": b"w",
            "v.txt": b"v",
        }
    )
    assert [one.text for one in read_document(content, place="x.zip") if isinstance(one, Document)] == ["v"]
    lines = errors(content, "x.zip")
    assert [line.split(": ")[0] for line in lines][:2] == ["x.zip/a.pdf", "x.zip/../../x.txt"]
    assert ["unsafe name" in line for line in lines] == [False, True, True, True, False]
    assert "unsupported type .doc; save it as .docx" in lines[-1]


def test_bombs() -> None:
    bomb = packed({"a.txt": bytes(5_000_000)})
    assert "like a zip bomb" in errors(bomb, "x.zip")[0]
    assert "limit archive_bytes" in errors(bomb, "x.zip", DocumentLimits(archive_bytes=10_000))[0]
    many = packed({f"{number}.txt": b"x" for number in range(5)})
    assert "limit archive_files" in errors(many, "x.zip", DocumentLimits(archive_files=4))[0]
    large = DocumentLimits(file_bytes=3)
    assert "limit file_bytes" in errors(packed({"a.txt": b"long"}), "x.zip", large)[0]
    assert "limit file_bytes" in errors(b"long", "a.txt", large)[0]
    assert "like a zip bomb" in errors(packed({"word/document.xml": bytes(5_000_000)}), "a.docx")[0]


def test_archives_in_archives() -> None:
    inner = packed({"a.txt": b"text"})
    middle = packed({"in.zip": inner, "b.txt": b"b"})
    assert [one.place for one in texts(middle, "x.zip")] == ["x.zip/in.zip/a.txt", "x.zip/b.txt"]
    outer = packed({"mid.zip": middle})
    assert errors(outer, "x.zip") == [
        "x.zip/mid.zip/in.zip: an archive too deep inside others (limit archive_depth); unpack it first"
    ]
    # The budget is shared: what is in an inner archive counts for the outer one.
    assert "limit archive_files" in errors(middle, "x.zip", DocumentLimits(archive_files=2))[0]


def test_names_in_gbk_links_and_passwords() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/hostname")
        archive.writestr("__MACOSX/._a.txt", b"\0\5")
        archive.writestr("AAAA.txt", b"x")
    content = target.getvalue().replace(b"AAAA.txt", "公告".encode("gbk") + b".txt")
    found = list(read_document(content, place="x.zip"))
    assert [str(one) if isinstance(one, DataError) else one.place for one in found] == [
        "x.zip/link.txt: a symbolic link in an archive; not followed",
        "x.zip/公告.txt",
    ]
    locked = bytearray(packed({"a.txt": b"x"}))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted: it needs a password" in errors(bytes(locked), "x.zip")[0]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_archives_that_are_none(content: bytes) -> None:
    (error,) = errors(content, "x.zip")
    assert error.startswith("x.zip: ")


# All


def test_unsupported_types() -> None:
    (error,) = errors(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "a.doc")
    assert error == "a.doc: unsupported type .doc; save it as .docx"
    (error,) = errors(b"\x00", "a.exe")
    assert error.startswith(
        "a.exe: unsupported type .exe; supported are .txt, .md, .html, .htm, .docx, .pdf, .zip"
    )
    assert "old form of Word" in errors(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "a.docx")[0]
    assert text("甲。".encode(), "a.csv") == "甲。"
    supported = "supported are .txt, .md, .html, .htm, .docx, .pdf, .zip"
    (error,) = errors(packed({"letter": "甲。".encode()}), "x.zip")
    assert error == f"x.zip/letter: unsupported type without a suffix; {supported}"


@pytest.mark.parametrize(
    ("module", "package", "name"),
    [
        ("pypdf", "pypdf", "a.pdf"),
        ("docx", "python-docx", "a.docx"),
        ("markdown_it", "markdown-it-py", "a.md"),
    ],
)
def test_a_missing_library_is_named(
    module: str, package: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (error,) = errors("甲。".encode(), name)
    assert error == f"{name}: reading it needs {package}: pip install 'zhengling[documents]'"


def test_damaged_word_is_called_so() -> None:
    (error,) = errors(packed({"word/document.xml": b"<nothing"}), "a.docx")
    assert error.startswith("a.docx: damaged, not a Word file that can be read: ")


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(SUFFIXES),
    st.one_of(st.binary(max_size=300), st.sampled_from([*FILES.values(), packed(FILES)])),
    st.integers(0, 2000),
    st.binary(min_size=1, max_size=4),
)
def test_damaged_files_are_texts_or_named_faults(
    suffix: str, content: bytes, place: int, damage: bytes
) -> None:
    content = content[:place] + damage + content[place + len(damage) :]
    found = list(read_document(content, place=f"a{suffix}"))
    assert found
    for one in found:
        if isinstance(one, DataError):
            assert str(one).startswith(f"a{suffix}")
            assert "\n" not in str(one)
        else:
            assert one.text.strip()


@pytest.mark.parametrize(
    "text", ["好" * 3_300_000, "\n" * 1_000_000 + "好。"], ids=["one character", "line breaks"]
)
def test_huge_texts(text: str) -> None:
    """Read without loss, and as documents of other kinds read or refused in a line."""
    content = text.encode()
    assert texts(content, "a.txt")[0].text == text
    assert "like a zip bomb" in errors(packed({"a.txt": content}), "x.zip")[0]
    assert "好" in texts(content, "a.md")[0].text
    (page,) = read_document(b"<p>" + content, place="a.html")
    assert str(page).startswith("a.html: ") if isinstance(page, DataError) else "好" in page.text


def test_documents_become_sources(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(packed({"a.txt": b"one", "b/a.txt": b"two", "c.pdf": b""}))
    (tmp_path / "d.docx").write_bytes(word("正文。", title="题", author="者"))
    found = list(read_sources([str(tmp_path)]))
    sources = [one for one in found if isinstance(one, Source)]
    assert len(found) == 4
    assert sources[0].text == "正文。"
    assert sources[0].meta["title"] == "题"
    assert len({one.id for one in sources}) == 3
    small = replace(DocumentLimits(), file_bytes=10)
    assert all(isinstance(one, DataError) for one in read_sources([str(tmp_path)], limits=small))
