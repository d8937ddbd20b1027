"""Every reader of foreign bytes as a function of bytes, with sound files to begin from.

What a reader may do with any bytes whatever: give sound bulletins or texts, or raise ``ZhenglingError``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import documents
from tests.formats.test_round_trip import PATHS
from tests.strategies import SCHEME

from zhengling.directives import Rules
from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import REGISTRY, read_bulletins, write_bulletins
from zhengling.formats.documents import DocumentLimits, read_document
from zhengling.manifest import read_checked
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence, faults
from zhengling.service.settings import ServiceSettings

TEXT = "示例市民政局部署清明祭扫\n\n各殡仪馆要错峰预约；\n养老机构要为老年人代办祭扫。"
BULLETIN = Bulletin(
    "示例-01",
    TEXT,
    entities=(Entity(0, 6, "ORG"), Entity(30, 33, "GROUP")),
    sentences=(Sentence(0, 12, "OTHER"), Sentence(14, len(TEXT), "DIRECTIVE", ("elderly", "funeral"))),
    meta={"date": "2024-03-05"},
)
SMALL = DocumentLimits(file_bytes=1_000_000, archive_files=20, archive_bytes=2_000_000)
# Between the two files of a format that has pairs of them.
BORDER = b"\n\0\n"


@dataclass(frozen=True)
class Reader:
    """A reader.

    Attributes:
        read: takes any bytes; raises nothing but ``ZhenglingError``, and ``AssertionError`` if what it gives
            isn't sound.
        seeds: sound files.
    """

    read: Callable[[bytes], None]
    seeds: Sequence[bytes]


def readers() -> Mapping[str, Reader]:
    """All of them by name: formats of bulletins, documents, and what is configured in files."""
    return {
        **{name: _format(name) for name in REGISTRY},
        **{kind: _document(kind, seeds) for kind, seeds in _documents().items()},
        "scheme": _configuration(LabelScheme.from_file, "schemes/zh_bulletin.json"),
        "settings": _configuration(ServiceSettings.from_file, "service.json"),
        "rules": Reader(_in_a_file(Rules.from_file, "rules.json"), [b'{"labels": {}, "words": {}}']),
        "manifest": Reader(
            _in_a_file(lambda path: read_checked(path.parent), "manifest.json"), [b'{"a": "0"}']
        ),
    }


def _format(name: str) -> Reader:
    files = Path(PATHS[name]).name
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / files
        write_bulletins([BULLETIN], path, format=name)
        written = sorted(path.iterdir()) if path.is_dir() else [path]
        endings = [file.suffix for file in written]
        seed = BORDER.join(file.read_bytes() for file in written)

    def read(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / files
            if REGISTRY[name].folder:
                path.mkdir()
                for ending, part in zip(endings, content.split(BORDER), strict=False):
                    (path / f"a{ending}").write_bytes(part)
            else:
                path.write_bytes(content)
            for lenient in (True, False):
                report = list[str]().append if lenient else None
                read = read_bulletins(path, format=name, scheme=SCHEME, lenient=lenient, report=report)
                for bulletin in read:
                    assert not list(faults(bulletin, scheme=SCHEME))

    return Reader(read, [seed])


def _document(kind: str, seeds: Sequence[bytes]) -> Reader:
    def read(content: bytes) -> None:
        for found in read_document(content, place=f"a{kind}", limits=SMALL):
            if not isinstance(found, DataError):
                assert found.text.strip()
                found.text.encode("utf-8")

    return Reader(read, seeds)


def _documents() -> Mapping[str, Sequence[bytes]]:
    text, word, pdf = TEXT.encode(), documents.word(TEXT, title="通知"), documents.pdf([TEXT.splitlines()])
    return {
        ".txt": [text, TEXT.encode("gb18030"), TEXT.encode("utf-16")],
        ".md": [b"---\ntitle: x\n---\n# " + text + b"\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"],
        ".html": [b"<html><head><title>x</title></head><body><article><p>" + text + b"</p></article></body>"],
        ".docx": [word],
        ".pdf": [pdf, documents.pdf([TEXT.splitlines()], password="x")],
        ".zip": [
            documents.packed({"a.txt": text, "b.docx": word, "c.zip": documents.packed({"d.md": text})})
        ],
    }


def _configuration(load: Callable[[Path], object], name: str) -> Reader:
    path = Path(__file__).parents[2] / "configs" / name
    return Reader(_in_a_file(load, path.name), [path.read_bytes()])


def _in_a_file(load: Callable[[Path], object], name: str) -> Callable[[bytes], None]:
    def read(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / name).write_bytes(content)
            load(Path(folder) / name)

    return read


def withstand(reader: Reader, content: bytes) -> None:
    """Give bytes to a reader.

    Raises:
        Exception: whatever comes out of it but ``ZhenglingError``.
    """
    try:
        reader.read(content)
    except ZhenglingError as error:
        assert str(error).strip()
        assert "\n" not in str(error), f"a message of several lines: {error}"
