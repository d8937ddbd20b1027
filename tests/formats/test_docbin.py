from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import spacy
from hypothesis import given, settings
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from tests.strategies import SCHEME, TEXTS, bulletins

from zhengling.errors import DataError
from zhengling.formats import docbin, read_bulletins, write_bulletins
from zhengling.formats.base import Context
from zhengling.schema import Bulletin, Entity, Sentence

BULLETIN = Bulletin(
    "a",
    "民政部  召开\n会议。  要落实 ！",
    entities=(Entity(0, 3, "ORG"), Entity(5, 10, "MEETING")),
    sentences=(Sentence(0, 11, "REPORT"), Sentence(13, 18, "DIRECTIVE", ("elderly",))),
)


def fail(error: DataError) -> None:
    raise error


def test_what_spacy_sees(tmp_path: Path) -> None:
    path = tmp_path / "x.spacy"
    write_bulletins([BULLETIN], path)
    nlp = spacy.blank("zh")
    (doc,) = DocBin().from_disk(path).get_docs(nlp.vocab)
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("民政部", "ORG"), ("召开\n会议", "MEETING")]
    assert [sentence.text for sentence in doc.sents] == ["民政部  召开\n会议。  ", "要落实 ！"]
    assert [(span.text, span.label_) for span in doc.spans["sentences"]] == [
        ("民政部  召开\n会议。", "REPORT"),
        ("要落实 ！", "DIRECTIVE"),
    ]
    (example,) = Corpus(path)(nlp)
    assert [ent.text for ent in example.reference.ents] == ["民政部", "召开\n会议"]
    assert nlp.evaluate([example])["token_f"] == 1.0


@settings(deadline=None)
@given(TEXTS)
def test_tokens_are_those_of_the_tokenizer(text: str) -> None:
    nlp = spacy.blank("zh")
    doc = docbin._tokens(Bulletin("a", text), nlp.vocab)
    assert doc.text == text
    assert [token.text_with_ws for token in doc] == [token.text_with_ws for token in nlp.make_doc(text)]


@settings(deadline=None)
@given(bulletins())
def test_every_entity_and_sentence_is_aligned(bulletin: Bulletin) -> None:
    doc = docbin._doc(bulletin, spacy.blank("zh").vocab, Context(fail))
    assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == [
        (e.start, e.end, e.label) for e in bulletin.entities
    ]
    assert [(s.start_char, s.end_char) for s in doc.spans["sentences"]] == [
        (s.start, s.end) for s in bulletin.sentences
    ]
    if bulletin.sentences:
        assert [sentence.text.strip() for sentence in doc.sents] == [
            bulletin.surface(sentence) for sentence in bulletin.sentences
        ]


def test_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "x.spacy"
    nlp = spacy.blank("zh")
    words = ["民政部", "说", "。", "好", "。"]
    tags = ["B-ORG", "O", "O", "O", "O"]
    plain = Doc(nlp.vocab, words=words, spaces=[False] * 5, ents=tags)
    cut = Doc(nlp.vocab, words=words, spaces=[False, False, True, False, False], sent_starts=[1, 0, 0, 1, 0])
    DocBin(docs=[plain, cut]).to_disk(path)
    first, second = read_bulletins(path)
    assert (first.id, first.entities, first.sentences) == ("x-1", (Entity(0, 3, "ORG"),), ())
    assert second.sentences == (Sentence(0, 5), Sentence(6, 8))
    assert [b.sentences for b in read_bulletins(path, scheme=SCHEME)] == [(), ()]


def test_what_does_not_fit_the_tokens_is_named(tmp_path: Path) -> None:
    """No sound bulletin fails to fit, so the alignment itself is asked."""
    bulletin = Bulletin("a", "甲   乙", entities=(Entity(0, 1, "ORG"), Entity(2, 3, "LOC")))
    vocab = spacy.blank("zh").vocab
    with pytest.raises(DataError, match=r"'a': LOC \[2, 3\) ' ' begins or ends within a token"):
        docbin._doc(bulletin, vocab, Context(fail))
    told: list[DataError] = []
    doc = docbin._doc(bulletin, vocab, Context(told.append))
    assert [ent.label_ for ent in doc.ents] == ["ORG"]
    assert len(told) == 1


@pytest.mark.parametrize(
    "raw", [b"", b"text", zlib.compress(b""), zlib.compress(b"\x80"), zlib.compress(b"\xc1")]
)
def test_files_that_are_none(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.spacy"
    path.write_bytes(raw)
    with pytest.raises(DataError, match="not a DocBin"):
        list(read_bulletins(path))


def test_broken_user_data_names_its_doc(tmp_path: Path) -> None:
    doc = spacy.blank("zh").make_doc("文。")
    doc.user_data["bulletin"] = "{"
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "x.spacy")
    with pytest.raises(DataError, match="doc 1: broken JSON"):
        list(read_bulletins(tmp_path / "x.spacy"))
