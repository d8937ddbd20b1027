"""Figures over a database of results."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from zhengling.errors import ZhenglingError
from zhengling.schema import LabelScheme
from zhengling.store.database import Database, open_database

_TOP = 20
_AHEAD = 200


@dataclass(frozen=True, slots=True)
class Task:
    """A demand with a last day that is still ahead."""

    due: date
    addressee: str
    action: str
    issuer: str
    source: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts over the bulletins that the last model read.

    Attributes:
        model: its name.
        scheme: its labels.
        bulletins: how many.
        undated: how many of them have no date.
        directives: items demanded.
        span: first and last date, None if none has one.
        functions: sentences by function, all of the scheme.
        months: ``2026-03``, in order, with nothing left out between.
        domains: by domain of the scheme, sentences a month of ``months``.
        addressees: who is addressed most, with the number of items.
        groups: groups of people that items are for, most frequent first.
        due: items by month of their last day, from ``today`` on.
        ahead: items whose last day is today or later, the next first, not more than some hundred.
        today: the day.
    """

    model: str
    scheme: LabelScheme
    bulletins: int
    undated: int
    directives: int
    span: tuple[date, date] | None
    functions: tuple[tuple[str, int], ...]
    months: tuple[str, ...]
    domains: tuple[tuple[str, tuple[int, ...]], ...]
    addressees: tuple[tuple[str, int], ...]
    groups: tuple[tuple[str, int], ...]
    due: tuple[tuple[str, int], ...]
    ahead: tuple[Task, ...]
    today: date


def figures_of(path: Path, *, today: date) -> Figures:
    """Count what a database holds.

    Raises:
        ZhenglingError: it can't be read, or nothing was analysed into it.
    """
    with open_database(path, read_only=True) as database:
        found = database.latest()
        if found is None:
            raise ZhenglingError(f"{path}: empty, nothing was analysed into it")
        return _figures(database, *found, today=today)


def _figures(database: Database, model: str, scheme: LabelScheme, *, today: date) -> Figures:
    bulletins, undated, first, last = database.rows(
        "SELECT count(*), count(*) - count(date), min(date), max(date) FROM bulletins WHERE model = ?",
        [model],
    )[0]
    months = _months(first, last) if first else ()
    [(directives,)] = database.rows(
        "SELECT count(*) FROM directives JOIN bulletins USING (bulletin) WHERE model = ?", [model]
    )
    return Figures(
        model=model,
        scheme=scheme,
        bulletins=bulletins,
        undated=undated,
        directives=directives,
        span=(first, last) if first else None,
        functions=_functions(database, model, scheme),
        months=months,
        domains=_domains(database, model, scheme, months),
        addressees=_most(database, "SELECT addressee AS name", model),
        groups=_most(database, "SELECT DISTINCT bulletin, number, unnest(groups) AS name", model),
        due=_due(database, model, today),
        ahead=_ahead(database, model, today),
        today=today,
    )


def _months(first: date, last: date) -> tuple[str, ...]:
    start, end = (day.year * 12 + day.month - 1 for day in (first, last))
    return tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in range(start, end + 1))


def _functions(database: Database, model: str, scheme: LabelScheme) -> tuple[tuple[str, int], ...]:
    counts = dict(
        database.rows(
            'SELECT "function", count(*) FROM sentences JOIN bulletins USING (bulletin) '
            'WHERE model = ? AND "function" IS NOT NULL GROUP BY 1',
            [model],
        )
    )
    return tuple((name, counts.get(name, 0)) for name in scheme.function_names)


def _domains(
    database: Database, model: str, scheme: LabelScheme, months: tuple[str, ...]
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    counts = {
        (name, month): count
        for name, month, count in database.rows(
            "SELECT domain, strftime(date, '%Y-%m'), count(*) "
            "FROM (SELECT bulletin, unnest(domains) AS domain FROM sentences) "
            "JOIN bulletins USING (bulletin) "
            "WHERE model = ? AND date IS NOT NULL GROUP BY 1, 2",
            [model],
        )
    }
    return tuple(
        (name, tuple(counts.get((name, month), 0) for month in months)) for name in scheme.domain_names
    )


def _most(database: Database, select: str, model: str) -> tuple[tuple[str, int], ...]:
    """The most frequent names, with equal ones in the order of their characters."""
    query = (
        f"SELECT name, count(*) FROM ({select} FROM directives JOIN bulletins USING (bulletin) "
        f"WHERE model = ?) WHERE name IS NOT NULL GROUP BY name ORDER BY count(*) DESC, name LIMIT {_TOP}"
    )
    return tuple((name, count) for name, count in database.rows(query, [model]))


def _due(database: Database, model: str, today: date) -> tuple[tuple[str, int], ...]:
    query = (
        "SELECT strftime(due, '%Y-%m'), count(*) FROM directives JOIN bulletins USING (bulletin) "
        "WHERE model = ? AND due >= ? GROUP BY 1 ORDER BY 1"
    )
    return tuple((month, count) for month, count in database.rows(query, [model, today]))


def _ahead(database: Database, model: str, today: date) -> tuple[Task, ...]:
    query = (
        "SELECT due, coalesce(addressee, ''), action, coalesce(issuer, ''), coalesce(title, id, '') "
        "FROM directives JOIN bulletins USING (bulletin) WHERE model = ? AND due >= ? "
        f"ORDER BY due, bulletin, number LIMIT {_AHEAD}"
    )
    return tuple(Task(*row) for row in database.rows(query, [model, today]))
