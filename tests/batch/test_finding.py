from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from zhengling.batch.finding import find_input
from zhengling.batch.job import BatchSettings
from zhengling.batch.plan import write_plan
from zhengling.errors import DataError, ZhenglingError


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"text": "一"}\n')
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.PARQUET", "parquet"),
        ("a.jsonl.gz", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.txt", "documents"),
        ("a.zip", "documents"),
    ],
)
def test_the_suffix_says_the_kind(tmp_path: Path, name: str, kind: str) -> None:
    make(tmp_path / "in", name)
    for path in (tmp_path / "in", tmp_path / "in" / name):
        found = find_input(path)
        assert (found.kind.name, list(found.files())) == (kind, [name])


def test_files_come_in_an_order_that_does_not_change_and_others_are_counted(tmp_path: Path) -> None:
    make(tmp_path, "b.txt", "a/z.txt", "a/y/x.md", "c.jpg", "_SUCCESS", "a/d.jpg")
    left_out: Counter[str] = Counter()
    assert list(find_input(tmp_path).files(left_out)) == ["b.txt", "a/z.txt", "a/y/x.md"]
    assert left_out == {".jpg": 2, "_SUCCESS": 1}


def test_several_kinds_in_a_folder(tmp_path: Path) -> None:
    make(tmp_path, "a.jsonl", "b.txt", "c.txt")
    with pytest.raises(ZhenglingError, match=r"\(1 of jsonl, 2 of documents\).*--from documents"):
        find_input(tmp_path)
    assert list(find_input(tmp_path, kind="jsonl").files()) == ["a.jsonl"]


def test_the_kind_can_be_said(tmp_path: Path) -> None:
    make(tmp_path, "lines.txt")
    assert find_input(tmp_path / "lines.txt", kind="jsonl").kind.name == "jsonl"
    with pytest.raises(ZhenglingError, match="unknown kind of input 'csv', there are "):
        find_input(tmp_path, kind="csv")


def test_nothing_there(tmp_path: Path) -> None:
    make(tmp_path, "a.jpg")
    for path in (tmp_path, tmp_path / "a.jpg"):
        with pytest.raises(DataError, match="nothing to read here"):
            find_input(path)
    with pytest.raises(DataError, match="no such file or folder"):
        find_input(tmp_path / "none")


def plan(folder: Path, size: int = 3) -> tuple[str, list[list[tuple[str, int, int]]]]:
    target = folder.parent / "plan.jsonl"
    found = write_plan(find_input(folder), target, settings=BatchSettings(part_documents=size))
    parts = list(found.read())
    assert (len(parts), sum(part.count for part in parts)) == (found.parts, found.units)
    assert [part.number for part in parts] == list(range(found.parts))
    return found.sha256, [[(s.file, s.first.row, s.count) for s in part.slices] for part in parts]


def test_parts_run_over_files(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.jsonl", "b.jsonl", "c.jsonl")
    (folder / "b.jsonl").write_text('{"text": "一"}\n' * 5)
    assert plan(folder)[1] == [
        [("a.jsonl", 1, 1), ("b.jsonl", 1, 2)],
        [("b.jsonl", 3, 3)],
        [("c.jsonl", 1, 1)],
    ]
    assert plan(folder, size=7)[1] == [[("a.jsonl", 1, 1), ("b.jsonl", 1, 5), ("c.jsonl", 1, 1)]]


def test_names_and_contents_are_the_fingerprint_and_times_are_not(tmp_path: Path) -> None:
    folder = make(tmp_path / "in", "a.txt", "b.txt")
    first, _ = plan(folder)
    os.utime(folder / "a.txt", ns=(1, 1))
    assert plan(folder)[0] == first
    (folder / "a.txt").rename(folder / "c.txt")
    second, _ = plan(folder)
    (folder / "c.txt").write_text("二")
    assert len({first, second, plan(folder)[0]}) == 3


def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    name = os.fsdecode("公告.txt".encode("gbk"))
    folder = make(tmp_path / "in", name)
    assert plan(folder)[1] == [[(name, 1, 1)]]


def test_a_folder_that_can_not_be_read(tmp_path: Path) -> None:
    # Longer than the system takes: even the superuser can't list it.
    make(tmp_path / "in", "a.txt")
    deep = tmp_path / "in"
    here = os.open(deep, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("n" * 250, dir_fd=here)
        inner = os.open("n" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    with pytest.raises(DataError, match="can't be read: File name too long"):
        list(find_input(tmp_path / "in", kind="documents").files())
