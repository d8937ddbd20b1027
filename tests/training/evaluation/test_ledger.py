"""The arrays say what the scores say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.training.evaluation.samples import noisy
from tests.training.samples import MSRA, SCHEME, invented_bulletins, plain_names

from zhengling.errors import DataError
from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.evaluation.ledger import HEADLINES, Ledger, Sums, digest_of, make_ledger, measures
from zhengling_training.evaluation.metrics import Scores, score, score_each


def ledger_of(gold: list[Bulletin], predicted: list[Bulletin], scheme: LabelScheme = SCHEME) -> Ledger:
    return make_ledger(gold, score_each(gold, predicted, scheme=scheme), scheme=scheme)


def values(ledger: Ledger) -> dict[str, float | None]:
    total = ledger.total
    found = {name: float(measure.of(total)) for name, measure in measures(ledger.families).items()}
    return {name: None if np.isnan(value) else value for name, value in found.items()}


def check(found: dict[str, float | None], scores: Scores) -> None:
    for name, value in scores.summary().items():
        assert found[name] == pytest.approx(value), name
    groups = {"entity": scores.entities, "function": scores.functions, "domain": scores.domains}
    for group, counts in groups.items():
        for label, count in counts.items():
            assert found[f"{group}_precision/{label}"] == pytest.approx(count.precision)
            assert found[f"{group}_recall/{label}"] == pytest.approx(count.recall)
            assert found[f"{group}_f1/{label}"] == pytest.approx(count.f1)


@pytest.mark.parametrize("seed", range(5))
def test_measures_are_those_of_the_scores(seed: int) -> None:
    gold = invented_bulletins(12, seed=seed)
    predicted = noisy(gold, seed=seed)
    scores = score(gold, predicted, scheme=SCHEME)
    check(values(ledger_of(gold, predicted)), scores)
    assert tuple(scores.summary()) == HEADLINES


def test_a_scheme_without_sentence_labels() -> None:
    gold = plain_names(invented_bulletins(4))
    predicted = noisy(gold, scheme=MSRA)
    found = values(ledger_of(gold, predicted, MSRA))
    check(found, score(gold, predicted, scheme=MSRA))
    assert found["function_accuracy"] is None
    assert found["domain_macro_f1"] is None


def test_part_of_the_bulletins() -> None:
    gold = invented_bulletins(6)
    predicted = noisy(gold)
    some = ledger_of(gold, predicted).take([1, 4])
    assert some.ids == (gold[1].id, gold[4].id)
    check(values(some), score([gold[1], gold[4]], [predicted[1], predicted[4]], scheme=SCHEME))


def same(one: Sums, other: Sums) -> bool:
    pairs = ((one.counts, other.counts), (one.gaps, other.gaps), (one.answers, other.answers))
    return all(np.allclose(mine, theirs, atol=1e-5) for mine, theirs in pairs)


def test_through_json_and_back() -> None:
    gold = invented_bulletins(3)
    ledger = ledger_of(gold, noisy(gold))
    back = Ledger.from_dict(json.loads(json.dumps(ledger.to_dict())))
    assert (back.ids, back.digests, back.families) == (ledger.ids, ledger.digests, ledger.families)
    assert same(back.rows, ledger.rows)
    assert not any(bulletin.text[:6] in json.dumps(ledger.to_dict(), ensure_ascii=False) for bulletin in gold)


@pytest.mark.parametrize("change", [{"rows": [{}]}, {"rows": 7}, {"families": []}, {"families": None}])
def test_what_is_no_ledger(change: dict[str, object]) -> None:
    gold = invented_bulletins(2)
    with pytest.raises(DataError, match="can't be read"):
        Ledger.from_dict(ledger_of(gold, gold).to_dict() | change)


def test_digests_tell_text_and_annotation_apart() -> None:
    (bulletin,) = invented_bulletins(1)
    assert digest_of(bulletin) == digest_of(replace(bulletin, id="other", meta={}))
    assert digest_of(bulletin) != digest_of(replace(bulletin, text=bulletin.text + "。"))
    assert digest_of(bulletin) != digest_of(replace(bulletin, entities=bulletin.entities[1:]))
