"""The command that compares: what is compared, under which conditions, and what is said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhengling.errors import DataError, ZhenglingError
from zhengling.files import write_text
from zhengling.loading import find_model
from zhengling.report.terminal import visible
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.comparison import Change, Comparison, Difference, compare_ledgers
from zhengling_training.evaluation.facts import digest
from zhengling_training.evaluation.ledger import HEADLINES, Ledger
from zhengling_training.evaluation.report import JSON, read_report
from zhengling_training.evaluation.running import Options, Progress, evaluate
from zhengling_training.evaluation.view import UNDEFINED, figure

# Bulletins that the terminal lists of each kind.
_LISTED = 10


@dataclass(frozen=True)
class Side:
    """One of the two: its name and its counts by bulletin."""

    name: str
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold: ``under``, B is no worse than the value; ``than``, B is no worse than A by more."""

    kind: Literal["under", "than"]
    measure: str
    value: float


def sides(
    a: str, b: str, data: Path | None, *, options: Options, progress: Progress = iter
) -> tuple[Side, Side]:
    """The two that are compared: a report as it is, a model after a run; both are looked at before one runs.

    Args:
        a: ``report.json``, its folder, or a model.
        b: the same.
        data: annotated bulletins; a report must be of them.
        options: how to evaluate a model.
        progress: see ``running.evaluate``.

    Raises:
        ZhenglingError: a model without data, a report of other data, or what ``running.evaluate`` raises.
    """
    ledgers = [_reported(name, data) for name in (a, b)]

    def side(name: str, ledger: Ledger | None) -> Side:
        if ledger is None and data is not None:
            ledger = evaluate(name, data, options=options, progress=progress).report.ledger
        if ledger is None:
            raise ZhenglingError(f"{name} is no report; to compare a model name annotated bulletins, too")
        return Side(name, ledger)

    return side(a, ledgers[0]), side(b, ledgers[1])


def _reported(name: str, data: Path | None) -> Ledger | None:
    """The counts of a report; None for a model that is there."""
    path = Path(name)
    if path.suffix == ".json" or (path / JSON).is_file():
        return _ledger_of(path, data)
    if data is not None:
        find_model(name)
    return None


def _ledger_of(path: Path, data: Path | None) -> Ledger:
    report = read_report(path)
    try:
        if data is not None and report["data"]["sha256"] != digest(data):
            raise DataError(f"measured on {report['data']['path']}, which is not {data}", path=path)
        return Ledger.from_dict(report["by_bulletin"])
    except (KeyError, TypeError) as error:
        raise DataError(f"the report lacks {error}", path=path) from error


def compare(a: Side, b: Side, *, settings: Resampling) -> Comparison:
    """Compare the two.

    Raises:
        ZhenglingError: they are of different labels, or of different bulletins.
    """
    return compare_ledgers(a.ledger, b.ledger, names=(a.name, b.name), settings=settings)


def conditions(fail_under: Iterable[str], no_worse_than: Iterable[str]) -> list[Condition]:
    """Read conditions of the form ``MEASURE=NUMBER``.

    Raises:
        ZhenglingError: one has another form.
    """
    return [
        *(_condition("under", "--fail-under", text) for text in fail_under),
        *(_condition("than", "--no-worse-than", text) for text in no_worse_than),
    ]


def _condition(kind: Literal["under", "than"], option: str, text: str) -> Condition:
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not name or not 0 <= value <= 1:
        raise ZhenglingError(f"{option} {text}: expected MEASURE=NUMBER, the number from 0 to 1")
    return Condition(kind, name, value)


def broken(wanted: Sequence[Condition], found: Comparison) -> list[str]:
    """What doesn't hold, a line each.

    Raises:
        ZhenglingError: a condition names no measure.
    """
    lines = (_broken(condition, found.find(condition.measure)) for condition in wanted)
    return [line for line in lines if line is not None]


def _broken(condition: Condition, found: Difference) -> str | None:
    name, value = condition.measure, condition.value
    if found.b is None or (condition.kind == "than" and found.difference is None):
        return f"failed: {name} is undefined"
    sign = -1.0 if found.less_is_better else 1.0
    if condition.kind == "under":
        if sign * found.b >= sign * value:
            return None
        return f"failed: {name} is {found.b:.4f}, {'over' if found.less_is_better else 'under'} {value:g}"
    if found.difference is None or sign * found.difference >= -value:
        return None
    return f"failed: {name} is worse by {-sign * found.difference:.4f}, more than {value:g}"


def print_comparison(found: Comparison, *, console: Console) -> None:
    """Print the headline measures, and the bulletins that changed most; fits into 80 columns."""
    console.print(Text(visible(f"A: {found.a}\nB: {found.b}\n{found.bulletins} bulletins")), soft_wrap=True)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("measure", no_wrap=True)
    for head in ("A", "B", "B − A", "95% interval", "p boot", "p rand", "w/l"):
        table.add_column(head, justify="right", no_wrap=True)
    for name in HEADLINES:
        table.add_row(name, *map(Text, _cells(found.differences[name])))
    console.print(table)
    console.print("p boot: paired bootstrap; p rand: approximate randomisation; w/l: won/lost")
    for said, changes in (("fewer errors in B", found.wins), ("more errors in B", found.losses)):
        if changes:
            console.print(_changes(said, changes))


def write_comparison(found: Comparison, path: Path) -> None:
    """Write all figures as JSON.

    Raises:
        DataError: the file can't be written.
    """
    text = json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)
    try:
        write_text(path, text + "\n")
    except OSError as error:
        raise DataError(f"can't be written: {error.strerror or error}", path=path) from error


def _cells(entry: Difference) -> list[str]:
    held = entry.interval
    return [
        figure(entry.a),
        figure(entry.b),
        UNDEFINED if entry.difference is None else f"{entry.difference:+.3f}",
        UNDEFINED if held is None else f"[{held.low:+.3f}, {held.high:+.3f}]",
        figure(entry.p_bootstrap),
        figure(entry.p_randomisation),
        f"{entry.wins}/{entry.losses}",
    ]


def _changes(title: str, changes: Sequence[Change]) -> Table:
    rest = len(changes) - _LISTED
    more = f", {_LISTED} of {len(changes)}" if rest > 0 else f", {len(changes)}"
    table = Table("bulletin", "errors in A", "errors in B", title=title + more, title_justify="left")
    for change in changes[:_LISTED]:
        table.add_row(Text(visible(change.id)), str(change.a), str(change.b))
    return table
