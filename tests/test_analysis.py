from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import pytest
from spacy.language import Language
from tests.backends import make_pipeline, noise_backend
from tests.strategies import SCHEME

from zhengling.analysis import analyse
from zhengling.components import bulletin_of
from zhengling.inputs import Source
from zhengling.schema import Bulletin

RNG = random.Random(5)
CLAUSES = [
    "示例市民政局召开会议",
    "各地要落实养老服务",
    "3月5日",
    "困难群众得到补贴",
    "（来源：示例网）",
    "张示例出席",
]
TEXTS = [
    "".join(RNG.choice(CLAUSES) + RNG.choice("，。；！\n") for _ in range(RNG.choice([1, 2, 5, 30, 90])))
    for _ in range(24)
]


def check_equal(found: Iterable[Bulletin], expected: Iterable[Bulletin], *, tolerance: float) -> None:
    for left, right in zip(found, expected, strict=True):
        assert left.text == right.text
        assert [(e.start, e.end, e.label) for e in left.entities] == [
            (e.start, e.end, e.label) for e in right.entities
        ]
        assert [(s.start, s.end, s.function, s.domains) for s in left.sentences] == [
            (s.start, s.end, s.function, s.domains) for s in right.sentences
        ]
        assert [e.score for e in left.entities] == pytest.approx(
            [e.score for e in right.entities], abs=tolerance
        )
        for one, other in zip(left.sentences, right.sentences, strict=True):
            assert one.scores == pytest.approx(other.scores, abs=tolerance)


@pytest.fixture(scope="module")
def singly(nlp: Language) -> list[Bulletin]:
    return [bulletin_of(nlp(text)) for text in TEXTS]


def test_batches_change_nothing(nlp: Language, singly: list[Bulletin]) -> None:
    for batch_size in (1, 2, 7, 64):
        found = map(bulletin_of, nlp.pipe(TEXTS, batch_size=batch_size))
        check_equal(found, singly, tolerance=1e-5)


def test_order_changes_nothing(nlp: Language, singly: list[Bulletin]) -> None:
    order = random.Random(3).sample(range(len(TEXTS)), len(TEXTS))
    found = map(bulletin_of, nlp.pipe([TEXTS[n] for n in order], batch_size=7))
    check_equal(found, [singly[n] for n in order], tolerance=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_batches_and_order_change_nothing_but_what_the_network_rounds(batch_size: int) -> None:
    pipeline = make_pipeline(SCHEME, noise_backend(SCHEME))
    singly = [bulletin_of(pipeline(text)) for text in TEXTS]
    order = random.Random(batch_size).sample(range(len(TEXTS)), len(TEXTS))
    found = map(bulletin_of, pipeline.pipe([TEXTS[n] for n in order], batch_size=batch_size))
    check_equal(found, [singly[n] for n in order], tolerance=1e-9)
    assert sum(len(bulletin.entities) for bulletin in singly) > 100


def test_processes_change_nothing(nlp: Language) -> None:
    serial = [bulletin_of(doc) for doc in nlp.pipe(TEXTS, batch_size=4)]
    found = [bulletin_of(doc) for doc in nlp.pipe(TEXTS, batch_size=4, n_process=2)]
    check_equal(found, serial, tolerance=1e-5)


def sources() -> list[Source]:
    return [Source(id=f"s{number}", place="-", text=text) for number, text in enumerate(TEXTS)]


def test_ids_stay_with_their_texts(nlp: Language) -> None:
    found = list(analyse(nlp, sources(), batch_size=5))
    assert [(b.id, b.text) for b in found] == [(s.id, s.text) for s in sources()]


def test_entities_below_the_score_are_left_out() -> None:
    pipeline = make_pipeline(SCHEME, noise_backend(SCHEME))
    everything = list(analyse(pipeline, sources()))
    likely = list(analyse(pipeline, sources(), min_score=0.5))
    for all_, some in zip(everything, likely, strict=True):
        assert some.entities == tuple(e for e in all_.entities if (e.score or 0) >= 0.5)
        assert some.sentences == all_.sentences
    assert 0 < sum(len(b.entities) for b in likely) < sum(len(b.entities) for b in everything)


def test_a_stream_is_read_as_it_is_needed() -> None:
    taken: list[str] = []

    def stream() -> Iterator[Source]:
        for source in sources():
            taken.append(source.id)
            yield source

    bulletins = analyse(make_pipeline(SCHEME, noise_backend(SCHEME)), stream(), batch_size=2)
    assert taken == []
    assert next(bulletins).id == "s0"
    assert len(taken) < len(TEXTS)


def test_no_sources(nlp: Language) -> None:
    assert list(analyse(nlp, [])) == []
