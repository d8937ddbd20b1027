from __future__ import annotations

from tests.training.samples import SCHEME

from zhengling_training.evaluation.ledger import HEADLINES
from zhengling_training.evaluation.report import Report
from zhengling_training.evaluation.sections import results
from zhengling_training.evaluation.view import UNDEFINED, Section, figure, number


def by_key(report: Report) -> dict[str, Section]:
    return {section.key: section for section in results(report, language="en")}


def test_figures() -> None:
    assert (figure(None), figure(0.0), figure(2 / 3)) == (UNDEFINED, "0.000", "0.667")
    assert (number(None), number(1234567.8)) == (UNDEFINED, "1,234,568")


def test_the_summary_has_every_headline(report: Report) -> None:
    (table,) = by_key(report)["summary"].tables
    assert len(table.rows) == len(HEADLINES)
    first = report.estimates["entity_f1"]
    assert first.interval is not None
    assert table.rows[0][1:] == (figure(first.value), f"{first.interval.low:.3f}–{first.interval.high:.3f}")


def test_entities_by_label_and_by_scheme(report: Report) -> None:
    labels, schemes = by_key(report)["entities"].tables
    rows = {row[0]: row for row in labels.rows}
    assert list(rows) == [*SCHEME.entity_names, "Micro", "Macro"]
    for label, counts in report.scores.entities.items():
        ratios = tuple(map(figure, (counts.precision, counts.recall, counts.f1)))
        assert rows[label][1:4] == ratios
        assert rows[label][5:7] == (str(counts.gold), str(counts.predicted))
        assert rows[label][7] == rows[label][3]  # under a label, exact is strict
    for row, found in zip(schemes.rows, report.scores.schemes.values(), strict=True):
        assert row[1] == str(found.correct)
        assert row[8] == figure(found.f1)


def test_functions_and_domains(report: Report) -> None:
    sections = by_key(report)
    wrong = sum(n for (gold, guess), n in report.scores.confusion.items() if gold != guess)
    assert sum(int(row[2]) for row in sections["functions"].tables[1].rows) == wrong
    names = [row[0] for row in sections["domains"].tables[0].rows]
    assert names == [*SCHEME.domain_names, "Micro", "Macro"]
    numbers = sections["domains"].tables[1].rows
    assert sum(int(row[1]) for row in numbers) == sum(report.scores.confusion.values())
    never = next(row for row in sections["domains"].tables[0].rows if row[0] == "lottery")
    assert never[1:5] == (UNDEFINED,) * 4
