from __future__ import annotations

from pathlib import Path

import pytest
from tests.training.samples import CONFIGS, MSRA, SCHEME, invented_bulletins, plain_names

from zhengling.errors import DataError, ZhenglingError
from zhengling.schema import Bulletin, Entity, Sentence, faults
from zhengling_training.baselines import Baseline, dictionary, fit_baseline
from zhengling_training.evaluation.metrics import score

PATTERNS = CONFIGS / "baselines" / "zh_bulletin.jsonl"


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return fit_baseline(invented_bulletins(60), scheme=SCHEME, patterns=PATTERNS)


def test_it_learns_what_is_regular(baseline: Baseline) -> None:
    gold = invented_bulletins(90)[60:]
    scores = score(gold, [baseline(b.text) for b in gold], scheme=SCHEME).summary()
    assert min(scores[name] or 0 for name in ("entity_f1", "function_accuracy", "domain_micro_f1")) > 0.8


def test_what_it_gives_is_sound(baseline: Baseline) -> None:
    for text in ("", "2031年4月5日，《办法》印发，补助3.5万元。", "标题\n各地要落实。"):
        found = baseline(text)
        assert list(faults(found, scheme=SCHEME)) == []
        assert all(s.scores for s in found.sentences)


def test_patterns_find_what_no_string_was_seen_of(baseline: Baseline) -> None:
    text = "2031年4月5日，《某某办法》印发，补助37.5万元。"
    found = baseline(text)
    surfaces = {found.surface(e): e.label for e in found.entities}
    assert surfaces == {"2031年4月5日": "DATE", "《某某办法》": "DOC", "37.5万元": "AMOUNT"}


def test_a_string_must_be_an_entity_as_often_as_not() -> None:
    bulletin = Bulletin("a", "甲乙丙丙丙", (Entity(0, 1, "ORG"), Entity(2, 3, "LOC")))
    assert dictionary([bulletin]) == [{"label": "ORG", "pattern": "甲"}]
    twice = Bulletin("b", "甲甲甲", (Entity(0, 1, "LOC"), Entity(1, 2, "LOC"), Entity(2, 3, "ORG")))
    assert dictionary([twice]) == [{"label": "LOC", "pattern": "甲"}]


def test_a_scheme_without_functions_and_domains() -> None:
    bulletins = plain_names(invented_bulletins(20))
    found = fit_baseline(bulletins, scheme=MSRA)(bulletins[0].text)
    assert {(s.function, s.domains) for s in found.sentences} == {(None, ())}
    assert {e.label for e in found.entities} <= {"PER", "LOC", "ORG"}


def test_nothing_to_learn_from() -> None:
    with pytest.raises(ZhenglingError, match="needs annotated sentences"):
        fit_baseline([Bulletin("a", "甲", (Entity(0, 1, "ORG"),))], scheme=SCHEME)


@pytest.mark.parametrize("line", ['{"label": "ORG"}', "[]", "{", '{"label": "X", "pattern": "a"}'])
def test_faulty_patterns_are_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "patterns.jsonl"
    path.write_text(line + "\n")
    bulletin = Bulletin("a", "甲", (), (Sentence(0, 1, "REPORT"),))
    with pytest.raises(DataError, match=r"patterns\.jsonl"):
        fit_baseline([bulletin], scheme=SCHEME, patterns=path)
