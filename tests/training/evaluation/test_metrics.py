from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import v1 as seqeval
from seqeval.scheme import IOBES
from tests.strategies import SCHEME, bulletins

from zhengling.decoding import tag_names, tag_numbers
from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin, Entity, Sentence
from zhengling.scoring import match_sentences
from zhengling_training.evaluation.counts import Counts, macro_f1
from zhengling_training.evaluation.metrics import Scores, score
from zhengling_training.evaluation.spans import SCHEMES

LABELS = SCHEME.entity_names[:3]
TEXT = "民政部要求各地做好工作。"


@st.composite
def entities(draw: st.DrawFn, length: int) -> tuple[Entity, ...]:
    """Entities of a text, side by side or apart."""
    found, at = [], 0
    while at < length:
        size, label = draw(st.tuples(st.integers(1, 3), st.sampled_from([None, *LABELS])))
        if label is not None and at + size <= length:
            found.append(Entity(at, at + size, label))
        at += size
    return tuple(found)


@st.composite
def partitions(draw: st.DrawFn, length: int) -> tuple[Sentence, ...]:
    """Sentences that cover a text."""
    cuts = sorted({0, length, *draw(st.sets(st.integers(1, length - 1), max_size=4))})
    return tuple(
        Sentence(
            start,
            end,
            draw(st.sampled_from(SCHEME.function_names)),
            tuple(draw(st.sets(st.sampled_from(SCHEME.domain_names[:4]), max_size=2))),
        )
        for start, end in pairwise(cuts)
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[Bulletin], list[Bulletin]]:
    """Gold and predicted bulletins of the same texts."""
    gold, predicted = [], []
    for number in range(draw(st.integers(1, 3))):
        length = draw(st.integers(2, len(TEXT)))
        for side in (gold, predicted):
            found = draw(entities(length)), draw(partitions(length))
            side.append(Bulletin(str(number), TEXT[:length], *found))
    return gold, predicted


def labels_of(bulletin: Bulletin) -> list[str]:
    """BIOES labels of every character."""
    spans = [(e.start, e.end, LABELS.index(e.label)) for e in bulletin.entities]
    return [tag_names(LABELS)[tag] for tag in tag_numbers(spans, len(bulletin.text))]


def ratios(counts: Counts) -> tuple[float, float, float]:
    return counts.precision or 0.0, counts.recall or 0.0, counts.f1 or 0.0


@settings(max_examples=250, deadline=None)
@given(pairs())
def test_entities_agree_with_seqeval(pair: tuple[list[Bulletin], list[Bulletin]]) -> None:
    true, found = ([labels_of(bulletin) for bulletin in side] for side in pair)
    scores = score(*pair, scheme=SCHEME)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not any(label != "O" for row in [*true, *found] for label in row):
            assert scores.entity_micro == Counts()
            return
        micro = seqeval.precision_recall_fscore_support(
            true, found, average="micro", scheme=IOBES, zero_division=0
        )
        p, r, f, support = seqeval.precision_recall_fscore_support(
            true, found, average=None, scheme=IOBES, zero_division=0
        )
    assert ratios(scores.entity_micro) == pytest.approx(tuple(map(float, micro[:3])))
    there = sorted({label[2:] for row in [*true, *found] for label in row if label != "O"})
    for number, label in enumerate(there):
        counts = scores.entities[label]
        assert ratios(counts) == pytest.approx((p[number], r[number], f[number]))
        assert counts.tp + counts.fn == support[number]
    assert all(counts == Counts() for label, counts in scores.entities.items() if label not in there)


def swapped(counts: Counts) -> Counts:
    return Counts(counts.tp, counts.fn, counts.fp)


@given(pairs())
def test_swapping_gold_and_prediction_swaps_precision_and_recall(
    pair: tuple[list[Bulletin], list[Bulletin]],
) -> None:
    gold, predicted = pair
    one, other = score(gold, predicted, scheme=SCHEME), score(predicted, gold, scheme=SCHEME)
    for mine, theirs in (
        (one.entity_micro, other.entity_micro),
        (one.unlabelled, other.unlabelled),
        (one.boundaries, other.boundaries),
        *((one.entities[label], other.entities[label]) for label in one.entities),
    ):
        assert mine == swapped(theirs)
        assert (mine.precision, mine.recall, mine.f1) == (theirs.recall, theirs.precision, theirs.f1)


@given(st.lists(bulletins(), min_size=1, max_size=3))
def test_gold_against_itself_is_perfect(gold: list[Bulletin]) -> None:
    scores = score(gold, gold, scheme=SCHEME)
    assert set(scores.summary().values()) <= {1.0, None}
    assert scores.entity_micro == Counts(tp=sum(len(b.entities) for b in gold))
    assert scores.boundaries == Counts(tp=sum(len(b.sentences) for b in gold))
    assert all(true == found for true, found in scores.confusion)
    assert sum(scores.confusion.values()) == sum(len(b.sentences) for b in gold)


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_bulletins_does_not_matter(
    pair: tuple[list[Bulletin], list[Bulletin]], random: np.random.Generator
) -> None:
    order = list(range(len(pair[0])))
    random.shuffle(order)
    mixed = ([side[number] for number in order] for side in pair)
    assert score(*mixed, scheme=SCHEME) == score(*pair, scheme=SCHEME)


@given(pairs())
def test_sentences_are_matched_by_most_characters(pair: tuple[list[Bulletin], list[Bulletin]]) -> None:
    for gold, predicted in zip(*pair, strict=True):
        matches = match_sentences(gold, predicted)
        assert [true for true, _ in matches] == list(gold.sentences)
        for true, found in matches:
            common = [
                len(set(range(true.start, true.end)) & set(range(s.start, s.end)))
                for s in predicted.sentences
            ]
            assert found == predicted.sentences[common.index(max(common))]


def test_a_gold_sentence_that_nothing_meets() -> None:
    gold = Bulletin("a", "民政部。 要闻。", (), (Sentence(0, 4, "REPORT"), Sentence(5, 8, "OTHER")))
    predicted = replace(gold, sentences=(Sentence(0, 4, "REPORT"),))
    assert match_sentences(gold, predicted) == [
        (gold.sentences[0], gold.sentences[0]),
        (gold.sentences[1], None),
    ]
    scores = score([gold], [predicted], scheme=SCHEME)
    assert scores.confusion == {("REPORT", "REPORT"): 1, ("OTHER", None): 1}
    assert scores.function_accuracy == 0.5
    assert scores.functions["OTHER"] == Counts(fn=1)
    assert scores.boundaries == Counts(tp=1, fn=1)


def labelled(function: str, *domains: str, end: int = 4, scores: dict[str, float] | None = None) -> Bulletin:
    return Bulletin("a", "民政部。", (), (Sentence(0, end, function, domains, scores or {}),))


def test_functions_and_domains_are_counted_over_gold_sentences() -> None:
    gold = [labelled("REPORT", "elderly", "charity"), labelled("DIRECTIVE", "charity"), labelled("OTHER")]
    predicted = [labelled("REPORT", "elderly"), labelled("REPORT", "charity", "lottery"), labelled("OTHER")]
    scores = score(gold, predicted, scheme=SCHEME)
    assert scores.functions == {
        "REPORT": Counts(tp=1, fp=1),
        "DIRECTIVE": Counts(fn=1),
        "OTHER": Counts(tp=1),
    }
    assert scores.function_accuracy == pytest.approx(2 / 3)
    assert macro_f1(scores.functions) == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert scores.domain_micro == Counts(tp=2, fp=1, fn=1)
    assert (scores.domains["charity"], scores.domains["lottery"]) == (Counts(tp=1, fn=1), Counts(fp=1))
    assert macro_f1(scores.domains) == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_a_wrong_label_costs_twice_but_not_without_labels() -> None:
    gold = Bulletin("a", "民政部。", (Entity(0, 3, "ORG"),))
    predicted = replace(gold, entities=(Entity(0, 3, "LOC"),))
    scores = score([gold], [predicted], scheme=SCHEME)
    assert scores.entity_micro == Counts(fp=1, fn=1)
    assert scores.unlabelled == Counts(tp=1)


def test_what_is_undefined_is_none() -> None:
    bare = Bulletin("a", "民政部。")
    scores = score([bare], [bare], scheme=SCHEME)
    assert set(scores.summary().values()) == {None}
    assert (scores.ece, scores.confusion) == ({}, {})
    assert Counts(fp=2).precision == Counts(fp=2).f1 == 0.0
    assert Counts(fp=2).recall is None
    assert Counts(fn=2).precision is None
    assert (Counts(fn=2).recall, Counts(fn=2).f1) == (0.0, 0.0)
    assert macro_f1({"a": Counts(), "b": Counts(tp=1)}) == 1.0
    assert macro_f1({"a": Counts()}) is None


def test_sentences_of_gold_without_sentences_are_not_counted() -> None:
    gold = Bulletin("a", "民政部。", (Entity(0, 3, "ORG"),))
    scores = score([gold], [replace(gold, sentences=(Sentence(0, 4, "REPORT"),))], scheme=SCHEME)
    assert scores.boundaries == Counts()
    assert scores.entity_micro == Counts(tp=1)


def test_a_changed_text_is_refused() -> None:
    gold = Bulletin("spring-3", "民政部。")
    message = r"^bulletin 'spring-3': the analysed text is not the gold text$"
    with pytest.raises(ZhenglingError, match=message):
        score([gold], [replace(gold, text="民政部")], scheme=SCHEME)


def test_no_gold_is_refused() -> None:
    with pytest.raises(ZhenglingError, match=r"^nothing to measure on: there are no gold bulletins$"):
        score([], [], scheme=SCHEME)


def test_another_number_of_bulletins_is_refused() -> None:
    with pytest.raises(ZhenglingError, match=r"^1 gold bulletins, but 0 predictions$"):
        score([Bulletin("a", "甲")], [], scheme=SCHEME)


def test_everything_as_json() -> None:
    scores = score([labelled("REPORT", "elderly")], [labelled("OTHER")], scheme=SCHEME)
    data = scores.to_dict()
    assert data["function_confusion"] == [{"gold": "REPORT", "predicted": "OTHER", "sentences": 1}]
    assert data["domains"]["elderly"] == {"p": None, "r": 0.0, "f1": 0.0, "tp": 0, "fp": 0, "fn": 1}
    assert data["summary"] == scores.summary()
    assert list(data["entities"]) == list(SCHEME.entity_names)
    assert isinstance(scores, Scores)


def test_the_names_of_the_figures() -> None:
    """Reports, cards and other people's scripts read them."""
    sure = {
        **dict.fromkeys(SCHEME.function_names, 0.0),
        "REPORT": 1.0,
        **dict.fromkeys(SCHEME.domain_names, 0.0),
    }
    entities = (Entity(0, 2, "ORG", 0.9), Entity(2, 3, "LOC", 0.9))
    gold = replace(labelled("REPORT", "elderly"), entities=(Entity(0, 3, "ORG"),))
    found = replace(labelled("REPORT", "elderly", scores=sure), entities=entities)
    scores = score([gold, gold], [found, found], scheme=SCHEME)
    summary = scores.summary()
    errors = {f"ece_{head}": error for head, error in scores.ece.items()}
    assert set(errors) == {"ece_entities", "ece_functions", "ece_domains"}
    assert summary == {
        "entity_f1": 0.0,
        "entity_macro_f1": 0.0,
        "entity_unlabelled_f1": 0.0,
        "entity_partial_f1": scores.schemes["partial"].f1,
        "entity_type_f1": scores.schemes["type"].f1,
        "sentence_boundary_f1": 1.0,
        "function_accuracy": 1.0,
        "function_macro_f1": 1.0,
        "domain_micro_f1": 1.0,
        "domain_macro_f1": 1.0,
        **errors,
    }
    assert 0 < (summary["entity_partial_f1"] or 0) < (summary["entity_type_f1"] or 0)
    data = scores.to_dict()
    schemes = data.pop("entity_schemes")
    assert list(data) == [
        "bulletins",
        "summary",
        "entities",
        "entities_micro",
        "entities_unlabelled",
        "boundaries",
        "functions",
        "function_confusion",
        "domains",
        "domains_micro",
    ]
    assert data["bulletins"] == 2
    wrong = {"p": 0.0, "r": 0.0, "f1": 0.0, "tp": 0, "fp": 4, "fn": 2}
    assert data["entities_micro"] == data["entities_unlabelled"] == wrong
    assert data["entities"]["LOC"] == {"p": 0.0, "r": None, "f1": 0.0, "tp": 0, "fp": 2, "fn": 0}
    right = {"p": 1.0, "r": 1.0, "f1": 1.0, "tp": 2, "fp": 0, "fn": 0}
    assert data["boundaries"] == data["functions"]["REPORT"] == data["domains_micro"] == right
    assert list(schemes) == list(SCHEMES)
    for name, matches in scores.schemes.items():
        assert schemes[name]["micro"] == matches.to_dict()
        assert schemes[name]["macro_f1"] == macro_f1(scores.by_label[name])
        assert list(schemes[name]["labels"]) == list(SCHEME.entity_names)
        assert schemes[name]["labels"]["ORG"] == scores.by_label[name]["ORG"].to_dict()
        assert set(schemes[name]) == {"micro", "macro_f1", "labels"}


def test_reports_are_sorted_by_function() -> None:
    gold = [labelled("REPORT"), labelled("CONTEXT"), labelled("DIRECTIVE")]
    found = [labelled("OTHER"), labelled("REPORT"), labelled("DIRECTIVE")]
    rows = score(gold, found, scheme=SCHEME).to_dict()["function_confusion"]
    assert [row["gold"] for row in rows] == ["CONTEXT", "DIRECTIVE", "REPORT"]


@given(*[st.builds(Counts, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))] * 2)
def test_counts_add_up(one: Counts, other: Counts) -> None:
    both = one + other
    assert (both.tp, both.fp, both.fn) == (one.tp + other.tp, one.fp + other.fp, one.fn + other.fn)
    if both.precision is not None and both.recall is not None and both.tp:
        assert both.f1 == pytest.approx(2 * both.precision * both.recall / (both.precision + both.recall))
