"""JSONL of texts with entities, as public sets of named entities are passed around.

Read: ``text`` with ``ents`` as ``[[start, end, label]]``, offsets in code points, and, if there are any,
``id`` and facts that are strings or numbers. Written: the same, and under the key ``bulletin`` what the
form has no place for: id, facts and sentences::

    {"text": "李示例出席。", "ents": [[0, 3, "PERSON"]],
     "bulletin": {"id": "example-01", "meta": {}, "sentences": [{"start": 0, "end": 6, …}]}}

A file whose name ends in ``.gz`` is compressed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.formats.base import Context, Format, Record, make_bulletin
from zhengling.formats.lines import read_objects, write_objects
from zhengling.formats.sources import dump_json, foreign_meta, typed
from zhengling.schema import Bulletin, Entity

EXTRA = "bulletin"
_KNOWN = ("id", "text", "ents", EXTRA)


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a file; a bulletin without an id is named after its line."""
    name = path.name.partition(".")[0]
    return read_objects(
        path, context, make=lambda data, number: _bulletin(data, default_id=f"{name}-{number}")
    )


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a file."""
    write_objects((_to_json(bulletin) for bulletin in bulletins), path)


def _bulletin(data: Any, *, default_id: str) -> Bulletin:
    if isinstance(data, dict) and "entities" in data and "ents" not in data:
        raise DataError("holds entities rather than ents; name the format jsonl (--from jsonl)")
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
