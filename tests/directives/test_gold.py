"""The rules on the gold items of the corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhengling.errors import DataError
from zhengling_training.evaluation.directives import predictions, read_gold, score, table

GOLD = Path("corpus/directives.json")


def test_the_rules_reach_what_the_page_says() -> None:
    gold = read_gold(GOLD)
    scores = score((one.bulletin for one in gold), predictions(gold, None))

    assert len(gold) >= 90
    assert scores.gold >= 350
    assert scores.items == scores.gold == scores.found
    assert scores.rate("issuer") >= 0.93
    assert scores.rate("addressee") >= 0.90
    assert scores.rate("deadline") >= 0.95


def test_nothing_found_is_nothing_right() -> None:
    gold = read_gold(GOLD)[:3]
    scores = score((one.bulletin for one in gold), [one.bulletin.__class__("x", "") for one in gold])

    assert (scores.found, scores.items) == (0, 0)
    assert scores.rate("issuer") == 0


def test_the_table_has_a_line_a_sample() -> None:
    gold = read_gold(GOLD)

    assert [line.split()[0] for line in table(gold, predictions(gold, None))] == [
        "part",
        "first",
        "all",
        "second",
        "third",
        "fourth",
    ]


def test_gold_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "gold.json").write_text('{"items": []}', encoding="utf-8")

    with pytest.raises(DataError, match=r"gold\.json"):
        read_gold(tmp_path / "gold.json")
