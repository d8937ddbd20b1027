"""Data of the error browser: texts with gold and predicted annotation and errors, as JSON in the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zhengling.report.view import facts_of
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence
from zhengling_training.evaluation.errors import KINDS, Mistake, mistakes

# So that a page stays below 20 MB with all else that is on it.
MOST_BYTES = 18_000_000


@dataclass(frozen=True, slots=True)
class Browser:
    """What the page's script reads.

    Attributes:
        data: a JSON array of bulletins, worst first, see ``_entry``; safe within a script element.
        shown: number of bulletins in it.
        left_out: number of bulletins that are not, those with the fewest errors.
        errors: number of errors by kind, of all bulletins.
    """

    data: str
    shown: int
    left_out: int
    errors: Mapping[str, int]


def browser(
    pairs: Iterable[tuple[Bulletin, Bulletin]], *, scheme: LabelScheme, most_bytes: int = MOST_BYTES
) -> Browser:
    """Lay errors out.

    Args:
        pairs: gold and predicted bulletins.
        scheme: the labels; the data name them by their places in ``label_places``.
        most_bytes: size of the data in UTF-8.
    """
    places = label_places(scheme)
    entries: list[tuple[int, int, str]] = []
    errors = dict.fromkeys(KINDS, 0)
    for number, (gold, predicted) in enumerate(pairs):
        found = mistakes(gold, predicted)
        for mistake in found:
            errors[mistake.kind] += 1
        entry = _entry(number, gold, predicted, found, places=places)
        entries.append((-len(found), number, escaped_json(entry)))
    entries.sort()
    kept: list[str] = []
    size = 0
    for _, _, laid_out in entries:
        size += len(laid_out.encode("utf-8")) + 1
        if size > most_bytes:
            break
        kept.append(laid_out)
    return Browser(f"[{','.join(kept)}]", len(kept), len(entries) - len(kept), errors)


def label_places(scheme: LabelScheme) -> dict[str, int]:
    """The place of each label: entities, then functions, then domains."""
    return {name: place for place, name in enumerate(scheme.labels)}


def _entry(
    number: int,
    gold: Bulletin,
    predicted: Bulletin,
    found: Sequence[Mistake],
    *,
    places: Mapping[str, int],
) -> dict[str, Any]:
    """A bulletin; offsets count code points, labels are places, -1 is none."""
    return {
        "n": number,
        "id": gold.id,
        "title": gold.meta.get("title") or gold.id,
        "facts": list(facts_of(gold)),
        "text": gold.text,
        "gold": _sides(gold, places),
        "predicted": _sides(predicted, places),
        "errors": [
            [
                KINDS.index(mistake.kind),
                mistake.start,
                mistake.end,
                _place(mistake.gold, places),
                _place(mistake.predicted, places),
                _share(mistake.confidence),
            ]
            for mistake in found
        ],
    }


def _sides(bulletin: Bulletin, places: Mapping[str, int]) -> dict[str, Any]:
    return {
        "entities": [_entity(entity, places) for entity in bulletin.entities],
        "sentences": [_sentence(sentence, places) for sentence in bulletin.sentences],
    }


def _entity(entity: Entity, places: Mapping[str, int]) -> list[Any]:
    return [entity.start, entity.end, _place(entity.label, places), _share(entity.score)]


def _sentence(sentence: Sentence, places: Mapping[str, int]) -> list[Any]:
    function = sentence.function
    score = sentence.scores.get(function) if function is not None else None
    domains = [[_place(name, places), _share(sentence.scores.get(name))] for name in sentence.domains]
    return [sentence.start, sentence.end, _place(function, places), _share(score), domains]


def _place(name: str | None, places: Mapping[str, int]) -> int:
    return -1 if name is None else places.get(name, -1)


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def escaped_json(value: Any) -> str:
    """JSON in which nothing can end the script element that holds it, or open a comment."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
