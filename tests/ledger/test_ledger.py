"""Ledgers, read back."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import SCHEME

from zhengling.errors import ZhenglingError
from zhengling.ledger import Entry, entries, write_ledger
from zhengling.ledger.cells import LONGEST, cell, neutral
from zhengling.ledger.wording import COLUMNS, headings
from zhengling.ledger.workbook import write_workbook
from zhengling.schema import Bulletin, Directive, Mention, Sentence

EVIL = "<script>alert(1)</script>"
ROW = Entry(
    source="=cmd()",
    date="2026-03-05",
    issuer="+会议",
    addressee="-各地",
    item="@SUM(A1)\x07",
    domains=("养老服务", "社会救助"),
    groups=(EVIL,),
    deadline="6月底前",
    due="2026-06-30",
    documents=(),
    confidence=0.98765,
    sentence="\t=1+1",
    link="a.txt#char=0,9",
    file="",
)


def sheet(path: Path) -> openpyxl.worksheet.worksheet.Worksheet:
    return openpyxl.load_workbook(path).worksheets[0]


def rows_of(path: Path) -> list[dict[str, object]]:
    head, *rows = sheet(path).iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def test_a_workbook(tmp_path: Path) -> None:
    assert write_ledger([ROW], tmp_path / "l.xlsx", language="zh") == 1

    page = sheet(tmp_path / "l.xlsx")
    [row] = rows_of(tmp_path / "l.xlsx")
    assert (page.freeze_panes, page.auto_filter.ref, page.title) == ("A2", "A1:N2", "督查台账")
    assert page["F2"].alignment.wrap_text
    assert row["任务事项"] == "'@SUM(A1)␇"
    assert row["业务领域"] == "养老服务；社会救助"
    assert row["服务对象"] == EVIL
    assert row["置信度"] == 0.988
    assert all(cell.data_type != "f" for line in page.iter_rows() for cell in line)


def test_csv_opens_in_excel(tmp_path: Path) -> None:
    write_ledger([ROW], tmp_path / "l.csv", language="en")

    content = (tmp_path / "l.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfNo.,Source")
    [row] = csv.DictReader(content.decode("utf-8-sig").splitlines())
    assert [row[key][0] for key in ("Source", "Issuer", "Addressee", "Item", "Sentence")] == ["'"] * 5


def test_jsonl_keeps_the_words(tmp_path: Path) -> None:
    write_ledger([ROW, ROW], tmp_path / "l.jsonl", language="zh")

    lines = (tmp_path / "l.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert json.loads(lines[0])["source"] == "=cmd()"


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_no_cell_is_a_formula_or_holds_a_control_character(text: str) -> None:
    made = cell(text)

    assert not made.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not any(ord(c) < 32 and c not in "\t\n\r" for c in made)
    assert openpyxl.cell.cell.ILLEGAL_CHARACTERS_RE.search(made) is None
    made.encode("utf-8")


def test_harmless_text_is_left_alone() -> None:
    assert neutral("会议要求") == cell("会议要求") == "会议要求"


@pytest.mark.parametrize("text", ["长" * 40_000, "𠮷" * 20_000, "=" * 32_767])
def test_long_cells_are_cut_visibly(text: str) -> None:
    made = cell(text)

    assert len(made.encode("utf-16-le")) // 2 <= LONGEST
    assert made.endswith("…")


def test_more_rows_than_a_sheet_holds_go_on_on_the_next(tmp_path: Path) -> None:
    rows = [replace(ROW, item=str(number)) for number in range(5)]
    write_workbook(rows, tmp_path / "l.xlsx", language="en", folder=tmp_path, rows_a_sheet=2)

    book = openpyxl.load_workbook(tmp_path / "l.xlsx")
    assert book.sheetnames == ["Task ledger", "Task ledger (2)", "Task ledger (3)"]
    assert [page.max_row for page in book] == [3, 3, 2]
    assert [page["F2"].value for page in book] == ["0", "2", "4"]
    assert book.worksheets[2]["A2"].value == 5


def test_an_empty_ledger_has_its_headings(tmp_path: Path) -> None:
    assert write_ledger([], tmp_path / "l.xlsx", language="zh") == 0
    assert [c.value for c in sheet(tmp_path / "l.xlsx")[1]] == [headings("zh")[name] for name in COLUMNS]


def test_entries_of_a_bulletin(tmp_path: Path) -> None:
    (tmp_path / "通知 1.txt").write_text("各地要抓好落实。", encoding="utf-8")
    item = Directive(
        0, 7, 0, Mention(3, 7, "抓好落实"), addressee=Mention(0, 2, "各地"), domains=("elderly",)
    )
    bulletin = Bulletin(
        "x",
        "各地要抓好落实。",
        sentences=(Sentence(0, 8, "DIRECTIVE"),),
        directives=(item,),
        meta={"title": EVIL},
    )

    [row] = entries([bulletin], scheme=SCHEME, language="zh", places={"x": str(tmp_path / "通知 1.txt")})
    write_ledger([row], tmp_path / "deep" / "l.xlsx", language="zh")

    assert (row.source, row.addressee, row.item, row.domains) == (EVIL, "各地", "抓好落实", ("养老服务",))
    assert unquote(row.link) == "通知 1.txt#char=0,7"
    link = sheet(tmp_path / "deep" / "l.xlsx")["N2"].hyperlink
    assert link is not None
    assert unquote(link.target) == "../通知 1.txt"


def test_a_file_named_to_lead_elsewhere_stays_a_name() -> None:
    item = Directive(0, 2, 0, Mention(0, 2, "要做"))
    bulletin = Bulletin("../../x", "要做", sentences=(Sentence(0, 2, "DIRECTIVE"),), directives=(item,))

    [row] = entries([bulletin], scheme=SCHEME, language="en", places={"../../x": "../../x"})

    assert row.link == "x#char=0,2"


def test_another_suffix_or_language(tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match=r"one of \.xlsx, \.csv, \.jsonl"):
        write_ledger([], tmp_path / "l.xls", language="zh")
    with pytest.raises(ZhenglingError, match="language 'fr'"):
        write_ledger([], tmp_path / "l.csv", language="fr")
    assert list(tmp_path.iterdir()) == []


def test_a_fault_on_the_way_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterable[Entry]:
        yield ROW
        raise OSError(28, "No space left on device")

    for name in ("l.xlsx", "l.csv", "l.jsonl"):
        with pytest.raises(OSError, match="No space left"):
            write_ledger(broken(), tmp_path / name, language="zh")
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.ledger.test_ledger import ROW
from zhengling.errors import ZhenglingError
from zhengling.ledger import write_ledger
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
for name in ("l.xlsx", "l.csv", "l.jsonl"):
    try:
        write_ledger([ROW] * 3000, Path(sys.argv[1]) / name, language="zh")
    except (ZhenglingError, OSError) as error:
        print(name, type(error).__name__)
"""


def test_a_full_disk_is_one_fault_and_no_file(repository: Path, tmp_path: Path) -> None:
    paths = os.pathsep.join(str(repository / part) for part in ("", "pipeline", "training"))
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert done.stdout.split() == ["l.xlsx", "ZhenglingError", "l.csv", "OSError", "l.jsonl", "OSError"]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
