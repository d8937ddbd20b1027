from __future__ import annotations

import json

from tests.training.evaluation.samples import EVIL
from tests.training.samples import SCHEME

from zhengling.schema import Bulletin
from zhengling_training.evaluation.browser import browser, escaped_json, label_places
from zhengling_training.evaluation.errors import KINDS


def test_worst_bulletins_come_first_and_fit(gold: list[Bulletin], predicted: list[Bulletin]) -> None:
    pairs = list(zip(gold, predicted, strict=True))
    every = browser(pairs, scheme=SCHEME)
    entries = json.loads(every.data)
    numbers = [len(entry["errors"]) for entry in entries]
    assert numbers == sorted(numbers, reverse=True)
    assert (every.shown, every.left_out) == (len(gold), 0)
    assert sum(every.errors.values()) == sum(numbers)
    assert list(every.errors) == list(KINDS)
    size = len(every.data.encode())
    some = browser(pairs, scheme=SCHEME, most_bytes=size // 2)
    assert some.left_out > 0
    assert some.shown + some.left_out == len(gold)
    assert len(some.data.encode()) <= size // 2 + 2
    assert json.loads(some.data) == entries[: some.shown]


def test_labels_are_named_by_their_places(gold: list[Bulletin], predicted: list[Bulletin]) -> None:
    names = list(label_places(SCHEME))
    assert names == [*SCHEME.entity_names, *SCHEME.function_names, *SCHEME.domain_names]
    (entry,) = json.loads(browser([(gold[0], predicted[0])], scheme=SCHEME).data)
    assert [
        (start, end, names[place]) for start, end, place, score in entry["gold"]["entities"] if score is None
    ] == [(e.start, e.end, e.label) for e in gold[0].entities]
    for sentence, laid_out in zip(predicted[0].sentences, entry["predicted"]["sentences"], strict=True):
        start, end, function, score, domains = laid_out
        assert (start, end, names[function]) == (sentence.start, sentence.end, sentence.function)
        assert score == round(sentence.scores[sentence.function or ""], 3)
        assert [names[place] for place, _ in domains] == list(sentence.domains)


def test_json_can_not_end_its_element() -> None:
    text = escaped_json({EVIL: "<!-- & -->"})
    assert not set("<>&") & set(text)
    assert json.loads(text) == {EVIL: "<!-- & -->"}
