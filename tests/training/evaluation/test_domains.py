from __future__ import annotations

from zhengling.schema import Sentence
from zhengling_training.evaluation.domains import domain_errors, most


def sentence(*domains: str) -> Sentence:
    return Sentence(0, 4, "REPORT", domains)


def test_what_happened_to_the_domains_of_sentences() -> None:
    found = domain_errors(
        [
            (sentence("elderly", "charity"), sentence("elderly")),
            (sentence("elderly", "charity"), sentence("elderly", "lottery")),
            (sentence("elderly"), sentence("elderly", "charity")),
            (sentence("funeral"), None),
            (sentence(), sentence("lottery")),
            (sentence(), sentence()),
        ]
    )
    assert found.confusion == {
        ("elderly", "elderly"): 3,
        ("charity", None): 1,
        ("charity", "lottery"): 1,
        (None, "charity"): 1,
        ("funeral", None): 1,
        (None, "lottery"): 1,
    }
    assert found.missed_beside == {("charity", "elderly"): 2}
    assert found.added_beside == {("lottery", "elderly"): 1, ("charity", "elderly"): 1}
    assert found.together["charity", "elderly"] == found.together["elderly", "charity"] == 2
    assert found.by_number == {0: (2, 1), 1: (2, 0), 2: (2, 0)}
    assert found.to_dict()["missed_beside"] == [
        {"missed": "charity", "found": "elderly", "sentences": 2, "of": 2}
    ]
    assert most({("b", "a"): 1, ("a", "b"): 1, ("c", "d"): 3}) == [
        (("c", "d"), 3),
        (("a", "b"), 1),
        (("b", "a"), 1),
    ]
