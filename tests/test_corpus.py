"""The corpus ships as its card says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhengling.checking import Rules, check
from zhengling.formats import read_bulletins
from zhengling.schema import LabelScheme
from zhengling_training.corpus import cover, ngrams
from zhengling_training.corpus_card import CARD, MANIFEST, SPLITS, manifest_of, write_corpus_card

CORPUS = Path("corpus")
SCHEME = LabelScheme.from_file(Path("configs/schemes/zh_bulletin.json"))


def test_the_manifest_is_that_of_the_files() -> None:
    assert json.loads((CORPUS / MANIFEST).read_text(encoding="utf-8")) == manifest_of(CORPUS)


def test_the_card_tells_the_counts_of_the_files(tmp_path: Path) -> None:
    for split in SPLITS:
        (tmp_path / split).symlink_to((CORPUS / split).resolve())

    write_corpus_card(tmp_path, scheme=SCHEME)

    assert (tmp_path / CARD).read_text(encoding="utf-8") == (CORPUS / CARD).read_text(encoding="utf-8")


def test_it_is_as_large_as_promised() -> None:
    bulletins = [b for split in SPLITS for b in read_bulletins(CORPUS / split, scheme=SCHEME)]
    sentences = [s for b in bulletins for s in b.sentences]

    assert len(bulletins) >= 250
    assert len(sentences) >= 3000
    for domain in SCHEME.domain_names:
        assert sum(domain in s.domains for s in sentences) >= 60
    for function in SCHEME.function_names:
        assert sum(function == s.function for s in sentences) >= 400


def test_no_bulletin_stands_in_both_splits() -> None:
    train, dev = (list(read_bulletins(CORPUS / split, scheme=SCHEME)) for split in SPLITS)
    known = set().union(*(ngrams(b.text) for b in train))

    assert not {b.id for b in train} & {b.id for b in dev}
    assert max(cover(b.text, known) for b in dev) < 0.3


@pytest.mark.parametrize("split", SPLITS)
def test_check_finds_no_error(split: str) -> None:
    rules = Rules.from_file(Path("configs/checks/zh_bulletin.json"), scheme=SCHEME)
    findings = check([CORPUS / split], scheme=SCHEME, rules=rules)
    assert [f for f in findings if f.severity == "error"] == []
