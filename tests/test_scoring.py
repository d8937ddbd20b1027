"""spaCy's own evaluation gives the figures of our reports."""

from __future__ import annotations

from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from tests.backends import ALPHABET, make_pipeline, noise_backend
from tests.strategies import SCHEME

from zhengling.annotated import annotation_of
from zhengling.errors import DataError
from zhengling.formats import write_bulletins
from zhengling.schema import Bulletin, Entity, Sentence
from zhengling.scoring import score_entities, score_sentences
from zhengling_training.evaluation.metrics import score


@pytest.fixture(scope="module")
def pipeline() -> Language:
    return make_pipeline(SCHEME, noise_backend(SCHEME))


def gold_of(pipeline: Language) -> list[Bulletin]:
    """Half of what the pipeline says is right; with runs of white space, which spaCy's tokens join."""
    found = []
    for number in range(12):
        letters = "".join(ALPHABET[(7 * number + place) % 90] for place in range(40))
        text = f"{letters[:11]}。  \n {letters[11:25]}！{letters[25:]}"
        bulletin = pipeline(text)._.bulletin
        entities = [Entity(e.start, e.end, e.label) for e in bulletin.entities]
        entities = [e for place, e in enumerate(entities) if place % 2] or entities
        sentences = [
            Sentence(s.start, s.end, SCHEME.function_names[(place + number) % 4], SCHEME.domain_names[:place])
            for place, s in enumerate(bulletin.sentences)
        ]
        found.append(Bulletin(f"n{number}", text, tuple(entities), tuple(sentences)))
    return found


def test_figures_are_those_of_the_report(pipeline: Language, tmp_path: Path) -> None:
    gold = gold_of(pipeline)
    write_bulletins(gold, tmp_path / "gold.spacy")
    found = pipeline.evaluate(list(Corpus(tmp_path / "gold.spacy")(pipeline)))
    mine = score(gold, [doc._.bulletin for doc in pipeline.pipe(b.text for b in gold)], scheme=SCHEME)
    assert 0 < found["ents_f"] < 1
    assert found["ents_f"] == pytest.approx(mine.entity_micro.f1)
    assert found["ents_p"] == pytest.approx(mine.entity_micro.precision)
    assert found["ents_r"] == pytest.approx(mine.entity_micro.recall)
    for label, counts in mine.entities.items():
        if counts.gold + counts.predicted:
            assert found["ents_per_type"][label]["f"] == pytest.approx(counts.f1)
    assert found["functions_acc"] == pytest.approx(mine.function_accuracy)
    assert found["domains_micro_f"] == pytest.approx(mine.domain_micro.f1)
    assert found["sents_f"] == pytest.approx(mine.boundaries.f1)
    for name, counts in mine.functions.items():
        assert found["functions_per_type"][name]["f"] == pytest.approx(counts.f1)
    for name, counts in mine.domains.items():
        if counts.gold + counts.predicted:
            assert found["domains_per_type"][name]["f"] == pytest.approx(counts.f1)


def example(pipeline: Language, reference: Doc) -> Example:
    return Example(pipeline(reference.text), reference)


def test_foreign_annotation(pipeline: Language) -> None:
    words = [*ALPHABET[:6], "。"]
    ents = ["B-ORG", "O", "O", "O", "O", "O", "O"]
    plain = Doc(pipeline.vocab, words=words, spaces=[False] * 7, ents=ents)
    assert annotation_of(plain) == Bulletin("", "".join(words), (Entity(0, 1, "ORG"),))
    scores = score_entities([example(pipeline, plain)])
    assert scores["ents_r"] in (0.0, 1.0)
    bare = Doc(pipeline.vocab, words=words, spaces=[False] * 7)
    nothing = score_entities([example(pipeline, bare)])
    assert nothing == {"ents_p": None, "ents_r": None, "ents_f": None, "ents_per_type": None}
    unknown = score_sentences([example(pipeline, bare)])
    assert set(unknown.values()) == {None}
    plain.spans["sentences"] = [plain[0:7]]
    assert annotation_of(plain).sentences == (Sentence(0, 7),)


def test_broken_annotation_is_an_error(pipeline: Language) -> None:
    doc = pipeline.make_doc("文。")
    doc.user_data["bulletin"] = "{"
    with pytest.raises(DataError, match="broken JSON"):
        annotation_of(doc)


def test_older_pipelines_have_the_scorers(pipeline: Language) -> None:
    config = pipeline.config.copy()
    for name in ("entity_tagger", "sentence_classifier"):
        assert config["components"][name].pop("scorer")
    loaded = spacy.blank("zh").from_config(config)
    assert loaded.get_pipe("entity_tagger").score is score_entities
    assert loaded.get_pipe("sentence_classifier").score is score_sentences
