from __future__ import annotations

from dataclasses import replace

import pytest
from tests.training.evaluation.samples import FACTS

from zhengling_training.evaluation.markdown import to_markdown
from zhengling_training.evaluation.report import Report


def test_markdown_has_the_tables(report: Report) -> None:
    text = to_markdown(report, language="en")
    assert text.startswith("# Evaluation: zh\\_example\n")
    assert f"| Entity F1 (strict, micro) | {report.estimates['entity_f1'].value:.3f} |" in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")
    assert "| PERSON |" in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_table_is_even(report: Report, language: str) -> None:
    widths: list[int] = []
    for line in to_markdown(report, language=language).splitlines():
        if not line.startswith("|"):
            widths = []
            continue
        widths.append(line.replace("\\|", "").count("|"))
        assert widths[-1] == widths[0], line


def test_signs_of_markdown_mean_nothing(report: Report) -> None:
    odd = replace(report, facts=replace(FACTS, command="a|b `c` *d*\n# e <f>"))
    text = to_markdown(odd, language="en")
    assert "| Command | a\\|b \\`c\\` \\*d\\* \\# e \\<f\\> |" in text
