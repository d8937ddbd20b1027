"""Analysed bulletins as one Parquet file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from zhengling.batching import batches
from zhengling.errors import ZhenglingError
from zhengling.files import atomic_file
from zhengling.schema import Bulletin
from zhengling.store.tables import NESTED, nested

ROWS_A_GROUP = 500


def write_parquet(bulletins: Iterable[Bulletin], output: Path) -> None:
    """Write a row a bulletin, its entities, sentences and directives as lists, whole or not at all.

    Raises:
        ZhenglingError: Arrow can't write them.
        OSError: the file can't be written.
    """
    groups = batches(bulletins, fits=lambda group, _: len(group) < ROWS_A_GROUP)
    with atomic_file(output) as temporary, pq.ParquetWriter(temporary, NESTED, compression="zstd") as writer:
        for group in groups:
            try:
                writer.write_table(nested(group))
            except pa.ArrowException as error:
                raise ZhenglingError(f"{output}: can't be written as Parquet: {error}") from error
