"""A DuckDB database of analysed bulletins: each text once a model, written in batches that are kept whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from zhengling.errors import ZhenglingError
from zhengling.schema import LabelScheme
from zhengling.store.tables import Stored, flat

LAYOUT = "1"
_TABLES = """
CREATE TABLE about (name VARCHAR PRIMARY KEY, value VARCHAR NOT NULL);
CREATE TABLE models (model VARCHAR PRIMARY KEY, scheme VARCHAR NOT NULL, used TIMESTAMPTZ NOT NULL);
CREATE TABLE bulletins (
  bulletin VARCHAR PRIMARY KEY, place VARCHAR, model VARCHAR, id VARCHAR, title VARCHAR, date DATE,
  source VARCHAR, text VARCHAR);
CREATE TABLE sentences (
  bulletin VARCHAR, number BIGINT, start BIGINT, "end" BIGINT, text VARCHAR, "function" VARCHAR,
  score DOUBLE, domains VARCHAR[], PRIMARY KEY (bulletin, number));
CREATE TABLE entities (
  bulletin VARCHAR, start BIGINT, "end" BIGINT, text VARCHAR, label VARCHAR, score DOUBLE,
  PRIMARY KEY (bulletin, start));
CREATE TABLE directives (
  bulletin VARCHAR, number BIGINT, sentence BIGINT, start BIGINT, "end" BIGINT, action VARCHAR,
  issuer VARCHAR, addressee VARCHAR, deadline VARCHAR, due DATE, domains VARCHAR[],
  groups VARCHAR[], documents VARCHAR[], score DOUBLE, PRIMARY KEY (bulletin, number));
"""


class Database:
    """An open database.

    Attributes:
        path: its file.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path

    def known(self, keys: Sequence[str]) -> set[str]:
        """Which of the keys are stored."""
        return {
            row[0] for row in self.rows("SELECT bulletin FROM bulletins WHERE bulletin IN ?", [list(keys)])
        }

    def add_model(self, model: str, scheme: LabelScheme) -> None:
        """Note a model and its labels."""
        labels = json.dumps(scheme.to_dict(), ensure_ascii=False)
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO models VALUES (?, ?, now())", [model, labels])

    def add(self, batch: Sequence[Stored]) -> None:
        """Store bulletins, all of them or none; what is stored already stays as it is."""
        tables = flat(batch)
        with self._transaction():
            self._insert("bulletins", tables.bulletins)
            self._insert("sentences", tables.sentences)
            self._insert("entities", tables.entities)
            self._insert("directives", tables.directives)

    def latest(self) -> tuple[str, LabelScheme] | None:
        """The model that was used last, with its labels; None if nothing was analysed."""
        found = self.rows("SELECT model, scheme FROM models ORDER BY used DESC, model LIMIT 1")
        if not found:
            return None
        model, scheme = map(str, found[0])
        return model, LabelScheme.from_dict(json.loads(scheme))

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            ZhenglingError: the database refuses it.
        """
        with _faults(self.path):
            found: list[tuple[Any, ...]] = self._connection.execute(query, values).fetchall()
            return found

    def _insert(self, table: str, rows: pa.Table) -> None:
        names = ", ".join(f'"{name}"' for name in rows.column_names)
        self._connection.register("arriving", rows)
        self._connection.execute(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM arriving ON CONFLICT DO NOTHING"
        )
        self._connection.unregister("arriving")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _faults(self.path):
            self._connection.begin()
            try:
                yield
                self._connection.commit()
            except BaseException:
                self._connection.rollback()
                raise


@contextmanager
def open_database(path: Path, *, read_only: bool = False) -> Iterator[Database]:
    """Open a database, and make one where there is none.

    Args:
        path: its file.
        read_only: it must be there, and others may read it too.

    Raises:
        ZhenglingError: it is none of this program, another process writes it, or it can't be written.
    """
    if read_only and not path.is_file():
        raise ZhenglingError(f"{path}: no such database; analyze writes one: --output {path.name}")
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    with _faults(path), duckdb.connect(str(path), read_only=read_only) as connection:
        _check(connection, path, new=not read_only)
        yield Database(connection, path)


def _check(connection: duckdb.DuckDBPyConnection, path: Path, *, new: bool) -> None:
    """Make the tables of an empty database; refuse one with others."""
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not tables and new:
        connection.begin()
        connection.execute(_TABLES)
        connection.execute("INSERT INTO about VALUES ('layout', ?)", [LAYOUT])
        connection.commit()
        return
    found = (
        connection.execute("SELECT value FROM about WHERE name = 'layout'").fetchone()
        if "about" in tables
        else None
    )
    if found is None or found[0] != LAYOUT:
        raise ZhenglingError(
            f"{path}: a database, but not one of zhengling's layout {LAYOUT}; name another file"
        )


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Let the database's errors be one line that names the file."""
    try:
        yield
    except duckdb.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise ZhenglingError(f"{path}: {reason}") from error
