from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from zhengling.formats import read_bulletins, write_bulletins
from zhengling.schema import Bulletin, Entity

BULLETINS = [Bulletin("a", "民政部。", entities=(Entity(0, 3, "ORG"),)), Bulletin("b", "会议。")]


@pytest.mark.parametrize("name", ["jsonl", "doccano", "ents"])
def test_gz_means_compressed_in_every_format_of_lines(name: str, tmp_path: Path) -> None:
    plain, packed = tmp_path / "x.jsonl", tmp_path / "x.jsonl.gz"
    write_bulletins(BULLETINS, plain, format=name)
    write_bulletins(BULLETINS, packed, format=name)
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert list(read_bulletins(packed, format=name)) == BULLETINS
