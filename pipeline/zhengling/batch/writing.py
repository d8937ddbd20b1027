"""Rows of a part as Parquet, and what is quarantined of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

import pyarrow as pa
import pyarrow.parquet as pq
from spacy.language import Language

from zhengling.analysis import analyse
from zhengling.batch.documents import Found, Quarantined
from zhengling.batch.job import Job
from zhengling.batch.manifest import Finished
from zhengling.batch.ranges import Part
from zhengling.batching import batches
from zhengling.directives import Rules
from zhengling.files import atomic_file, sha256_of
from zhengling.store.parquet import ROWS_A_GROUP
from zhengling.store.tables import NESTED, nested

# What became of the document with a number in its part: its row, or a reason why it has none.
Numbered = tuple[int, pa.Table | Quarantined]
PLACE = [("file", pa.string()), ("row", pa.int64())]
SCHEMA = pa.schema([*NESTED, *PLACE])


def rows_of(nlp: Language, documents: Sequence[Found], job: Job, rules: Rules | None) -> list[pa.Table]:
    """Analyse documents together; a table of one row (``SCHEMA``) for each."""
    bulletins = analyse(
        nlp,
        [one.source for one in documents],
        batch_size=len(documents),
        min_score=job.settings.min_score,
        rules=rules,
    )
    return [_row(nested([bulletin]), one) for one, bulletin in zip(documents, bulletins, strict=True)]


def _row(table: pa.Table, document: Found) -> pa.Table:
    for (name, kind), value in zip(PLACE, (document.file, document.row), strict=True):
        table = table.append_column(pa.field(name, kind), pa.array([value], kind))
    return table


def write_part(job: Job, part: Part, found: Iterable[Numbered]) -> Finished:
    """Write a part, whole or not at all.

    Args:
        job: the run.
        part: what is written.
        found: rows and faults in the order of the documents, consumed as a stream.

    Raises:
        OSError: it can't be written.
    """
    path, faults = job.part_file(part.number), []
    path.parent.mkdir(parents=True, exist_ok=True)

    def rows() -> Iterator[pa.Table]:
        for _, one in found:
            if isinstance(one, Quarantined):
                faults.append(one)
            else:
                yield one

    count = 0
    with atomic_file(path) as temporary:
        with pq.ParquetWriter(temporary, SCHEMA, compression="zstd") as writer:
            for group in batches(rows(), fits=lambda group, _: len(group) < ROWS_A_GROUP):
                count += len(group)
                writer.write_table(pa.concat_tables(group).combine_chunks())
        digest, size = sha256_of(temporary), temporary.stat().st_size
        _write_faults(job, part, faults)
    return Finished(part.number, part.count, count, len(faults), size, digest)


def _write_faults(job: Job, part: Part, faults: list[Quarantined]) -> None:
    path = job.quarantine_file(part.number)
    path.unlink(missing_ok=True)
    if faults:
        with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
            for fault in faults:
                line = json.dumps({"part": part.number} | asdict(fault), ensure_ascii=False)
                stream.write(line + "\n")
