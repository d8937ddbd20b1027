"""Variants of annotated bulletins for training: offset-exact edits of text, never stored in files.

Width of letters, digits and punctuation needs no variants: the model reads full-width forms folded to
half-width ones (``zhengling.characters``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from zhengling.characters import CharacterVocabulary
from zhengling.schema import Bulletin, Entity, Sentence
from zhengling_training.config import Fraction, Section

Span = TypeVar("Span", Entity, Sentence)


class AugmentSection(Section):
    """How often; all rates 0 switch it off.

    - ``breaks``: line breaks put into a sentence, a character;
    - ``spaces``: spaces put between characters, a character;
    - ``dropped``: white space inside sentences that is left out, a piece;
    - ``swap``: entities replaced by another of their label (mention replacement, Dai & Adel 2020), an entity
      with a label in ``swap_labels``;
    - ``hidden``: characters that the network doesn't see, a character.
    """

    breaks: float = 0.0
    spaces: float = 0.0
    dropped: float = 0.0
    swap: float = 0.0
    swap_labels: list[str] = []
    hidden: Fraction = 0.0


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace ``text[start:end]``; an empty range inserts."""

    start: int
    end: int
    new: str


def mentions(bulletins: Iterable[Bulletin], *, labels: Sequence[str]) -> dict[str, list[str]]:
    """Distinct entity strings by label, in order; strings with white space are left out."""
    found: dict[str, dict[str, None]] = {label: {} for label in labels}
    for bulletin in bulletins:
        for entity in bulletin.entities:
            surface = bulletin.surface(entity)
            if entity.label in found and not any(c.isspace() for c in surface):
                found[entity.label][surface] = None
    return {label: list(strings) for label, strings in found.items()}


def augment(
    bulletin: Bulletin,
    *,
    settings: AugmentSection,
    pool: Mapping[str, Sequence[str]],
    random: np.random.Generator,
) -> Bulletin:
    """A variant of a bulletin: entities swapped first, then white space put in and left out.

    Args:
        bulletin: annotated.
        settings: how often.
        pool: entity strings by label, see ``mentions``.
        random: decides.
    """
    swapped = edit(bulletin, _swaps(bulletin, settings, pool, random))
    return edit(swapped, _white_space(swapped, settings, random))


def hide(ids: Tensor, *, rate: float, vocabulary: CharacterVocabulary, random: np.random.Generator) -> Tensor:
    """Put ``[MASK]`` in the place of some characters, so that no sentence is known by one of its words.

    Args:
        ids: windows as ``zhengling_training.data.collate`` pads them, shape ``(windows, length + 2)``.
        rate: probability of each character.
        vocabulary: of the ids.
        random: decides.
    """
    kept = torch.tensor([vocabulary.id_of(token) for token in ("[PAD]", "[CLS]", "[SEP]")])
    chosen = torch.from_numpy(random.random(tuple(ids.shape)) < rate) & ~torch.isin(ids, kept)
    return ids.masked_fill(chosen, vocabulary.id_of("[MASK]"))


def edit(bulletin: Bulletin, edits: Sequence[Edit]) -> Bulletin:
    """Apply edits and move every span along.

    Args:
        bulletin: annotated.
        edits: sorted, not overlapping; one may replace exactly a span or lie inside one, but none may cross
            a span's border. What is inserted at a border stays outside the span.
    """
    pieces, at = [], 0
    for change in edits:
        pieces += [bulletin.text[at : change.start], change.new]
        at = change.end
    text = "".join([*pieces, bulletin.text[at:]])
    entities = tuple(_moved(entity, edits) for entity in bulletin.entities)
    sentences = tuple(_moved(sentence, edits) for sentence in bulletin.sentences)
    return replace(bulletin, text=text, entities=entities, sentences=sentences)


def _moved(span: Span, edits: Sequence[Edit]) -> Span:
    start = span.start + sum(_growth(e) for e in edits if e.end <= span.start)
    end = span.end + sum(
        _growth(e) for e in edits if e.end < span.end or (e.end == span.end and e.start < e.end)
    )
    return replace(span, start=start, end=end)


def _growth(change: Edit) -> int:
    return len(change.new) - (change.end - change.start)


def _swaps(
    bulletin: Bulletin,
    settings: AugmentSection,
    pool: Mapping[str, Sequence[str]],
    random: np.random.Generator,
) -> list[Edit]:
    whole = (e for e in bulletin.entities if not any(e.start < s.start < e.end for s in bulletin.sentences))
    chosen = [e for e in whole if pool.get(e.label) and random.random() < settings.swap]
    return [Edit(e.start, e.end, pool[e.label][int(random.integers(len(pool[e.label])))]) for e in chosen]


def _white_space(bulletin: Bulletin, settings: AugmentSection, random: np.random.Generator) -> list[Edit]:
    """Insertions between two characters of a sentence, and removals of its inner white space."""
    edits = []
    for sentence in bulletin.sentences:
        chances = random.random(sentence.end - sentence.start)
        for offset in range(sentence.start + 1, sentence.end):
            chance = chances[offset - sentence.start]
            character = bulletin.text[offset]
            if character.isspace():
                if chance < settings.dropped:
                    edits.append(Edit(offset, offset + 1, ""))
            elif chance < settings.breaks:
                edits.append(Edit(offset, offset, "\n"))
            elif chance < settings.breaks + settings.spaces:
                edits.append(Edit(offset, offset, " "))
    return edits
