from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console
from tests.training.samples import MSRA, SCHEME, invented_bulletins, plain_names

from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.evaluation.metrics import score
from zhengling_training.evaluation.table import UNDEFINED, figure, print_scores


def printed(gold: list[Bulletin], predicted: list[Bulletin], *, scheme: LabelScheme) -> list[list[str]]:
    """Lines of the tables as lists of cells."""
    stream = io.StringIO()
    print_scores(score(gold, predicted, scheme=scheme), console=Console(file=stream, width=120))
    lines = stream.getvalue().replace("│", " ").replace("┃", " ").splitlines()
    return [line.split() for line in lines]


def test_figures() -> None:
    assert figure(None) == UNDEFINED
    assert (figure(0.0), figure(2 / 3), figure(1.0)) == ("0.0000", "0.6667", "1.0000")


def test_all_labels_with_their_figures() -> None:
    gold = invented_bulletins(3)
    predicted = [replace(b, entities=[e for e in b.entities if e.label != "PERSON"]) for b in gold]
    rows = printed(gold, predicted, scheme=SCHEME)
    assert rows[0] == ["3", "bulletins"]
    count = {label: sum(e.label == label for b in gold for e in b.entities) for label in SCHEME.entity_names}
    for label, number in count.items():
        perfect = ["1.0000"] * 3 if number else [UNDEFINED] * 3
        cells = [UNDEFINED, "0.0000", "0.0000"] if label == "PERSON" else perfect
        assert [label, *cells, str(number)] in rows
    for name in SCHEME.domain_names:
        assert any(row[:1] == [name] for row in rows)
    assert ["function_accuracy", "1.0000"] in rows
    assert ["ece_entities"] not in [row[:1] for row in rows]


def test_a_scheme_without_sentence_labels_has_one_table_of_labels() -> None:
    gold = plain_names(invented_bulletins(2))
    rows = printed(gold, gold, scheme=MSRA)
    assert ["entities", "(strict)"] in rows
    assert ["functions"] not in rows
    assert ["domains"] not in rows
    assert ["function_accuracy", UNDEFINED] in rows
    assert ["LOC", UNDEFINED, UNDEFINED, UNDEFINED, "0"] in rows
