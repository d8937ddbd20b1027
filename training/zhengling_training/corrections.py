"""Corrections of annotated data that can't be edited in place: offsets and labels, no text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.schema import Bulletin, Entity, Sentence


def read_corrections(path: Path) -> dict[str, dict[str, Any]]:
    """Read a corrections file: a JSON list of ``{"id", "remove", "add", "sentences"}``.

    ``remove`` and ``add`` hold entities; ``sentences`` holds sentences by their ``start`` and ``end``, with a
    new ``function``, new ``domains``, or both.

    Returns:
        Corrections by bulletin id.

    Raises:
        DataError: unreadable, no JSON, not of that form, or the same id twice.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        corrections = {entry["id"]: entry for entry in entries}
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", path=path) from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError("not a JSON list of corrections with an id each", path=path) from error
    if len(corrections) < len(entries):
        raise DataError("the same id twice", path=path)
    return corrections


def correct(
    bulletins: Iterable[Bulletin], corrections: Mapping[str, Mapping[str, Any]], *, path: Path
) -> list[Bulletin]:
    """Apply corrections; bulletins without any stay as they are.

    Raises:
        DataError: something to be removed or changed isn't there, so the data are not those corrected.
    """
    return [
        _correct_one(bulletin, corrections[bulletin.id], path) if bulletin.id in corrections else bulletin
        for bulletin in bulletins
    ]


def _correct_one(bulletin: Bulletin, change: Mapping[str, Any], path: Path) -> Bulletin:
    entities = list(bulletin.entities)
    for gone in _entities(change.get("remove", ())):
        if gone not in entities:
            raise DataError(
                f"bulletin {bulletin.id!r} has no {gone.label} [{gone.start}, {gone.end})", path=path
            )
        entities.remove(gone)
    entities += _entities(change.get("add", ()))
    sentences = list(bulletin.sentences)
    for new in change.get("sentences", ()):
        found = [i for i, s in enumerate(sentences) if (s.start, s.end) == (new["start"], new["end"])]
        if not found:
            raise DataError(
                f"bulletin {bulletin.id!r} has no sentence [{new['start']}, {new['end']})", path=path
            )
        sentences[found[0]] = _corrected(sentences[found[0]], new)
    return replace(
        bulletin, entities=tuple(sorted(entities, key=lambda e: e.start)), sentences=tuple(sentences)
    )


def _entities(entries: Sequence[Mapping[str, Any]]) -> list[Entity]:
    return [Entity(entry["start"], entry["end"], entry["label"]) for entry in entries]


def _corrected(sentence: Sentence, new: Mapping[str, Any]) -> Sentence:
    return replace(
        sentence,
        function=new.get("function", sentence.function),
        domains=tuple(new.get("domains", sentence.domains)),
    )
