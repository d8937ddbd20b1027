"""A report: all figures of a model on a set of bulletins, with what was measured; and its JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import read_json
from zhengling.schema import Bulletin, LabelScheme
from zhengling.scoring import match_sentences
from zhengling_training.evaluation.bootstrap import Interval, Resampling, intervals
from zhengling_training.evaluation.breakdown import Breakdown, Splits, breakdowns
from zhengling_training.evaluation.calibration import Curve, curves
from zhengling_training.evaluation.domains import DomainErrors, domain_errors
from zhengling_training.evaluation.facts import Facts
from zhengling_training.evaluation.ledger import Ledger, make_ledger, measures
from zhengling_training.evaluation.metrics import Scores, score_each, total_of

SCHEMA = "zhengling-evaluation-1"
JSON, HTML, MARKDOWN = "report.json", "report.html", "report.md"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure with its interval; None where it is undefined."""

    value: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        held = self.interval
        return {"value": self.value, "interval": None if held is None else [held.low, held.high]}


@dataclass(frozen=True)
class Report:
    """All figures.

    Attributes:
        facts: what was measured.
        scheme: the labels.
        resampling: how intervals were made.
        scores: of all bulletins together.
        estimates: every measure of ``ledger.measures`` by name.
        domain_errors: what domains were taken for.
        curves: precision and recall over thresholds, by head and domain.
        breakdowns: results by part of the data.
        ledger: counts by bulletin.
    """

    facts: Facts
    scheme: LabelScheme
    resampling: Resampling
    scores: Scores
    estimates: Mapping[str, Estimate]
    domain_errors: DomainErrors
    curves: Mapping[str, Curve]
    breakdowns: tuple[Breakdown, ...]
    ledger: Ledger

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; holds no text of the bulletins but what facts about them say."""
        return {
            "schema": SCHEMA,
            **self.facts.to_dict(),
            "scheme": self.scheme.to_dict(),
            "resampling": asdict(self.resampling),
            **self.scores.to_dict(),
            "measures": {name: estimate.to_dict() for name, estimate in self.estimates.items()},
            "domain_errors": self.domain_errors.to_dict(),
            "calibration": {head: found.to_dict() for head, found in self.scores.calibration.items()},
            "thresholds": {key: curve.to_dict() for key, curve in self.curves.items()},
            "breakdowns": [breakdown.to_dict() for breakdown in self.breakdowns],
            "by_bulletin": self.ledger.to_dict(),
        }


def make_report(
    gold: Sequence[Bulletin],
    predicted: Sequence[Bulletin],
    *,
    scheme: LabelScheme,
    facts: Facts,
    seen: Collection[str] | None = None,
    resampling: Resampling,
) -> Report:
    """Measure predictions.

    Args:
        gold: annotated bulletins.
        predicted: the same bulletins as analysed, in the same order.
        scheme: the labels.
        facts: what is measured.
        seen: strings of entities in training; None if unknown.
        resampling: how intervals are made.

    Raises:
        ZhenglingError: no gold at all, another number of predictions, or a text that was changed.
    """
    scores = score_each(gold, predicted, scheme=scheme)
    pairs = list(zip(gold, predicted, strict=True))
    matched = [match for pair in pairs for match in match_sentences(*pair)]
    ledger = make_ledger(gold, scores, scheme=scheme)
    return Report(
        facts=facts,
        scheme=scheme,
        resampling=resampling,
        scores=total_of(scores),
        estimates=_estimates(ledger, resampling),
        domain_errors=domain_errors(matched),
        curves=curves(pairs, matched, scheme=scheme),
        breakdowns=breakdowns(pairs, scores, seen=seen, splits=Splits(), settings=resampling),
        ledger=ledger,
    )


def _estimates(ledger: Ledger, resampling: Resampling) -> dict[str, Estimate]:
    every = measures(ledger.families)
    held = intervals(ledger, every.values(), settings=resampling)
    total = ledger.total
    values = {name: float(measure.of(total)) for name, measure in every.items()}
    return {
        name: Estimate(None if math.isnan(value) else value, held[name]) for name, value in values.items()
    }


def to_json(report: Report) -> str:
    """The report as JSON: a line for each part, and for each bulletin."""
    data = report.to_dict()
    rows = data["by_bulletin"].pop("rows")
    parts = [f"{_dump(key)}: {_dump(value)}" for key, value in data.items() if key != "by_bulletin"]
    inner = [f"{_dump(key)}: {_dump(value)}" for key, value in data["by_bulletin"].items()]
    lines = ",\n".join(_dump(row) for row in rows)
    last = ",\n".join([*inner, f'"rows": [\n{lines}\n]'])
    return "{\n" + ",\n".join([*parts, f'"by_bulletin": {{\n{last}\n}}']) + "\n}\n"


def read_report(path: Path) -> dict[str, Any]:
    """Read ``report.json``, or that of a folder.

    Raises:
        ZhenglingError: it can't be read, or isn't a report of this version of the schema.
    """
    file = path / JSON if path.is_dir() else path
    data = read_json(file)
    found = data.get("schema") if isinstance(data, dict) else None
    if found != SCHEMA:
        raise DataError(f"not a report of zhengling evaluate: schema {found!r}, not {SCHEMA!r}", path=file)
    return dict(data)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
