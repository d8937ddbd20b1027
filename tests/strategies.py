"""Arbitrary sound bulletins: any Unicode text, cut into sentences, with entities that don't overlap."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import strategies as st

from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence

SCHEME = LabelScheme.from_file(Path(__file__).parents[1] / "configs" / "schemes" / "zh_bulletin.json")

AWKWARD = "民政部李示例。！？，\n\n\r\t  \u3000[]()|\\⏎#~:,;-+O_\"'{}😀𠮷\ufeff\u200b\x85\u2028\x00é\u0301"
CHARACTERS = st.one_of(st.sampled_from(AWKWARD), st.characters(exclude_categories=["Cs"]))
TEXTS = st.lists(
    st.one_of(CHARACTERS, st.sampled_from(["\r\n", "\n\n", "](ORG)", "\\[", "# O"])), max_size=40
).map("".join)
NAMES = st.text(CHARACTERS, max_size=12)


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    inside = [index for index in range(start, end) if not text[index].isspace()]
    return (inside[0], inside[-1] + 1) if inside else None


@st.composite
def _ranges(draw: st.DrawFn, text: str) -> list[tuple[int, int]]:
    """Neighbouring ranges that cover the text, without white space at their ends."""
    cuts = draw(st.sets(st.integers(0, len(text)), max_size=6))
    borders = sorted({0, len(text), *cuts})
    trimmed = [_trim(text, start, end) for start, end in pairwise(borders)]
    return [span for span in trimmed if span is not None]


@st.composite
def entities_of(draw: st.DrawFn, text: str, scheme: LabelScheme = SCHEME) -> tuple[Entity, ...]:
    """Entities of a text; they may cross sentences."""
    spans = draw(_ranges(text))
    labels = [draw(st.one_of(st.none(), st.sampled_from(scheme.entity_names))) for _ in spans]
    return tuple(Entity(*span, label) for span, label in zip(spans, labels, strict=True) if label is not None)


@st.composite
def sentences_of(draw: st.DrawFn, text: str, scheme: LabelScheme = SCHEME) -> tuple[Sentence, ...]:
    """A partition of a text into sentences, domains in the scheme's order."""
    sentences = []
    for start, end in draw(_ranges(text)):
        function = draw(st.sampled_from(scheme.function_names))
        chosen = draw(st.sets(st.sampled_from(scheme.domain_names), max_size=3))
        bare = function in scheme.functions_without_domains
        domains = () if bare else tuple(name for name in scheme.domain_names if name in chosen)
        sentences.append(Sentence(start, end, function, domains))
    return tuple(sentences)


@st.composite
def bulletins(draw: st.DrawFn, scheme: LabelScheme = SCHEME) -> Bulletin:
    """A sound bulletin; one in three or so has no sentences."""
    text = draw(TEXTS)
    meta = draw(st.dictionaries(NAMES, NAMES, max_size=3))
    return Bulletin(
        id=draw(NAMES),
        text=text,
        entities=draw(entities_of(text, scheme)),
        sentences=draw(st.one_of(sentences_of(text, scheme), sentences_of(text, scheme), st.just(()))),
        meta={
            key: meta[key] for key in meta if key not in ("id", "text", "entities", "sentences", "directives")
        },
    )


def collections_of_bulletins(*, max_size: int = 3) -> st.SearchStrategy[list[Bulletin]]:
    """Bulletins with different ids."""
    return st.lists(bulletins(), max_size=max_size, unique_by=lambda bulletin: bulletin.id)
