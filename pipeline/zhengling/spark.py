"""Bulletins in a Spark job: a function for ``DataFrame.mapInPandas`` and the schema of its rows.

    from zhengling import spark
    results = bulletins.mapInPandas(spark.analyze("zh_bulletin_sm"), schema=spark.SCHEMA)

zhengling and the model have to be installed where the Python workers run, or the model lies there under
the same path. ``docs/scale.md`` has the settings of Spark that matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_schema
from spacy.language import Language

from zhengling.analysis import analyse
from zhengling.batch.documents import META
from zhengling.batch.job import BatchSettings
from zhengling.errors import ZhenglingError
from zhengling.inputs import Source
from zhengling.loading import load_pipeline
from zhengling.schema import Bulletin
from zhengling.store.resuming import model_name
from zhengling.store.tables import NESTED, nested

ROWS = pa.schema([*NESTED, pa.field("model", pa.string()), pa.field("error", pa.string())])
SCHEMA = from_arrow_schema(ROWS)
LONGEST = BatchSettings().text_characters

_FOUND = ("entities", "sentences", "directives")

Frames = Iterator[pd.DataFrame]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a job reads, see ``analyze``."""

    model: str | None = None
    threads: int = 1
    batch_size: int | None = None
    min_score: float = 0.0
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the job's input: what it holds as strings, and why it can't be read."""

    id: str | None
    text: str | None
    meta: dict[str, str] = field(default_factory=dict)
    fault: str | None = None


def analyze(
    model: str | Path | None = None,
    *,
    threads: int = 1,
    batch_size: int | None = None,
    min_score: float = 0.0,
    longest: int = LONGEST,
) -> Callable[[Frames], Frames]:
    """A function for ``DataFrame.mapInPandas``.

    It takes the columns ``id`` and ``text`` (strings) and, where they are there, ``title``, ``date`` (a date
    or a string) and ``source``; others are left out, to be joined again by ``id``. It gives a row of
    ``SCHEMA`` for every row, in order: the columns of the Parquet files of ``zhengling analyze``, ``model``
    (name, version and digest of all that the answers depend on) and ``error``. Where a row can't be read,
    ``error`` says why and the lists are null: ``id`` or ``text`` is null, the text is blank or too long, or
    reading it failed. Such a row neither stops the job nor gets lost.

    A Python worker loads the model when it gets its first rows, and keeps it for later tasks.

    Args:
        model: a folder, an installed package, or None for the default model; looked up by the workers.
        threads: threads of ONNX Runtime in each Python worker; one for each of ``spark.task.cpus``.
        batch_size: documents whose windows share batches; the pipeline's own by default.
        min_score: entities with a lower probability are left out.
        longest: characters of a text; a longer one isn't read.

    Raises:
        ZhenglingError: in the job, if there is no such model or a column is missing.
    """
    place = None if model is None else str(model)
    return partial(_read_frames, settings=Settings(place, threads, batch_size, min_score, longest))


def _read_frames(frames: Frames, *, settings: Settings) -> Frames:
    for frame in frames:
        nlp, name = _open(settings.model, settings.threads, settings.min_score)
        yield read_frame(frame, nlp=nlp, name=name, settings=settings)


@cache
def _open(model: str | None, threads: int, min_score: float) -> tuple[Language, str]:
    """The pipeline and its name, once in each process."""
    nlp = load_pipeline(model, threads=threads)
    return nlp, model_name(nlp, min_score=min_score, rules=None)


def read_frame(frame: pd.DataFrame, *, nlp: Language, name: str, settings: Settings) -> pd.DataFrame:
    """Read the texts of a data frame; see ``analyze`` for its columns and those of the result.

    Args:
        frame: bulletins, one a row.
        nlp: a zhengling pipeline.
        name: what ``model`` says.
        settings: how to read; those that the pipeline was loaded with have no effect.

    Raises:
        ZhenglingError: a column is missing.
    """
    rows = _rows(frame, longest=settings.longest)
    sound = [Source(row.id or "", "", row.text or "", row.meta) for row in rows if row.fault is None]
    results = iter(_read(nlp, sound, settings))
    answers = [row.fault or next(results) for row in rows]
    records = [
        _failed(row, answer) if isinstance(answer, str) else {**_record(answer), "error": None}
        for row, answer in zip(rows, answers, strict=True)
    ]
    return pd.DataFrame([record | {"model": name} for record in records], columns=ROWS.names, dtype=object)


def _rows(frame: pd.DataFrame, *, longest: int) -> list[_Row]:
    missing = [name for name in ("id", "text") if name not in frame.columns]
    if missing:
        raise ZhenglingError(
            f"the data frame has no column {' and no column '.join(missing)}; "
            "id and text are needed, title, date and source are read where they are there"
        )
    return [_row(record, longest=longest) for record in frame.to_dict("records")]


def _row(record: dict[Any, Any], *, longest: int) -> _Row:
    name, text = _string(record["id"]), _string(record["text"])
    meta = {key: value for key in META if (value := _string(record.get(key))) is not None}
    return _Row(name, text, meta, _fault(name, text, longest=longest))


def _string(value: Any) -> str | None:
    """A cell; pandas has several forms of null, none of which is a string or a date that counts."""
    if isinstance(value, date) and value is not pd.NaT:
        return f"{value:%Y-%m-%d}"
    return value if isinstance(value, str) else None


def _fault(name: str | None, text: str | None, *, longest: int) -> str | None:
    if name is None:
        return "id is null or no string"
    if text is None:
        return "text is null or no string"
    if not text.strip():
        return "text is blank: there is nothing to analyse"
    if len(text) > longest:
        return f"text has {len(text):,} characters, more than {longest:,} (longest)"
    return None


def _read(nlp: Language, sources: Sequence[Source], settings: Settings) -> list[Bulletin | str]:
    """Bulletins, or what was raised over one; after a failure each text is read by itself."""
    try:
        return list(analyse(nlp, sources, batch_size=settings.batch_size, min_score=settings.min_score))
    except MemoryError:
        raise
    except Exception as error:  # whatever it is, the other texts can do nothing for it
        if len(sources) == 1:
            return [f"{type(error).__name__}: {error}"]
    return [result for source in sources for result in _read(nlp, [source], settings)]


def _record(bulletin: Bulletin) -> dict[str, Any]:
    record: dict[str, Any] = nested([bulletin]).to_pylist()[0]
    return record


def _failed(row: _Row, reason: str) -> dict[str, Any]:
    known = _record(Bulletin(id=row.id or "", text="", meta=row.meta))
    return known | dict.fromkeys(_FOUND) | {"id": row.id, "text": row.text, "error": reason}
