"""doccano's JSONL for sequence labelling.

Read: ``text`` with ``label`` or ``labels`` as ``[[start, end, label]]``, or with ``entities`` as objects
with ``start_offset``, ``end_offset`` and ``label``. Relations are faults. Written: ``label``, and under
the key ``bulletin`` what doccano has no place for but keeps as metadata: id, facts and sentences (offsets
in code points)::

    {"text": "李示例出席。", "label": [[0, 3, "PERSON"]],
     "bulletin": {"id": "example-01", "meta": {}, "sentences": [{"start": 0, "end": 6, …}]}}

Without that key strings and numbers beside the text are facts, and doccano's ``id`` is the id.

Some versions count UTF-16 units in the browser, and files don't say which. The counts differ only after a
character beyond U+FFFF, such as 😀 or 𠮷: where one stands before the end of an entity, the option
``utf16`` must say how to count, or reading fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.formats.base import Context, Format, Record, make_bulletin
from zhengling.formats.lines import read_objects, write_objects
from zhengling.formats.sources import dump_json, foreign_meta, typed
from zhengling.formats.utf16 import has_astral, span_to_points, to_points, to_units
from zhengling.schema import Bulletin, Entity

EXTRA = "bulletin"
_LABELS = ("label", "labels", "entities")
_KNOWN = ("id", "text", EXTRA, "Comments", *_LABELS)


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read an export of doccano."""
    name, utf16 = path.stem, context.options.utf16
    return read_objects(
        path,
        context,
        make=lambda data, number: _bulletin(data, default_id=f"{name}-{number}", utf16=utf16),
    )


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a file that doccano imports."""
    utf16 = bool(context.options.utf16)
    write_objects((_to_json(bulletin, utf16=utf16) for bulletin in bulletins), path)


def _bulletin(data: Any, *, default_id: str, utf16: bool | None) -> Bulletin:
    text = typed(data, "text", str)
    entities = _entities(text, _triples(data), utf16=utf16)
    if EXTRA in data:
        kept = Bulletin.from_dict({**_flat(typed(data, EXTRA, dict)), "text": text})
        return make_bulletin(kept.id, text, entities=entities, sentences=kept.sentences, meta=kept.meta)
    meta, strange = foreign_meta(data, known=_KNOWN)
    if strange:
        raise DataError(f"key {strange[0]!r}: a bulletin can't carry this; take it out")
    identifier = typed(data, "id", (int, str)) if "id" in data else default_id
    return make_bulletin(str(identifier), text, entities=entities, meta=meta)


def _flat(extra: dict[str, Any]) -> dict[str, Any]:
    """The canonical object of what is kept under our key."""
    meta = typed(extra, "meta", dict)
    for key in meta:
        typed(meta, key, str)
    return {**meta, "id": extra.get("id"), "sentences": extra.get("sentences", [])}


def _triples(data: dict[str, Any]) -> list[tuple[int, int, str]]:
    """Start, end and label of every entity, in either spelling."""
    given = [key for key in _LABELS if key in data]
    if len(given) != 1:
        raise DataError(f"expected one of the keys {', '.join(_LABELS)}, got {', '.join(given) or 'none'}")
    return [_triple(entry, key=given[0]) for entry in typed(data, given[0], list)]


def _triple(entry: Any, *, key: str) -> tuple[int, int, str]:
    if isinstance(entry, dict):
        return (
            typed(entry, "start_offset", int),
            typed(entry, "end_offset", int),
            typed(entry, "label", str),
        )
    if isinstance(entry, list) and [type(value) for value in entry] == [int, int, str]:
        return entry[0], entry[1], entry[2]
    raise DataError(f"key {key!r}: expected [start, end, label], got {dump_json(entry)[:60]}")


def _entities(text: str, triples: list[tuple[int, int, str]], *, utf16: bool | None) -> list[Entity]:
    if not utf16:
        furthest = max((end for _, end, _ in triples), default=0)
        if utf16 is None and has_astral(text[: max(furthest, 0)]):
            raise DataError(
                "entities after a character beyond U+FFFF: say whether the offsets count UTF-16 units "
                "(option utf16: true) or code points (false)"
            )
        return [Entity(*triple) for triple in triples]
    table = to_points(text)
    entities = []
    for start, end, label in triples:
        span = span_to_points(table, start, end)
        if span is None:
            raise DataError(
                f"[{start}, {end}) {label} is out of range or cuts a character in UTF-16 units; "
                "perhaps the file counts code points (option utf16: false)"
            )
        entities.append(Entity(*span, label))
    return entities


def _to_json(bulletin: Bulletin, *, utf16: bool) -> dict[str, Any]:
    units = to_units(bulletin.text) if utf16 else range(len(bulletin.text) + 1)
    labels = [[units[entity.start], units[entity.end], entity.label] for entity in bulletin.entities]
    extra = {
        "id": bulletin.id,
        "meta": dict(bulletin.meta),
        "sentences": bulletin.to_dict()["sentences"],
    }
    return {"text": bulletin.text, "label": labels, EXTRA: extra}


FORMAT = Format(
    "doccano", (), "doccano's JSONL for sequence labelling (named only, as it ends in .jsonl)", read, write
)
