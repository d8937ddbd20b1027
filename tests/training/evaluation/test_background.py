from __future__ import annotations

from tests.training.evaluation.samples import FACTS

from zhengling_training.evaluation.background import background, measured
from zhengling_training.evaluation.report import Report
from zhengling_training.evaluation.view import Section, figure


def by_key(report: Report) -> dict[str, Section]:
    return {section.key: section for section in background(report, language="en")}


def test_what_was_measured(report: Report) -> None:
    (table,) = measured(report, language="en").tables
    facts = dict(table.rows)
    assert facts["SHA-256 of the model"] == FACTS.model.sha256
    assert facts["Size of the data"] == "12 bulletins, 800 characters, 48 sentences, 60 entities"
    assert facts["Training data (for strings seen)"].startswith("train.jsonl, ")
    assert facts["Machine"] == "a processor, 4 cores, 8 GB, Linux"
    assert facts["Intervals"] == "200 resamples of the bulletins, seed 0, 95% intervals"


def test_calibration_and_thresholds(report: Report) -> None:
    sections = by_key(report)
    (errors,) = sections["calibration"].tables
    assert [row[2] for row in errors.rows] == [figure(value) for value in report.scores.ece.values()]
    assert len(sections["calibration"].pictures) == len(sections["thresholds"].pictures) == 3
    (thresholds,) = sections["thresholds"].tables
    assert thresholds.rows[0][0] == "Entities"
    assert thresholds.rows[0][5] == figure(report.estimates["entity_f1"].value)


def test_breakdowns_are_titled(report: Report) -> None:
    tables = by_key(report)["breakdowns"].tables
    assert [table.title for table in tables] == [
        "Source",
        "Year",
        "Length of sentence (characters)",
        "Length of entity (characters)",
        "String in the training data",
    ]
    assert [row[0] for row in tables[4].rows] == ["seen", "not seen"]
    assert tables[0].rows[-1][0] == "not given"


def test_speed(report: Report) -> None:
    (table,) = by_key(report)["speed"].tables
    assert dict(table.rows)["Characters per CPU-second"] == "2,000"
    assert dict(table.rows)["Peak memory of the process (MB)"] == "300"
