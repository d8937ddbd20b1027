"""How well directives are read: ``python -m zhengling_training.evaluation.directives``.

Gold items are compared twice: rules over the hand-made entities and sentences, and over those of a model.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zhengling.directives import find_directives
from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import read_bulletins
from zhengling.loading import load_pipeline
from zhengling.schema import Bulletin, Directive, Mention, directive_from_dict

FIELDS = ("issuer", "addressee", "deadline", "date", "action")


@dataclass(frozen=True, slots=True)
class Gold:
    """A bulletin with its items by hand.

    Attributes:
        bulletin: the annotated bulletin with its directives.
        part: the sample that it belongs to; each was drawn after the rules had been fitted to those before.
    """

    bulletin: Bulletin
    part: str


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts over items.

    Attributes:
        gold: items by hand.
        found: items found.
        items: items whose place is right.
        right: by field, gold items found with exactly this value, absent ones included.
    """

    gold: int
    found: int
    items: int
    right: Mapping[str, int]

    def rate(self, field: str) -> float:
        """Share of the gold items with this field right; 0 where there are none."""
        return self.right[field] / self.gold if self.gold else 0.0


def read_gold(path: Path) -> list[Gold]:
    """Read items by hand; a bulletin is named by its path beside the file, without suffix.

    Raises:
        DataError: the file is none, or an item doesn't fit its bulletin.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["bulletins"]
        return [_gold(entry, path.parent) for entry in entries]
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror}", path=path) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"no gold directives: {error}", path=path) from error


def _gold(entry: Mapping[str, object], folder: Path) -> Gold:
    file = folder / f"{entry['bulletin']}.bulletin"
    [bulletin] = read_bulletins(file)
    items = tuple(map(directive_from_dict, entry["directives"]))  # type: ignore[call-overload]
    for part in (part for item in items for _, part in item.parts()):
        if bulletin.text[part.start : part.end] != part.text:
            raise DataError(f"[{part.start}, {part.end}) is not {part.text!r}", path=file)
    return Gold(replace(bulletin, directives=items), str(entry["part"]))


def score(gold: Iterable[Bulletin], predicted: Iterable[Bulletin]) -> Scores:
    """Compare items that start and end at the same places.

    An issuer is right if its words are, wherever they stand; addressee, deadline and action have to lie at
    the same place; ``date`` is the deadline's ISO date. A field is right too where gold and found have none.
    """
    right: Counter[str] = Counter()
    total = found = items = 0
    for expected, got in zip(gold, predicted, strict=True):
        by_place = {(item.start, item.end): item for item in got.directives}
        total += len(expected.directives)
        found += len(got.directives)
        for item in expected.directives:
            match = by_place.get((item.start, item.end))
            if match is not None:
                items += 1
                right.update(field for field in FIELDS if _value(item, field) == _value(match, field))
    return Scores(total, found, items, {field: right[field] for field in FIELDS})


def _value(item: Directive, field: str) -> object:
    if field == "date":
        return item.deadline.date if item.deadline else None
    mention: Mention | None = getattr(item, field)
    if mention is None:
        return None
    return mention.text if field == "issuer" else (mention.start, mention.end)


def predictions(gold: Sequence[Gold], model: str | None) -> list[Bulletin]:
    """The same bulletins with directives by rule: over gold annotation, or over a model's if one is named."""
    if model is None:
        bulletins = [replace(one.bulletin, directives=()) for one in gold]
    else:
        nlp = load_pipeline(model)
        read = (doc._.bulletin for doc in nlp.pipe(one.bulletin.text for one in gold))
        bulletins = [replace(found, meta=one.bulletin.meta) for one, found in zip(gold, read, strict=True)]
    return [replace(bulletin, directives=find_directives(bulletin)) for bulletin in bulletins]


def table(gold: Sequence[Gold], predicted: Sequence[Bulletin]) -> list[str]:
    """A line a part with its figures, then one over all."""
    parts: dict[str, list[tuple[Bulletin, Bulletin]]] = defaultdict(list)
    for one, found in zip(gold, predicted, strict=True):
        for name in (one.part, "all"):
            parts[name].append((one.bulletin, found))
    lines = [f"{'part':8} bulletins items found placed  " + "  ".join(f"{field:9}" for field in FIELDS)]
    for name, pairs in parts.items():
        scores = score((a for a, _ in pairs), (b for _, b in pairs))
        rates = "  ".join(f"{scores.rate(field):<9.3f}" for field in FIELDS)
        lines.append(f"{name:8} {len(pairs):9} {scores.gold:5} {scores.found:5} {scores.items:6}  {rates}")
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gold", type=Path, nargs="?", default=Path("corpus/directives.json"))
    parser.add_argument("--model", default="zh_bulletin_sm")
    chosen = parser.parse_args(arguments)
    gold = read_gold(chosen.gold)
    for heading, model in (("gold entities and sentences", None), (f"those of {chosen.model}", chosen.model)):
        print(heading, *table(gold, predictions(gold, model)), sep="\n")


if __name__ == "__main__":
    try:
        main()
    except ZhenglingError as error:
        sys.exit(f"error: {error}")
