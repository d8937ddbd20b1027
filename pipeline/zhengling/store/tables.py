"""Bulletins as Arrow tables: nested for Parquet, flat for the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from zhengling.directives import date_of_bulletin
from zhengling.schema import Bulletin, Directive, Entity, Mention, Sentence

_SPAN = [("start", pa.int64()), ("end", pa.int64()), ("text", pa.string())]
_NAMES = pa.list_(pa.string())

ENTITY = [*_SPAN, ("label", pa.string()), ("score", pa.float64())]
SENTENCE = [
    ("number", pa.int64()),
    *_SPAN,
    ("function", pa.string()),
    ("score", pa.float64()),
    ("domains", _NAMES),
]
DIRECTIVE = [
    ("number", pa.int64()),
    ("sentence", pa.int64()),
    ("start", pa.int64()),
    ("end", pa.int64()),
    ("action", pa.string()),
    ("issuer", pa.string()),
    ("addressee", pa.string()),
    ("deadline", pa.string()),
    ("due", pa.date32()),
    ("domains", _NAMES),
    ("groups", _NAMES),
    ("documents", _NAMES),
    ("score", pa.float64()),
]
BULLETIN = [
    ("id", pa.string()),
    ("title", pa.string()),
    ("date", pa.date32()),
    ("source", pa.string()),
    ("text", pa.string()),
]
NESTED = pa.schema(
    [
        *BULLETIN,
        ("entities", pa.list_(pa.struct(ENTITY))),
        ("sentences", pa.list_(pa.struct(SENTENCE))),
        ("directives", pa.list_(pa.struct(DIRECTIVE))),
    ]
)
KEY = ("bulletin", pa.string())


@dataclass(frozen=True, slots=True)
class Flat:
    """A batch of bulletins as four tables; ``bulletin`` in each of them is the key.

    Attributes:
        bulletins: a row a bulletin, with ``bulletin``, ``place``, ``model`` besides ``BULLETIN``.
        sentences: a row a sentence.
        entities: a row an entity.
        directives: a row an item demanded.
    """

    bulletins: pa.Table
    sentences: pa.Table
    entities: pa.Table
    directives: pa.Table


@dataclass(frozen=True, slots=True)
class Stored:
    """A bulletin with what the database keeps of it.

    Attributes:
        key: hash of text and model.
        place: file that it is from.
        model: name of the model.
        bulletin: the analysis.
    """

    key: str
    place: str
    model: str
    bulletin: Bulletin


def nested(bulletins: Iterable[Bulletin]) -> pa.Table:
    """A row a bulletin with lists of entities, sentences and directives (``NESTED``)."""
    rows = [
        {
            **_bulletin(bulletin),
            "entities": [_entity(bulletin, entity) for entity in bulletin.entities],
            "sentences": _sentences(bulletin),
            "directives": _directives(bulletin),
        }
        for bulletin in bulletins
    ]
    return pa.Table.from_pylist(rows, schema=NESTED)


def flat(batch: Sequence[Stored]) -> Flat:
    """A batch as four tables."""
    keys = [("bulletin", pa.string()), ("place", pa.string()), ("model", pa.string())]
    own = [
        {"bulletin": one.key, "place": one.place, "model": one.model, **_bulletin(one.bulletin)}
        for one in batch
    ]
    entities = [
        _keyed(one, _entity(one.bulletin, entity)) for one in batch for entity in one.bulletin.entities
    ]
    sentences = [_keyed(one, row) for one in batch for row in _sentences(one.bulletin)]
    directives = [_keyed(one, row) for one in batch for row in _directives(one.bulletin)]
    return Flat(
        bulletins=pa.Table.from_pylist(own, schema=pa.schema([*keys, *BULLETIN])),
        sentences=pa.Table.from_pylist(sentences, schema=pa.schema([KEY, *SENTENCE])),
        entities=pa.Table.from_pylist(entities, schema=pa.schema([KEY, *ENTITY])),
        directives=pa.Table.from_pylist(directives, schema=pa.schema([KEY, *DIRECTIVE])),
    )


def _keyed(one: Stored, row: dict[str, Any]) -> dict[str, Any]:
    return {"bulletin": one.key, **row}


def _bulletin(bulletin: Bulletin) -> dict[str, Any]:
    day = date_of_bulletin(bulletin)
    return {
        "id": bulletin.id,
        "title": bulletin.meta.get("title"),
        "date": date.fromisoformat(day) if day else None,
        "source": bulletin.meta.get("source"),
        "text": bulletin.text,
    }


def _span(bulletin: Bulletin, span: Entity | Sentence) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "text": bulletin.surface(span)}


def _entity(bulletin: Bulletin, entity: Entity) -> dict[str, Any]:
    return {**_span(bulletin, entity), "label": entity.label, "score": entity.score}


def _sentences(bulletin: Bulletin) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            **_span(bulletin, sentence),
            "function": sentence.function,
            "score": sentence.scores.get(sentence.function) if sentence.function else None,
            "domains": list(sentence.domains),
        }
        for number, sentence in enumerate(bulletin.sentences)
    ]


def _directives(bulletin: Bulletin) -> list[dict[str, Any]]:
    return [_directive(number, directive) for number, directive in enumerate(bulletin.directives)]


def _directive(number: int, directive: Directive) -> dict[str, Any]:
    deadline = directive.deadline
    return {
        "number": number,
        "sentence": directive.sentence,
        "start": directive.start,
        "end": directive.end,
        "action": directive.action.text,
        "issuer": _text(directive.issuer),
        "addressee": _text(directive.addressee),
        "deadline": _text(deadline),
        "due": date.fromisoformat(deadline.date) if deadline and deadline.date else None,
        "domains": list(directive.domains),
        "groups": [mention.text for mention in directive.groups],
        "documents": [mention.text for mention in directive.documents],
        "score": directive.score,
    }


def _text(mention: Mention | None) -> str | None:
    return None if mention is None else mention.text
