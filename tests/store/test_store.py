"""Databases and Parquet files of results, read back."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from spacy.language import Language
from tests.backends import make_pipeline, noise_backend
from tests.conftest import Outcome
from tests.strategies import SCHEME

from zhengling.errors import ZhenglingError
from zhengling.inputs import Source
from zhengling.report.figures import render_figures
from zhengling.schema import Bulletin, Directive, Entity, Mention, Sentence
from zhengling.store.database import Database, open_database
from zhengling.store.figures import figures_of
from zhengling.store.parquet import write_parquet
from zhengling.store.resuming import Outcome as Run
from zhengling.store.resuming import model_name, store
from zhengling.store.tables import Stored

TABLES = ("bulletins", "sentences", "entities", "directives")
EVIL = "<script>alert(1)</script>"
TEXT = f"各地要关心{EVIL}。"
ITEM = Directive(
    0,
    len(TEXT) - 1,
    0,
    Mention(3, len(TEXT) - 1, TEXT[3:-1]),
    issuer=Mention(5, len(TEXT) - 1, EVIL),
    addressee=Mention(5, len(TEXT) - 1, EVIL),
    deadline=Mention(0, 2, "各地", "2026-06-30"),
    domains=("elderly",),
    groups=(Mention(5, len(TEXT) - 1, EVIL),),
    score=0.9,
)
BULLETIN = Bulletin(
    id="b",
    text=TEXT,
    entities=(Entity(0, 2, "LOC", 0.5),),
    sentences=(Sentence(0, len(TEXT), "DIRECTIVE", ("elderly",), {"DIRECTIVE": 0.9}),),
    directives=(ITEM,),
    meta={"title": EVIL, "date": "2026-03-05"},
)


@pytest.fixture(scope="module")
def noise() -> Language:
    return make_pipeline(SCHEME, noise_backend(SCHEME))


def texts(count: int) -> list[Source]:
    return [Source(f"t{n}", f"../../t{n}.txt", f"第{n}号。各地要落实养老服务。") for n in range(count)]


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
            for table in TABLES
        }


def test_each_text_once(noise: Language, tmp_path: Path) -> None:
    output = tmp_path / "r.duckdb"
    first = store(noise, [*texts(5), Source("again", "again.txt", texts(1)[0].text)], output, commit_every=2)
    before = dump(output)
    second = store(noise, texts(7), output, commit_every=2)

    assert (first, second) == (Run(5, 1), Run(2, 5))
    assert len(before["bulletins"]) == 5
    assert set(before["bulletins"]) < set(dump(output)["bulletins"])


def test_another_threshold_is_another_reading(noise: Language, tmp_path: Path) -> None:
    names = {model_name(noise, min_score=score, rules=None) for score in (0.0, 0.0, 0.5)}
    store(noise, texts(2), tmp_path / "r.duckdb")
    run = store(noise, texts(2), tmp_path / "r.duckdb", min_score=0.5)

    assert len(names) == 2
    assert run == Run(2, 0)


SCRIPT = """
import sys
from pathlib import Path
from tests.backends import make_pipeline, noise_backend
from tests.store.test_store import SCHEME, texts
from zhengling.store.resuming import store
def sources():
    for number, source in enumerate(texts(int(sys.argv[2]))):
        if number == 20: print("reading", flush=True)
        yield source
nlp = make_pipeline(SCHEME, noise_backend(SCHEME))
store(nlp, sources(), Path(sys.argv[1]), batch_size=1, commit_every=3)
"""


def test_killed_in_mid_run_and_run_again(noise: Language, repository: Path, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.duckdb", tmp_path / "killed.duckdb"
    store(noise, texts(400), whole, batch_size=1)
    paths = os.pathsep.join(str(repository / part) for part in ("", "pipeline", "training"))
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(killed), "400"],
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(random.Random().uniform(0, 0.5))
    process.send_signal(signal.SIGKILL)
    process.wait()

    run = store(noise, texts(400), killed, batch_size=1)

    assert run.added + run.known == 400
    assert dump(killed) == dump(whole)


def test_files_that_are_none_of_ours(noise: Language, tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no database", encoding="utf-8")
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        connection.execute("CREATE TABLE mine (x INT)")

    for name, says in (("text.duckdb", "text.duckdb"), ("other.duckdb", "name another file")):
        with pytest.raises(ZhenglingError, match=says):
            store(noise, texts(1), tmp_path / name)
    with pytest.raises(ZhenglingError, match="no such database"):
        figures_of(tmp_path / "absent.duckdb", today=date(2026, 1, 1))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "f.duckdb"
    with open_database(path) as opened:
        fill(opened)
    return path


def fill(opened: Database) -> None:
    opened.add_model("m", SCHEME)
    opened.add([Stored("k", "../../x", "m", BULLETIN), Stored("l", "", "m", Bulletin("c", "无日期。"))])


def test_a_fault_in_a_batch_stores_nothing_of_it(tmp_path: Path) -> None:
    with open_database(tmp_path / "r.duckdb") as opened:
        opened.add_model("m", SCHEME)
        with pytest.raises(ValueError, match="month"):
            late = Bulletin(
                "d",
                "x",
                directives=(
                    Directive(0, 1, 0, Mention(0, 1, "x"), deadline=Mention(0, 1, "x", "2026-13-01")),
                ),
            )
            opened.add([Stored("k", "", "m", BULLETIN), Stored("d", "", "m", late)])
        assert opened.rows("SELECT count(*) FROM bulletins") == [(0,)]


def test_figures(database: Path) -> None:
    figures = figures_of(database, today=date(2026, 6, 30))

    assert (figures.bulletins, figures.undated, figures.directives) == (2, 1, 1)
    assert dict(figures.functions) == {"DIRECTIVE": 1, "REPORT": 0, "CONTEXT": 0, "OTHER": 0}
    assert (figures.months, dict(figures.domains)["elderly"]) == (("2026-03",), (1,))
    assert figures.addressees == figures.groups == ((EVIL, 1),)
    assert figures.due == (("2026-06", 1),)
    assert [task.due for task in figures.ahead] == [date(2026, 6, 30)]
    assert figures_of(database, today=date(2026, 7, 1)).ahead == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_escapes_and_asks_for_nothing(database: Path, language: str) -> None:
    page = render_figures(figures_of(database, today=date(2026, 1, 1)), language=language)  # type: ignore[arg-type]

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<svg") == 5
    assert "prefers-color-scheme: dark" in page


def test_a_database_without_texts(tmp_path: Path) -> None:
    with open_database(tmp_path / "e.duckdb"):
        pass
    with pytest.raises(ZhenglingError, match="empty"):
        figures_of(tmp_path / "e.duckdb", today=date(2026, 1, 1))


def test_parquet_holds_all_of_a_bulletin(tmp_path: Path) -> None:
    write_parquet([BULLETIN, Bulletin("c", "")], tmp_path / "r.parquet")

    first, second = pq.read_table(tmp_path / "r.parquet").to_pylist()
    assert (first["id"], first["title"], first["date"], first["text"]) == ("b", EVIL, date(2026, 3, 5), TEXT)
    assert first["entities"] == [{"start": 0, "end": 2, "text": "各地", "label": "LOC", "score": 0.5}]
    assert first["sentences"][0]["domains"] == ["elderly"]
    assert first["directives"][0]["due"] == date(2026, 6, 30)
    assert (second["date"], second["entities"], second["directives"]) == (None, [], [])


@pytest.mark.slow
def test_the_commands(cli: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notice.txt").write_text("会议要求，各地要在2026年6月底前完成整改。\n", encoding="utf-8")
    Path("bad.txt").write_bytes(b"\x00\x01")
    Path("empty").mkdir()

    first = cli("analyze", "notice.txt", "bad.txt", "-o", "r.duckdb")
    again = cli("analyze", "notice.txt", "-o", "r.duckdb")
    none = cli("analyze", "empty", "-o", "none.duckdb")
    rows = cli("ledger", "notice.txt", "bad.txt", "-o", "l.jsonl")
    nothing = cli("ledger", "empty", "-o", "n.xlsx")
    page = cli("stats", "r.duckdb", "-o", "s.html", "--today", "2026-01-01")

    assert (first.code, again.code, none.code, rows.code, nothing.code, page.code) == (1, 0, 2, 1, 2, 0)
    assert "1 texts added" in first.err
    assert "0 texts added to r.duckdb, 1 were there" in again.err
    assert "各地" in Path("l.jsonl").read_text(encoding="utf-8")
    assert "2026-06-30" in Path("s.html").read_text(encoding="utf-8")
    assert not Path("none.duckdb").exists()
    assert not Path("n.xlsx").exists()


def test_what_can_not_be_written(cli: Callable[..., Outcome], tmp_path: Path) -> None:
    for arguments in (
        ("analyze", "-", "--format", "duckdb"),
        ("analyze", "-", "--format", "parquet"),
        ("ledger", "-", "-o", tmp_path / "l.docx"),
        ("stats", tmp_path / "absent.duckdb", "-o", tmp_path / "s.html"),
    ):
        outcome = cli(*arguments)
        assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []
