"""Variants keep every offset right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import bulletins
from tests.training.samples import tokens

from zhengling.characters import CharacterVocabulary
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence, faults
from zhengling_training.augment import AugmentSection, Edit, augment, edit, hide, mentions

SCHEME = LabelScheme.from_file(Path("configs/schemes/zh_bulletin.json"))
ALL = AugmentSection(breaks=0.2, spaces=0.2, dropped=0.5, swap=0.5, swap_labels=list(SCHEME.entity_names))


@given(bulletin=bulletins(), seed=st.integers(0, 2**32 - 1))
def test_variants_are_sound_and_keep_what_is_annotated(bulletin: Bulletin, seed: int) -> None:
    pool = {label: ["甲", "示例市", "三百二十一"] for label in SCHEME.entity_names}

    variant = augment(bulletin, settings=ALL, pool=pool, random=np.random.default_rng(seed))

    assert not list(faults(variant, scheme=SCHEME))
    assert [e.label for e in variant.entities] == [e.label for e in bulletin.entities]
    assert [(s.function, s.domains) for s in variant.sentences] == [
        (s.function, s.domains) for s in bulletin.sentences
    ]
    for old, new in zip(bulletin.entities, variant.entities, strict=True):
        kept = "".join(variant.surface(new).split())
        assert kept in {"".join(bulletin.surface(old).split()), *pool[old.label]}


@given(bulletin=bulletins(), seed=st.integers(0, 2**32 - 1))
def test_white_space_alone_leaves_the_solid_text(bulletin: Bulletin, seed: int) -> None:
    settings = AugmentSection(breaks=0.3, spaces=0.3, dropped=1.0)

    variant = augment(bulletin, settings=settings, pool={}, random=np.random.default_rng(seed))

    assert "".join(variant.text.split()) == "".join(bulletin.text.split())


@given(bulletin=bulletins())
def test_rates_of_zero_change_nothing(bulletin: Bulletin) -> None:
    random = np.random.default_rng(0)
    assert augment(bulletin, settings=AugmentSection(), pool={}, random=random) == bulletin


def test_an_insertion_at_a_border_stays_outside() -> None:
    bulletin = Bulletin(
        id="a",
        text="示例市民政局开会",
        entities=(Entity(0, 6, "ORG"),),
        sentences=(Sentence(0, 8, "REPORT"),),
    )

    variant = edit(bulletin, [Edit(3, 3, "\n"), Edit(6, 6, " "), Edit(7, 8, "")])

    assert variant.text == "示例市\n民政局 开"
    assert variant.surface(variant.entities[0]) == "示例市\n民政局"
    assert variant.surface(variant.sentences[0]) == variant.text


@pytest.mark.parametrize("new", ["乙", "某某自治州"])
def test_replacing_an_entity_moves_what_follows(new: str) -> None:
    bulletin = Bulletin(id="a", text="赴示例市和样板县", entities=(Entity(1, 4, "LOC"), Entity(5, 8, "LOC")))

    variant = edit(bulletin, [Edit(1, 4, new)])

    assert [variant.surface(e) for e in variant.entities] == [new, "样板县"]


def test_mentions_are_distinct_and_without_white_space() -> None:
    bulletin = Bulletin(
        id="a",
        text="示例市 样\n板 示例市",
        entities=(Entity(0, 3, "LOC"), Entity(4, 7, "LOC"), Entity(8, 11, "LOC")),
    )
    assert mentions([bulletin], labels=["LOC", "ORG"]) == {"LOC": ["示例市"], "ORG": []}


def test_hidden_characters_are_characters_at_the_rate_asked_for() -> None:
    characters = CharacterVocabulary({token: number for number, token in enumerate(tokens())})
    cls, sep, pad, mask = (characters.id_of(token) for token in ("[CLS]", "[SEP]", "[PAD]", "[MASK]"))
    rows = torch.full((40, 252), characters.ids["民"])
    rows[:, 0], rows[:, 201], rows[:, 202:] = cls, sep, pad

    found = hide(rows, rate=0.1, vocabulary=characters, random=np.random.default_rng(1))

    changed = found != rows
    assert (found[changed] == mask).all()
    assert not changed[:, 0].any() and not changed[:, 201:].any()
    assert changed[:, 1:201].float().mean().item() == pytest.approx(0.1, abs=0.02)
    again = hide(rows, rate=0.1, vocabulary=characters, random=np.random.default_rng(1))
    assert torch.equal(found, again)
    assert torch.equal(hide(rows, rate=0.0, vocabulary=characters, random=np.random.default_rng(1)), rows)
