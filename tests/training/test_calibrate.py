from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.backends import ALPHABET, VOCABULARY, TableBackend
from tests.training.samples import MSRA, SCHEME

from zhengling.encoder import BulletinEncoder
from zhengling.heads import SentenceHead, sigmoid, softmax
from zhengling.schema import Bulletin, Entity, Sentence
from zhengling_training.calibrate import Calibration, CalibrationSection, calibrate, fit_thresholds

SETTINGS = CalibrationSection()
FUNCTIONS, DOMAINS = len(SCHEME.functions), len(SCHEME.domains)
COUNT = 1000
OFFSET = 100.0  # where a GELU is the identity


def picking_head(first: int, count: int) -> SentenceHead:
    """A head whose scores are ``count`` numbers of the mean vector."""
    pick = np.zeros((count, 2 * (FUNCTIONS + DOMAINS)))
    pick[:, first : first + count] = np.eye(count)
    weights = {
        "hidden.weight": pick,
        "hidden.bias": np.full(count, OFFSET),
        "output.weight": np.eye(count),
        "output.bias": np.full(count, -OFFSET),
    }
    return SentenceHead(weights)


HEADS = {"functions": picking_head(0, FUNCTIONS), "domains": picking_head(FUNCTIONS, DOMAINS)}


def drawn(temperature: float, *, seed: int = 0) -> tuple[BulletinEncoder, Bulletin]:
    """A network that is too sure by a factor, and a bulletin drawn from what it should have said.

    Every character is a sentence, and an entity or not.
    """
    random = np.random.default_rng(seed)
    names = SCHEME.entity_names
    truth = random.normal(0, 2, (COUNT, 1 + len(names)))
    vectors = random.normal(0, 1.5, (COUNT, FUNCTIONS + DOMAINS))
    tags = [random.choice(1 + len(names), p=row) for row in softmax(truth)]
    functions = [random.choice(FUNCTIONS, p=row) for row in softmax(vectors[:, :FUNCTIONS])]
    domains = random.random((COUNT, DOMAINS)) < sigmoid(vectors[:, FUNCTIONS:])
    sentences = []
    for at in range(COUNT):
        function = SCHEME.function_names[functions[at]]
        given_names = tuple(n for n, bears in zip(SCHEME.domain_names, domains[at], strict=True) if bears)
        bare = function in SCHEME.functions_without_domains
        sentences.append(Sentence(at, at + 1, function, () if bare else given_names))
    entities = tuple(Entity(at, at + 1, names[tag - 1]) for at, tag in enumerate(tags) if tag)
    bulletin = Bulletin("drawn", "".join(ALPHABET[:COUNT]), entities, tuple(sentences))
    emissions = np.full((len(VOCABULARY), 1 + 4 * len(names)), -1e4, np.float32)
    table = np.zeros((len(VOCABULARY), FUNCTIONS + DOMAINS), np.float32)
    ids = VOCABULARY.encode(bulletin.text)
    emissions[np.ix_(ids, [0, *range(4, 1 + 4 * len(names), 4)])] = temperature * truth
    table[ids] = temperature * vectors
    return BulletinEncoder(TableBackend(emissions, table), VOCABULARY), bulletin


def fitted(encoder: BulletinEncoder, *bulletins: Bulletin) -> Calibration:
    return calibrate(bulletins, encoder=encoder, heads=HEADS, scheme=SCHEME, settings=SETTINGS)


def silent() -> BulletinEncoder:
    """A network that finds no entity and says zero of everything else."""
    emissions = np.zeros((len(VOCABULARY), 1 + 4 * len(SCHEME.entities)), np.float32)
    emissions[:, 0] = 10.0
    backend = TableBackend(emissions, np.zeros((len(VOCABULARY), FUNCTIONS + DOMAINS), np.float32))
    return BulletinEncoder(backend, VOCABULARY)


def f1(predicted: NDArray[np.bool_], gold: NDArray[np.bool_]) -> float:
    pairs = list(zip(predicted.ravel().tolist(), gold.ravel().tolist(), strict=True))
    right, given_, there = pairs.count((True, True)), sum(p for p, _ in pairs), sum(g for _, g in pairs)
    return 2 * right / (given_ + there) if given_ + there else 0.0


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    found = fitted(*drawn(temperature))
    for value in (found.tagger, found.heads["functions"], found.heads["domains"]):
        assert value == pytest.approx(temperature, rel=0.21)


def test_every_domain_gets_a_threshold_of_the_grid() -> None:
    found = fitted(*drawn(1.0))
    assert list(found.thresholds) == list(SCHEME.domain_names)
    assert set(found.thresholds.values()) <= set(SETTINGS.thresholds)


def test_no_bulletins_no_changes() -> None:
    plain = Calibration(1.0, dict.fromkeys(HEADS, 1.0), dict.fromkeys(SCHEME.domain_names, 0.5))
    assert fitted(silent()) == plain


def test_bulletins_without_sentences_fit_the_tagger_alone() -> None:
    encoder, bulletin = drawn(2.0)
    found = fitted(encoder, Bulletin("bare", bulletin.text, bulletin.entities))
    assert dict(found.heads) == {"functions": 1.0, "domains": 1.0}
    assert set(found.thresholds.values()) == {0.5}


def test_a_scheme_without_sentence_labels() -> None:
    emissions = np.zeros((len(VOCABULARY), 1 + 4 * len(MSRA.entities)), np.float32)
    emissions[:, 4] = 3.0  # a single-character entity everywhere, right half of the time
    encoder = BulletinEncoder(TableBackend(emissions, np.zeros((len(VOCABULARY), 2), np.float32)), VOCABULARY)
    text = "".join(ALPHABET[:100])
    entities = tuple(Entity(at, at + 1, MSRA.entity_names[0]) for at in range(0, 100, 2))
    bulletin = Bulletin("names", text, entities, tuple(Sentence(at, at + 1) for at in range(100)))
    found = calibrate([bulletin], encoder=encoder, heads={}, scheme=MSRA, settings=SETTINGS)
    assert found.tagger == pytest.approx(3 / np.log(3), rel=0.1)  # of four possible tags one has one half
    assert (dict(found.heads), dict(found.thresholds)) == ({}, {})


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(0, 40))
def test_thresholds_reach_the_best_f1(seed: int, count: int, needed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.random((count, 3))
    gold = random.random((count, 3)) < probabilities * [1.0, 0.6, 0.2]
    settings = CalibrationSection(own_threshold_from=needed)
    found = fit_thresholds(probabilities, gold, settings=settings)
    common = max(f1(probabilities >= t, gold) for t in settings.thresholds)
    for domain, threshold in enumerate(found):
        p, g = probabilities[:, domain], gold[:, domain]
        if g.sum() >= needed:
            assert f1(p >= threshold, g) == pytest.approx(max(f1(p >= t, g) for t in settings.thresholds))
        else:
            assert f1(probabilities >= threshold, gold) == pytest.approx(common)


def test_rare_domains_share_the_common_threshold() -> None:
    probabilities = np.array([[0.9, 0.9], [0.6, 0.6], [0.3, 0.3], [0.31, 0.1]])
    gold = np.array([[True, True], [True, False], [False, False], [False, False]])
    common, own = (
        fit_thresholds(probabilities, gold, settings=CalibrationSection(own_threshold_from=n)) for n in (9, 1)
    )
    assert common[0] == common[1]
    assert own[0] <= 0.6 < own[1]


def only_others() -> Bulletin:
    return Bulletin("titles", ALPHABET[0] * 4, (), (Sentence(0, 4, "OTHER"),))


def test_held_out_titles_alone_fit_no_domain() -> None:
    assert set(fitted(silent(), only_others()).thresholds.values()) == {0.5}


def test_a_tagger_that_finds_nothing_keeps_its_temperature() -> None:
    bulletin = Bulletin("report", ALPHABET[0] * 4, (), (Sentence(0, 4, "REPORT"),))
    assert fitted(silent(), bulletin).tagger == 1.0


def test_without_gold_domains_thresholds_are_not_lowered() -> None:
    found = fit_thresholds(np.full((9, 2), 0.3), np.zeros((9, 2), bool), settings=SETTINGS)
    assert min(found) >= 0.5
