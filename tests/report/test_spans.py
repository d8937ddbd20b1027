from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from zhengling.report.colours import contrast, legible, mix
from zhengling.report.spans import one_line, segments, tallies
from zhengling.report.wording import percentage
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_entity_across_a_border_stays_whole() -> None:
    bulletin = Bulletin("x", "甲乙。丙丁。", (Entity(1, 4, "ORG"),), (Sentence(0, 3), Sentence(3, 6)))
    first, second = segments(bulletin)
    assert [piece.text for piece in first.pieces] == ["甲", "乙。丙"]
    assert [piece.text for piece in second.pieces] == ["丁。"]


def test_tallies_join_broken_strings_and_keep_the_order_of_the_scheme(scheme: LabelScheme) -> None:
    text = "武汉、民政部、民政\n部"
    spans = ((0, 2, "LOC"), (3, 6, "ORG"), (7, 11, "ORG"))
    found = tallies(Bulletin("x", text, tuple(Entity(*span) for span in spans)), scheme=scheme)
    assert [(tally.label.name, tally.total, tally.strings) for tally in found] == [
        ("ORG", 2, (("民政部", 2),)),
        ("LOC", 1, (("武汉", 1),)),
    ]


@settings(deadline=None)
@given(st.text())
def test_one_line_loses_white_space_only(text: str) -> None:
    line = one_line(text)
    assert "".join(line.split()) == "".join(text.split())
    assert len(line.splitlines()) <= 1 or not set("\r\n") & set(line)


def test_one_line_keeps_words_apart() -> None:
    assert one_line(" 民政\r\n\r\n部  WHO\nnews ") == "民政部 WHO news"


@settings(deadline=None)
@given(st.floats(0, 1))
def test_only_certainty_is_shown_as_certain(score: float) -> None:
    shown = percentage(score)
    assert (shown == "100%") == (score == 1)
    assert (shown == "0%") == (score == 0)


@settings(deadline=None)
@given(COLOURS, COLOURS)
def test_legible_on_any_background(colour: str, background: str) -> None:
    assert contrast(legible(colour, backgrounds=(background,)), background) >= 4.5


@settings(deadline=None)
@given(COLOURS, st.sampled_from(["#ffffff", "#1c1e22"]), st.floats(0, 0.25))
def test_legible_on_sheet_and_tint(colour: str, sheet: str, share: float) -> None:
    tint = mix(sheet, colour, share=share)
    ink = legible(colour, backgrounds=(sheet, tint))
    assert min(contrast(ink, sheet), contrast(ink, tint)) >= 4.5


def test_a_legible_colour_stays() -> None:
    assert legible("#0b57d0", backgrounds=("#ffffff",)) == "#0b57d0"
    assert round(contrast("#000000", "#ffffff")) == 21
