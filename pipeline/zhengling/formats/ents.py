"""JSONL of texts with entities, as public sets of named entities are passed around.

Read: ``text`` with ``ents`` as ``[[start, end, label]]``, offsets in code points, and, if there are any,
``id`` and facts that are strings or numbers. Written: the same, and under the key ``bulletin`` what the
form has no place for: id, facts and sentences::

    {"text": "李示例出席。", "ents": [[0, 3, "PERSON"]],
     "bulletin": {"id": "example-01", "meta": {}, "sentences": [{"start": 0, "end": 6, …}]}}

A file whose name ends in ``.gz`` is compressed.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import atomic_file
from zhengling.formats.base import Context, Format, Record, make_bulletin
from zhengling.formats.sources import dump_json, foreign_meta, json_lines, typed
from zhengling.schema import Bulletin, Entity

EXTRA = "bulletin"
_KNOWN = ("id", "text", "ents", EXTRA)


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a file; a bulletin without an id is named after its line."""
    for number, data in json_lines(path, fault=context.fault):
        try:
            bulletin = _bulletin(data, default_id=f"{path.name.partition('.')[0]}-{number}")
        except DataError as error:
            context.fault(DataError(error.message, path=path, line=number))
            continue
        yield Record(bulletin, path, line=number)


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a file."""
    lines = (dump_json(_to_json(bulletin)) + "\n" for bulletin in bulletins)
    with atomic_file(path) as temporary, temporary.open("wb") as stream:
        if path.suffix == ".gz":
            # Without name and time, so that the same bulletins give the same file.
            with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed:
                packed.writelines(line.encode("utf-8") for line in lines)
        else:
            stream.writelines(line.encode("utf-8") for line in lines)


def _bulletin(data: Any, *, default_id: str) -> Bulletin:
    text = typed(data, "text", str)
    entities = [_entity(entry) for entry in typed(data, "ents", list)]
    if EXTRA in data:
        kept = _kept(typed(data, EXTRA, dict), text)
        return make_bulletin(kept.id, text, entities=entities, sentences=kept.sentences, meta=kept.meta)
    meta, strange = foreign_meta(data, known=_KNOWN)
    if strange:
        raise DataError(f"key {strange[0]!r}: a bulletin can't carry this; take it out")
    identifier = typed(data, "id", (int, str)) if "id" in data else default_id
    return make_bulletin(str(identifier), text, entities=entities, meta=meta)


def _kept(extra: dict[str, Any], text: str) -> Bulletin:
    meta = typed(extra, "meta", dict)
    for key in meta:
        typed(meta, key, str)
    sentences = extra.get("sentences", [])
    return Bulletin.from_dict({**meta, "id": extra.get("id"), "text": text, "sentences": sentences})


def _entity(entry: Any) -> Entity:
    if isinstance(entry, list) and [type(value) for value in entry] == [int, int, str]:
        return Entity(entry[0], entry[1], entry[2])
    raise DataError(f"key 'ents': expected [start, end, label], got {dump_json(entry)[:60]}")


def _to_json(bulletin: Bulletin) -> dict[str, Any]:
    sentences = bulletin.to_dict()["sentences"]
    return {
        "text": bulletin.text,
        "ents": [[entity.start, entity.end, entity.label] for entity in bulletin.entities],
        EXTRA: {"id": bulletin.id, "meta": dict(bulletin.meta), "sentences": sentences},
    }


FORMAT = Format(
    "ents",
    (".jsonl.gz",),
    "JSONL of texts with entities, plain or compressed (.jsonl to be named)",
    read,
    write,
)
