from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.training.evaluation.samples import EVIL, FACTS, noisy
from tests.training.samples import MSRA, SCHEME, invented_bulletins, plain_names

from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin, Label
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.markdown import to_markdown
from zhengling_training.evaluation.page import to_html
from zhengling_training.evaluation.report import Report, make_report

FEW = Resampling(resamples=100)


class Outline(HTMLParser):
    """What elements a page has, and what its scripts hold."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.sections: list[str] = []
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag == "section":
            self.sections.append(dict(attrs)["id"] or "")
        assert not {name for name, _ in attrs} & {"style", "onclick", "onload", "src"}

    def handle_data(self, data: str) -> None:
        if self.scripts and self.names[-1] == "script":
            attributes, content = self.scripts[-1]
            self.scripts[-1] = attributes, content + data


def outline(page: str) -> Outline:
    found = Outline()
    found.feed(page)
    return found


def data_of(page: str, name: str = "data") -> list[dict[str, object]]:
    (content,) = [text for attributes, text in outline(page).scripts if attributes.get("id") == name]
    found: list[dict[str, object]] = json.loads(content)
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_has_every_section(
    report: Report, gold: list[Bulletin], predicted: list[Bulletin], language: str
) -> None:
    page = to_html(report, gold, predicted, language=language)
    found = outline(page)
    assert found.sections == [
        "measured",
        "summary",
        "entities",
        "boundaries",
        "functions",
        "domains",
        "calibration",
        "thresholds",
        "breakdowns",
        "speed",
        "method",
        "errors",
    ]
    assert found.names.count("svg") >= 10
    assert not re.search(r"(?:src|href)=[\"']?https?:", page)
    assert f"{report.estimates['entity_f1'].value:.3f}" in page
    assert FACTS.model.sha256 in page
    chinese = re.findall(r"<h2>[^<]*[\u4e00-\u9fff]", page)
    assert bool(chinese) == (language == "zh")


def test_what_others_wrote_is_escaped(
    report: Report, gold: list[Bulletin], predicted: list[Bulletin]
) -> None:
    page = to_html(report, gold, predicted, language="zh")
    assert EVIL not in page
    assert len(outline(page).scripts) == 3
    entries = {str(entry["id"]): entry for entry in data_of(page)}
    assert entries["evil"]["text"] == f"{EVIL}。"
    assert entries[gold[1].id]["title"] == EVIL
    assert EVIL not in to_markdown(report, language="zh")


def test_labels_are_escaped() -> None:
    label = Label(EVIL, "<b>", "#123456")
    scheme = replace(SCHEME, entities=(*SCHEME.entities, label))
    gold = invented_bulletins(3)
    changed = tuple(replace(entity, label=EVIL) for entity in gold[0].entities)
    gold[0] = replace(gold[0], entities=changed)
    facts = replace(FACTS, model=replace(FACTS.model, name=EVIL), command=EVIL)
    report = make_report(gold, noisy(gold), scheme=scheme, facts=facts, resampling=FEW)
    for language in ("zh", "en"):
        page = to_html(report, gold, noisy(gold), language=language)
        assert EVIL not in page
        assert "<b>" not in page.split("<main")[1].split("<script")[0]
        assert "&lt;script&gt;" in page
        markdown = to_markdown(report, language=language)
        assert EVIL not in markdown
        assert "\\<script\\>" in markdown


def test_a_colour_that_is_none_is_refused(gold: list[Bulletin]) -> None:
    scheme = replace(SCHEME, entities=(replace(SCHEME.entities[0], colour="red"), *SCHEME.entities[1:]))
    report = make_report(gold, gold, scheme=scheme, facts=FACTS, resampling=FEW)
    with pytest.raises(ZhenglingError, match="colour 'red'"):
        to_html(report, gold, gold, language="zh")


def test_a_scheme_of_entities_alone() -> None:
    gold = plain_names(invented_bulletins(4))
    predicted = noisy(gold, scheme=MSRA)
    report = make_report(gold, predicted, scheme=MSRA, facts=FACTS, resampling=FEW)
    sections = outline(to_html(report, gold, predicted, language="en")).sections
    assert "functions" not in sections
    assert "domains" not in sections
    assert "–" in to_markdown(report, language="en")


def test_a_thousand_bulletins_stay_below_twenty_megabytes() -> None:
    (one,) = invented_bulletins(1)
    long = replace(one, text=one.text + "青溪县民政局开展养老服务。" * 700)
    gold = [replace(long, id=str(number)) for number in range(1000)]
    predicted = noisy(gold)
    report = make_report(gold, predicted, scheme=SCHEME, facts=FACTS, resampling=FEW)
    page = to_html(report, gold, predicted, language="zh")
    assert 15_000_000 < len(page.encode()) < 20_000_000
    assert "未收入" in page
