"""Every unit of an input is read once, wherever its parts begin."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhengling.batch.documents import Found, Quarantined
from zhengling.batch.job import BatchSettings
from zhengling.batch.kinds import kind_of
from zhengling.batch.ranges import Slice, Unit
from zhengling.errors import DataError

SETTINGS = BatchSettings(line_bytes=60, text_characters=50)
ANY_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def units(kind: str, path: Path, settings: BatchSettings = SETTINGS) -> list[Unit]:
    return list(kind_of(kind).scan(path, lambda block: None, settings))


def read(
    kind: str, path: Path, slices: list[tuple[Unit, int]], settings: BatchSettings = SETTINGS
) -> Iterator[Found | Quarantined]:
    """All documents of some slices, with one cursor."""
    cursor = kind_of(kind).open(path, path.name, settings)
    for first, count in slices:
        for item in cursor.items(Slice(path.name, first, count, 0, 0)):
            yield from item.read()
    cursor.close()


def cut(found: list[Unit], sizes: list[int]) -> list[tuple[Unit, int]]:
    """Neighbouring slices of the given sizes, and one of what is left."""
    slices = []
    for size in [*sizes, len(found)]:
        if part := found[:size]:
            slices.append((part[0], len(part)))
        found = found[size:]
    return slices


BOM = b"\xef\xbb\xbf"
LINES = st.one_of(
    st.text(max_size=30).map(lambda text: json.dumps({"text": text}).encode()),
    st.sampled_from([b"", b"  ", b"{", b"\xff", b'{"text": "' + b"a" * 70 + b'"}', BOM, b"\r"]),
)


@ANY_FOLDER
@given(st.lists(LINES, max_size=12), st.lists(st.integers(1, 4), max_size=4), st.booleans(), st.data())
def test_slices_of_lines(
    tmp_path: Path, lines: list[bytes], sizes: list[int], end: bool, data: st.DataObject
) -> None:
    content = b"\n".join(lines) + (b"\n" if end else b"")
    plain, packed = tmp_path / "a.jsonl", tmp_path / "a.jsonl.gz"
    plain.write_bytes(content)
    packed.write_bytes(gzip.compress(content))
    found = units("jsonl", plain)
    assert units("jsonl", packed) == found
    numbered = enumerate(content.split(b"\n"), 1)
    kept = [
        (n, line)
        for n, line in numbered
        if (line[3:] if n == 1 and line[:3] == b"\xef\xbb\xbf" else line).strip()
    ]
    assert [unit.row for unit in found] == [number for number, _ in kept]
    assert all(content[unit.offset :].startswith(line) for unit, (_, line) in zip(found, kept, strict=True))
    whole = list(read("jsonl", plain, cut(found, [])))
    assert [one.row for one in whole] == [unit.row for unit in found]
    slices = cut(found, sizes)
    order = data.draw(st.permutations(range(len(slices))))
    for path in (plain, packed):
        again = list(read("jsonl", path, [slices[n] for n in order]))
        assert sorted((one.row, repr(one)) for one in again) == sorted(
            (one.row, repr(one).replace("a.jsonl", path.name)) for one in whole
        )


def test_content_and_only_content_of_lines_is_in_the_fingerprint(tmp_path: Path) -> None:
    content = b'{"text": "' + b"a" * 200 + b'"}\n\n{"text": "b"}'
    seen: list[bytes] = []
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(content))
    list(kind_of("jsonl").scan(tmp_path / "a.jsonl.gz", seen.append, SETTINGS))
    assert b"".join(seen) == content


def test_facts_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"nr": 7, "body": "b", "title": "t", "date": "2026-03-05", "source": null, "more": [1]}')
    names = BatchSettings(text_column="body", id_column="nr")
    (found,) = read("jsonl", path, [(Unit(), 1)], names)
    assert isinstance(found, Found)
    assert (found.file, found.row) == ("a.jsonl", 1)
    assert (found.source.id, found.source.text) == ("7", "b")
    assert found.source.meta == {"title": "t", "date": "2026-03-05"}


def test_an_archive_of_lines_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"text": "a"}\n' * 99)[:-12])
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: damaged, it can't be decompressed"):
        units("jsonl", path)


def table(count: int, **columns: Any) -> pa.Table:
    return pa.table({"text": [f"第{n}号" for n in range(count)], **columns})


@ANY_FOLDER
@given(st.integers(1, 40), st.integers(1, 50), st.lists(st.integers(1, 9), max_size=5), st.data())
def test_slices_of_rows(
    tmp_path: Path, count: int, group: int, sizes: list[int], data: st.DataObject
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(table(count), path, row_group_size=group)
    found = units("parquet", path)
    assert [unit.row for unit in found] == list(range(1, count + 1))
    slices = data.draw(st.permutations(cut(found, sizes)))
    again = [one for one in read("parquet", path, slices) if isinstance(one, Found)]
    assert sorted((one.row or 0, one.source.text) for one in again) == [
        (n + 1, f"第{n}号") for n in range(count)
    ]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_types_of_columns(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "a.parquet"
    days = [date(2026, 3, 5), datetime(2026, 3, 5, 8, tzinfo=UTC)]
    for day in days:
        columns = {
            "text": pa.array(["一", None]).cast(kind),
            "id": [7, 8],
            "date": [day, None],
            "x": [[1], []],
        }
        pq.write_table(pa.table(columns), path)
        first, second = read("parquet", path, [(Unit(1), 2)])
        assert isinstance(first, Found)
        assert (first.source.id, first.source.text, first.source.meta) == ("7", "一", {"date": "2026-03-05"})
        assert second == Quarantined("a.parquet", 2, "8", "no text: 'text' is missing")


def test_a_row_that_is_not_utf8_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    raw = pa.array([b"\xe4\xb8\x80", b"\xff", b"\xe4\xb8\x81"], pa.binary())
    text = pa.StringArray.from_buffers(3, *raw.buffers()[1:])
    pq.write_table(pa.table({"text": text}), path)
    first, second, third = read("parquet", path, [(Unit(1), 3)])
    assert isinstance(first, Found) and isinstance(third, Found)
    assert second == Quarantined("a.parquet", 2, None, "'text' is not UTF-8: byte 0")


def damaged(path: Path) -> None:
    """A file of three row groups with a page in the second that can't be decompressed."""
    pq.write_table(table(300), path, row_group_size=100, compression="gzip", use_dictionary=False)
    column = pq.read_metadata(path).row_group(1).column(0)
    content = bytearray(path.read_bytes())
    at = column.data_page_offset + column.total_compressed_size // 2
    content[at : at + 60] = b"\xff" * 60
    path.write_bytes(content)


@pytest.mark.parametrize("size", [10, 70, 300])
def test_rows_on_damaged_pages_are_quarantined_one_by_one(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.parquet"
    damaged(path)
    found = list(read("parquet", path, cut(units("parquet", path), [size] * (300 // size))))
    bad = [one for one in found if isinstance(one, Quarantined)]
    assert [one.row for one in found] == list(range(1, 301))
    assert [one.row for one in bad] == list(range(101, 201))
    assert all("read" in one.reason for one in bad)


def test_parquet_that_can_not_be_planned(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"body": ["a"]}), path)
    with pytest.raises(DataError, match=r"no column 'text', there are body; .*--text-column"):
        units("parquet", path)
    with pytest.raises(DataError, match=r"no column 'nr' \(--id-column\)"):
        units("parquet", path, BatchSettings(text_column="body", id_column="nr"))
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"a\.parquet: damaged, not a Parquet file"):
        units("parquet", path)


def test_documents_of_files_and_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/b.txt", "一")
        archive.writestr("c.jpg", b"\xff")
        archive.writestr("d.txt", "二" * 51)
    first, second, third = read("documents", tmp_path / "a.zip", [(Unit(), 1)])
    assert isinstance(first, Found)
    assert (first.file, first.row, first.source.id) == ("a.zip/x/b.txt", None, "a.zip/x/b.txt")
    assert isinstance(second, Quarantined) and isinstance(third, Quarantined)
    assert (second.file, third.file) == ("a.zip/c.jpg", "a.zip/d.txt")
    assert "unsupported type .jpg" in second.reason
    assert "51 characters, more than 50" in third.reason


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    (found,) = read("documents", tmp_path / "a.txt", [(Unit(), 1)])
    assert found == Quarantined("a.txt", None, None, "can't be read: No such file or directory")
