from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.training.evaluation.samples import FACTS
from tests.training.samples import SCHEME, invented_bulletins

from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.ledger import Ledger
from zhengling_training.evaluation.report import SCHEMA, Report, make_report, read_report, to_json

HEADLINES = {
    "entity_f1",
    "entity_unlabelled_f1",
    "sentence_boundary_f1",
    "function_accuracy",
    "function_macro_f1",
    "domain_micro_f1",
    "domain_macro_f1",
    "ece_entities",
    "ece_functions",
    "ece_domains",
}


def test_json_says_everything_and_comes_back(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(to_json(report), encoding="utf-8")
    data = read_report(tmp_path)
    assert data == read_report(tmp_path / "report.json")
    assert data["schema"] == SCHEMA
    assert data["summary"].keys() >= HEADLINES
    assert data["summary"] == report.scores.summary()
    for name, value in data["summary"].items():
        estimate = data["measures"][name]
        assert estimate["value"] == pytest.approx(value)
        assert estimate["interval"] is not None, name
    for key in ("model", "data", "training", "command", "date", "machine", "versions", "run", "scheme"):
        assert data[key], key
    assert data["resampling"] == {"resamples": 200, "seed": 0, "level": 0.95, "fewest": 8}
    assert data["run"]["characters_per_cpu_second"] == 2000
    assert LabelScheme.from_dict(data["scheme"]) == SCHEME
    assert set(data["entity_schemes"]) == {"strict", "exact", "partial", "type"}
    assert set(data["calibration"]) == {"entities", "functions", "domains"}
    assert data["thresholds"]["entities"]["suggested"] is not None
    assert [found["by"] for found in data["breakdowns"]] == [
        "source",
        "year",
        "sentence_length",
        "entity_length",
        "seen",
    ]
    assert Ledger.from_dict(data["by_bulletin"]).ids == report.ledger.ids


def test_json_holds_no_text(report: Report, gold: list[Bulletin]) -> None:
    text = to_json(report)
    for bulletin in gold:
        for sentence in bulletin.sentences:
            assert bulletin.surface(sentence) not in text


def test_undefined_is_null_not_zero() -> None:
    gold = [Bulletin("a", "民政部。"), Bulletin("b", "民政部。")]
    found = make_report(gold, gold, scheme=SCHEME, facts=FACTS, resampling=Resampling(resamples=100))
    data = json.loads(to_json(found))
    assert set(data["summary"].values()) == {None}
    assert {estimate["value"] for estimate in data["measures"].values()} == {None}
    assert data["breakdowns"] == []
    assert data["thresholds"] == {}


def test_the_same_seed_gives_the_same_report() -> None:
    gold = invented_bulletins(4)
    one, other = (
        make_report(gold, gold, scheme=SCHEME, facts=FACTS, resampling=Resampling(resamples=100))
        for _ in range(2)
    )
    assert to_json(one) == to_json(other)


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not JSON"), ("[]", "not a report"), ("{}", "schema None"), ('{"schema": "other-9"}', "other-9")],
)
def test_what_is_no_report(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ZhenglingError, match=message):
        read_report(path)
    with pytest.raises(ZhenglingError, match=r"report\.json: can't be read"):
        read_report(tmp_path)
