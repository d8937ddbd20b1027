"""The page of the simulated cluster: tables from what was measured, between their marks."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
import scale
from scale_jobs import Assumptions
from scale_measure import fit
from scale_page import tables
from scale_picture import picture

from zhengling.errors import ZhenglingError

ASSUMED = Assumptions(
    price=1,
    bulletins=3000,
    long_share=0.01,
    longest=100_000,
    commit=0.5,
    replacement=60,
    spread=0.2,
    seed=0,
)
CONTENT = json.loads(scale.RESULTS.read_text(encoding="utf-8"))


def test_tables_of_the_page() -> None:
    page = scale.PAGE.read_text(encoding="utf-8")
    for name, lines in tables(CONTENT, ASSUMED).items():
        page = scale.put(page, name, lines)
        rows = [line for line in lines if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1
        assert len(rows) > 2 or name == "assumptions"
        percents = [int(found) for row in rows for found in re.findall(r"(\d+)% \(", row)]
        assert all(0 <= percent <= 100 for percent in percents)
        assert scale.put(page, name, lines) == page


def test_cost_is_work_times_price() -> None:
    costs = tables(CONTENT, ASSUMED)["costs"]
    hours, money = (cell.strip() for cell in costs[-1].split("|")[2:4])

    assert hours == money


def test_a_page_without_marks() -> None:
    with pytest.raises(ZhenglingError, match="lacks <!-- costs -->"):
        scale.put("text", "costs", [])


def test_the_picture_is_xml_with_a_line_for_each_plan() -> None:
    drawing = ElementTree.fromstring(picture(CONTENT, ASSUMED))

    assert len(drawing.findall("{http://www.w3.org/2000/svg}polyline")) == 4


def test_times_are_found_from_what_they_make() -> None:
    read = [
        {"documents": n, "characters": c, "cpu": 0.01 * n + 0.0002 * c}
        for n, c in ((8, 900), (8, 4000), (8, 9000), (1, 3000))
    ]
    written = [{"rows": n, "bytes": 7000 + 100 * n, "cpu": 0.005 + 0.001 * n} for n in (1, 10, 40)]
    found = fit([{"cpu": 1.0}, {"cpu": 3.0}, {"cpu": 1.5}], read, written)

    assert found == pytest.approx(
        {
            "load": 1.5,
            "document": 0.01,
            "character": 0.0002,
            "part": 0.005,
            "row": 0.001,
            "row_bytes": 100,
        }
    )


def test_no_time_is_negative() -> None:
    read = [{"documents": n, "characters": 1000, "cpu": 0.5 - 0.01 * n} for n in (1, 10, 20)]
    written = [{"rows": n, "bytes": 100 * n, "cpu": 1.0} for n in (1, 2)]
    found = fit([{"cpu": 1.0}], read, written)

    assert found["document"] == 0
    assert 0.0003 < found["character"] < 0.0005
