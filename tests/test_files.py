from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zhengling.errors import ZhenglingError
from zhengling.files import atomic_file, atomic_folder, read_json, suffix_among, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "a.txt"
    write_text(path, "民政\r\n😀\n\x85")
    assert path.read_bytes() == "民政\r\n😀\n\x85".encode()
    assert names(path.parent) == ["a.txt"]


def test_a_file_is_replaced_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_file(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
    assert path.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_all_as_it_was(error: type[BaseException], exists: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    if exists:
        path.write_text("old")
    with pytest.raises(error), atomic_file(path) as temporary:
        temporary.write_text("half")
        raise error
    assert names(tmp_path) == (["a.txt"] if exists else [])
    assert not exists or path.read_text() == "old"


def test_text_that_can_not_be_encoded_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.txt", "\ud800")
    assert names(tmp_path) == []


def test_what_a_link_leads_to_is_replaced(tmp_path: Path) -> None:
    real = tmp_path / "real" / "a.txt"
    write_text(real, "old")
    (tmp_path / "a.txt").symlink_to(real)
    write_text(tmp_path / "a.txt", "new")
    assert real.read_text() == "new"
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    with atomic_folder(tmp_path / "folder") as temporary:
        (temporary / "b.txt").touch()
    assert names(tmp_path / "real") == ["b.txt"]
    assert (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "folder").is_symlink()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(pipe.read_text)
        write_text(pipe, "民政")
        assert read.result(timeout=10) == "民政"
    assert pipe.is_fifo()


def test_a_device_stays_one() -> None:
    write_text(Path(os.devnull), "民政")
    assert Path(os.devnull).is_char_device()


def test_a_suffix_is_one_of_those_that_can_be_written() -> None:
    assert suffix_among(Path("a.HTML"), (".html",), what="a page") == ".html"
    with pytest.raises(ZhenglingError, match=r"a\.csv: a page is one of \.html, \.htm"):
        suffix_among(Path("a.csv"), (".html", ".htm"), what="a page")


def test_permissions_are_the_usual_ones(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "")
        with atomic_folder(tmp_path / "b"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o750


def test_the_parent_may_be_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(OSError):
        write_text(tmp_path / "a" / "b.txt", "")


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "old").write_text("")
    with atomic_folder(folder) as temporary:
        (temporary / "new").write_text("")
        assert names(folder) == ["old"]
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_failure_leaves_the_folder_as_it_was(exists: bool, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    if exists:
        folder.mkdir()
        (folder / "old").write_text("")
    with pytest.raises(RuntimeError), atomic_folder(folder) as temporary:
        (temporary / "new").write_text("")
        raise RuntimeError
    assert names(tmp_path) == (["model"] if exists else [])
    assert not exists or names(folder) == ["old"]


def test_a_fault_without_a_name_gets_that_of_the_file(tmp_path: Path) -> None:
    """A full disk was told as one of "output"."""
    path = tmp_path / "o.txt"
    with pytest.raises(OSError) as caught, atomic_file(path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    with pytest.raises(FileNotFoundError) as caught, atomic_file(path) as temporary:
        temporary.unlink()
    assert caught.value.filename == str(path)
    with pytest.raises(FileNotFoundError) as caught, atomic_file(path):
        (tmp_path / "another").read_text()
    assert caught.value.filename == str(tmp_path / "another")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 200_000], ids=["empty", "cut", "binary", "deep"]
)
def test_what_is_no_json_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ZhenglingError, match=r"a\.json: not JSON"):
        read_json(path)


def test_json_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ZhenglingError, match=r"none\.json: can't be read"):
        read_json(tmp_path / "none.json")
