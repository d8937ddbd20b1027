"""The short form of ``tests.endurance.fuzz``: sound files with random damage, without coverage."""

from __future__ import annotations

from random import Random

import pytest
from tests.endurance.readers import Reader, readers, withstand

from zhengling.formats import REGISTRY
from zhengling.formats.documents import SUFFIXES

READERS = readers()


def test_every_reader_is_there() -> None:
    assert {*REGISTRY, *SUFFIXES} - {".htm"} <= READERS.keys()


@pytest.mark.parametrize("name", READERS)
def test_sound_files_are_read(name: str) -> None:
    """Guards the test below against beginning from what is refused at once."""
    if name not in ("rules", "manifest"):
        READERS[name].read(READERS[name].seeds[0])


def damaged(content: bytes, random: Random) -> bytes:
    """Some bytes changed, a stretch left out, doubled or moved."""
    data = bytearray(content)
    for _ in range(random.randint(1, 4)):
        start, end = sorted(random.randint(0, len(data)) for _ in range(2))
        match random.randrange(5):
            case 0:
                data[start:start] = random.randbytes(random.randint(1, 4))
            case 1:
                del data[start : min(end, start + 20)]
            case 2:
                data[end:end] = data[start:end]
            case 3:
                data[start : start + 1] = random.choice(
                    [b'"', b"\0", b"\xff", b"-1", b"[", b"\n", b"\\ud800"]
                )
            case _ if data:
                data[min(start, len(data) - 1)] ^= 1 << random.randrange(8)
    return bytes(data)


@pytest.mark.parametrize("name", READERS)
def test_damaged_files_give_documented_errors(name: str) -> None:
    random, reader = Random(name), READERS[name]
    for _ in range(60):
        content = random.choice(reader.seeds)
        withstand(reader, damaged(content, random))
    for content in (b"", b"\0", b"{", b"[]", b"null", b'""', b"\xff" * 9):
        withstand(reader, content)


def test_other_errors_come_through() -> None:
    def fall(content: bytes) -> None:
        raise KeyError(content)

    with pytest.raises(KeyError):
        withstand(Reader(fall, []), b"")
