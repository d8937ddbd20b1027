"""Bulletins in a Spark job: the rows of the Parquet files, and a reason in place of what can't be read."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from spacy.language import Language
from spacy.tokens import Doc
from tests.backends import make_pipeline, noise_backend
from tests.strategies import SCHEME

pytest.importorskip("pyspark", reason="pyspark isn't installed: pip install 'zhengling[spark]'")

import pandas as pd
from pyspark.sql import SparkSession

from zhengling import spark
from zhengling.analysis import analyse
from zhengling.errors import ZhenglingError
from zhengling.inputs import Source
from zhengling.loading import load_pipeline
from zhengling.store.parquet import write_parquet
from zhengling.store.resuming import model_name
from zhengling.store.tables import NESTED

LISTS = ["entities", "sentences", "directives"]
TEXTS = {
    "notice": "青溪县民政局通知：各乡镇要在3月20日前完成养老机构排查。",
    "news": "3月5日，北岭市福利院开展助残服务，惠及残疾人230人。",
}
POISON = "毒"


@pytest.fixture(scope="module")
def noise() -> Language:
    return make_pipeline(SCHEME, noise_backend(SCHEME))


def read(nlp: Language, rows: list[dict[str, Any]], **settings: Any) -> list[dict[str, Any]]:
    frame = pd.DataFrame(rows)
    found = spark.read_frame(frame, nlp=nlp, name="m", settings=spark.Settings(**settings))
    assert list(found.columns) == spark.SCHEMA.names
    return found.to_dict("records")


def test_the_schema_is_that_of_parquet_files_and_two_columns() -> None:
    assert spark.SCHEMA.names == [*NESTED.names, "model", "error"]
    assert spark.SCHEMA["date"].dataType.simpleString() == "date"
    entities = "array<struct<start:bigint,end:bigint,text:string,label:string,score:double>>"
    assert spark.SCHEMA["entities"].dataType.simpleString() == entities


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "a", "text": None}, "text is null"),
        ({"id": "a", "text": float("nan")}, "text is null"),
        ({"id": "a", "text": 7}, "text is null or no string"),
        ({"id": None, "text": "有字。"}, "id is null"),
        ({"id": "a", "text": " \n"}, "text is blank"),
        ({"id": "a", "text": "长" * 31}, "text has 31 characters, more than 30"),
    ],
)
def test_what_cannot_be_read_has_a_reason(noise: Language, row: dict[str, Any], reason: str) -> None:
    good = {"id": "good", "text": TEXTS["news"]}
    before, bad, after = read(noise, [good, row, good], longest=30)

    assert reason in bad["error"]
    assert (bad["id"], [bad[name] for name in LISTS]) == (row["id"], [None] * 3)
    assert before == after
    assert before["error"] is None
    assert before["entities"]


def test_a_text_that_the_pipeline_fails_on_fails_alone() -> None:
    def fail(doc: Doc) -> Doc:
        if POISON in doc.text:
            raise ValueError("no such character")
        return doc

    nlp = make_pipeline(SCHEME, noise_backend(SCHEME))
    Language.component("failing_over_poison", func=fail)
    nlp.add_pipe("failing_over_poison")
    rows = [{"id": name, "text": text} for name, text in [*TEXTS.items(), ("poison", POISON)]]
    *good, bad = read(nlp, rows)

    assert bad["error"] == "ValueError: no such character"
    assert (bad["text"], bad["entities"]) == (POISON, None)
    assert [row["error"] for row in good] == [None, None]
    assert good == read(nlp, rows[:2])


def test_facts_about_a_bulletin_are_kept(noise: Language) -> None:
    facts = {"title": "标题", "source": "来源"}
    as_date, as_string, none = read(
        noise,
        [
            {"id": "a", "text": "有字。", "date": date(2026, 3, 9), **facts},
            {"id": "a", "text": "有字。", "date": "2026-03-09", **facts},
            {"id": "a", "text": "有字。", "date": pd.NaT, "title": None, "source": float("nan")},
        ],
    )

    assert as_date == as_string
    assert (as_date["date"], as_date["title"], as_date["source"]) == (date(2026, 3, 9), "标题", "来源")
    assert (none["date"], none["title"], none["source"]) == (None, None, None)


def test_a_missing_column_stops_the_job(noise: Language) -> None:
    with pytest.raises(ZhenglingError, match="no column text"):
        read(noise, [{"id": "a", "body": "有字。"}])


@pytest.fixture(scope="module")
def session(repository: Path) -> Iterator[SparkSession]:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java, and there is none")
    sources = os.pathsep.join(str(repository / part) for part in ("pipeline", "training"))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", 2)
        .config("spark.executorEnv.PYTHONPATH", sources)
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.mark.slow
def test_a_job_gives_the_rows_of_parquet_files(session: SparkSession, model: Path, tmp_path: Path) -> None:
    rows = [*TEXTS.items(), ("null", None), ("again", TEXTS["news"]), ("long", "长" * 101)]
    bulletins = session.createDataFrame(rows, "id string, text string").repartition(2)
    job = bulletins.mapInPandas(spark.analyze(model, longest=100), schema=spark.SCHEMA)
    found = {row["id"]: row.asDict(recursive=True) for row in job.collect()}

    nlp = load_pipeline(model, threads=1)
    sources = [Source(name, "", text) for name, text in rows if text is not None and len(text) <= 100]
    write_parquet(analyse(nlp, sources), tmp_path / "p.parquet")
    name = model_name(nlp, min_score=0.0, rules=None)
    wanted = {row["id"]: row | {"model": name} for row in pq.read_table(tmp_path / "p.parquet").to_pylist()}

    errors = {key: row.pop("error") for key, row in found.items()}
    assert {key for key, error in errors.items() if error is not None} == {"null", "long"}
    assert set(found) == {name for name, _ in rows}
    assert {key: rounded(row) for key, row in found.items() if key in wanted} == {
        key: rounded(row) for key, row in wanted.items()
    }
    assert found["news"]["entities"]


def rounded(value: Any) -> Any:
    """Probabilities to six places: a text's depend in the last places on those that it is read with."""
    match value:
        case float():
            return round(value, 6)
        case list():
            return [rounded(one) for one in value]
        case dict():
            return {key: rounded(one) for key, one in value.items()}
    return value


@pytest.mark.slow
def test_the_job_of_the_page(session: SparkSession, repository: Path, tmp_path: Path) -> None:
    page = (repository / "docs" / "scale.md").read_text(encoding="utf-8")
    (job,) = re.findall(r"^```py\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    rows = [{"id": name, "text": text, "date": "2026-03-09"} for name, text in TEXTS.items()]
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in [*rows, {"id": "null"}]]
    (tmp_path / "bulletins.jsonl").write_text("".join(lines), encoding="utf-8")
    for name in ("bulletins.jsonl", "results"):
        assert f'"{name}"' in job
        job = job.replace(f'"{name}"', repr(str(tmp_path / name)))
    (tmp_path / "job.py").write_text(job, encoding="utf-8")
    runpy.run_path(str(tmp_path / "job.py"))

    found = pq.read_table(tmp_path / "results").to_pylist()
    assert {row["id"]: (row["date"], row["error"]) for row in found} == dict.fromkeys(
        TEXTS, (date(2026, 3, 9), None)
    )


@pytest.mark.slow
def test_a_model_that_is_missing_is_named(session: SparkSession, tmp_path: Path) -> None:
    bulletins = session.createDataFrame([("a", "有字。")], "id string, text string")
    job = bulletins.mapInPandas(spark.analyze(tmp_path / "none"), schema=spark.SCHEMA)

    with pytest.raises(Exception, match="no such model"):
        job.collect()
