from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from tests.backends import ALPHABET, make_pipeline, mark_backend, noise_backend
from tests.strategies import SCHEME, TEXTS

from zhengling.components import BulletinEncoderPipe, bulletin_of
from zhengling.errors import ZhenglingError
from zhengling.schema import Bulletin, LabelScheme, faults
from zhengling.text import split_sentences
from zhengling.tokens import sentence_spans

ANY_TEXT = st.one_of(
    TEXTS,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.text(st.sampled_from("甲乙丙丁戊己庚辛，。！？；”（）\n\r\u3000 \x0c\u200b👩‍🦽\u202e"), max_size=700),
)
NOISE = make_pipeline(SCHEME, noise_backend(SCHEME))


def check_invariants(doc: Doc, text: str) -> Bulletin:
    assert doc.text == text
    bulletin: Bulletin = doc._.bulletin
    assert bulletin.text == text
    assert [(s.start, s.end) for s in bulletin.sentences] == split_sentences(text)
    for sentence in bulletin.sentences:
        assert set(sentence.scores) == {*SCHEME.function_names, *SCHEME.domain_names}
        assert sentence.function == max(SCHEME.function_names, key=lambda name: sentence.scores[name])
        assert sum(sentence.scores[name] for name in SCHEME.function_names) == pytest.approx(1.0)
    for entity in bulletin.entities:
        assert any(s.start <= entity.start < entity.end <= s.end for s in bulletin.sentences)
        assert entity.score is not None
        assert 0.0 < entity.score <= 1.0
    return bulletin


def check_sound(doc: Doc, text: str) -> None:
    assert list(faults(check_invariants(doc, text), scheme=SCHEME)) == []


@settings(deadline=None, max_examples=100)
@given(ANY_TEXT.map(str.lstrip).filter(bool))
def test_texts_without_leading_white_space(text: str) -> None:
    check_invariants(NOISE(text), text)


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT)
def test_any_text(text: str) -> None:
    check_invariants(NOISE(text), text)


@settings(deadline=None, max_examples=200)
@given(ANY_TEXT.map(str.strip).filter(bool))
def test_entities_are_sound_whatever_the_network_says(text: str) -> None:
    check_sound(NOISE(text), text)


@settings(deadline=None, max_examples=40)
@given(text=ANY_TEXT)
def test_any_text_with_the_default_model(nlp: Language, text: str) -> None:
    check_sound(nlp(text), text)


@pytest.mark.parametrize("text", ["", " 今天开会。", "\n\n示例区开会\n", "\u3000\u3000各地要落实。"])
def test_white_space_first(nlp: Language, text: str) -> None:
    check_invariants(nlp(text), text)


@pytest.mark.parametrize("text", [" ", "\r\n\r\n", "\x00", "\ufeff", "\U0010ffff", "会议。 \n", "😀" * 300])
def test_odd_texts(nlp: Language, text: str) -> None:
    check_invariants(nlp(text), text)


def test_a_very_long_text_is_read_to_its_end(nlp: Language) -> None:
    text = "".join(f"第{n}号通知要求，各社区要在{n % 12 + 1}月前完成走访。\n" for n in range(2500))[:60_000]
    bulletin = check_invariants(nlp(text), text)
    assert bulletin.sentences[-1].end == len(text.rstrip())


def test_marks_are_found_at_every_offset() -> None:
    pipeline = make_pipeline(SCHEME, mark_backend(SCHEME, {"一": "S-LOC"}), size=20, overlap=6)
    for filler in ("丁" * 64, "丁丁丁丁丁。" * 11):
        texts = [filler[:n] + "一" + filler[n + 1 :] for n in range(len(filler))]
        for offset, doc in enumerate(pipeline.pipe(texts)):
            assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == [(offset, offset + 1, "LOC")]


@settings(deadline=None, max_examples=50)
@given(ANY_TEXT, ANY_TEXT, st.integers(0xD800, 0xDFFF))
def test_lone_surrogates_are_refused(before: str, behind: str, point: int) -> None:
    with pytest.raises(ZhenglingError, match=f"offset {len(before)}: lone surrogate"):
        NOISE(before + chr(point) + behind)


def test_a_token_is_a_character(nlp: Language) -> None:
    text = "民政部  召开\r\n会议😀。"
    doc = nlp.make_doc(text)
    assert [token.text for token in doc] == list(text)
    assert [token.idx for token in doc] == list(range(len(text)))
    assert doc.char_span(0, 3).text == "民政部"


def test_extensions(nlp: Language) -> None:
    doc = nlp("示例市民政局召开会议。各地要落实。")
    sentences = doc._.bulletin.sentences
    assert [s._.function for s in doc.sents] == [s.function for s in sentences]
    assert [tuple(s._.domains) for s in doc.sents] == [s.domains for s in sentences]
    assert [s._.scores for s in doc.sents] == [s.scores for s in sentences]


def test_documents_carry_no_arrays_away(nlp: Language) -> None:
    doc = nlp("示例市民政局召开会议。")
    assert not any(key.startswith("zhengling") for key in doc.user_hooks)
    restored = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    assert bulletin_of(restored) == bulletin_of(doc)


def test_pipes_can_be_left_out(nlp: Language) -> None:
    text = "示例市民政局召开会议。各地要落实。"
    with nlp.select_pipes(disable=["sentence_classifier"]):
        tagged = nlp(text)
    assert tagged.ents == () or tagged.ents[0].label_ in SCHEME.entity_names
    assert {s.function for s in bulletin_of(tagged).sentences} == {None}
    with nlp.select_pipes(disable=["entity_tagger"]):
        assert {s.function for s in bulletin_of(nlp(text)).sentences} <= set(SCHEME.function_names)


@pytest.mark.parametrize("head", ["entity_tagger", "sentence_classifier"])
def test_a_head_needs_the_encoder(nlp: Language, head: str) -> None:
    with (
        nlp.select_pipes(enable=["bulletin_sentences", head]),
        pytest.raises(ZhenglingError, match=f"{head} needs bulletin_encoder"),
    ):
        nlp("会议。")


@pytest.mark.parametrize("name", ["bulletin_encoder", "entity_tagger", "sentence_classifier"])
def test_untrained_components_say_so(name: str) -> None:
    pipeline = make_pipeline(SCHEME, noise_backend(SCHEME))
    pipeline.replace_pipe(name, name)
    with pytest.raises(ZhenglingError, match=name):
        pipeline("会议。")


def test_sentences_of_another_component_are_kept() -> None:
    pipeline = make_pipeline(SCHEME, noise_backend(SCHEME))
    doc = pipeline.make_doc("甲乙。丙丁，\n 戊己")
    for token in doc:
        token.is_sent_start = token.i in (0, 6)
    with pipeline.select_pipes(disable=["bulletin_sentences"]):
        doc = pipeline(doc)
    assert sentence_spans(doc, doc.text) == [(0, 6), (8, 10)]
    assert [(s.start, s.end) for s in doc._.bulletin.sentences] == [(0, 6), (8, 10)]


def test_a_scheme_of_entities_alone() -> None:
    scheme = LabelScheme("plain", SCHEME.entities)
    bulletin = make_pipeline(scheme, noise_backend(scheme))("丙丁乙。丁甲。")._.bulletin
    assert [(s.function, s.domains, s.scores) for s in bulletin.sentences] == [(None, (), {})] * 2


def test_functions_without_domains_get_none() -> None:
    texts = ["丙丁乙丁甲"[n:] + "甲乙丙丁戊己庚辛"[: n + 1] + "。" for n in range(5)] * 4
    for doc in NOISE.pipe(texts):
        for sentence in doc._.bulletin.sentences:
            assert not (sentence.domains and sentence.function in SCHEME.functions_without_domains)
            if sentence.function not in SCHEME.functions_without_domains:
                assert sentence.domains == tuple(d for d in SCHEME.domain_names if sentence.scores[d] >= 0.5)


def test_spacy_scores_the_tagger() -> None:
    pipeline = make_pipeline(SCHEME, mark_backend(SCHEME, {"一": "S-LOC"}))
    examples = []
    for text, entities in (("丁一丁一。", [(1, 2, "LOC"), (3, 4, "LOC")]), ("一。", [(0, 1, "ORG")])):
        doc = pipeline.make_doc(text)
        examples.append(Example.from_dict(doc, {"entities": entities}))
    scores = pipeline.evaluate(examples)
    assert scores["ents_p"] == scores["ents_r"] == pytest.approx(2 / 3)


def test_analysis_of_the_pipeline_finds_nothing_missing(nlp: Language) -> None:
    problems = nlp.analyze_pipes()["problems"]
    assert not any(problems.values())


def test_threads_at_once_give_what_one_gives(nlp: Language) -> None:
    texts = [f"示例{n}区民政局{n % 9 + 1}月召开会议，要求做好老年人服务。" * (n % 7 + 1) for n in range(24)]
    one = [bulletin_of(nlp(text)) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: bulletin_of(nlp(text)), texts)) == one


def test_threads_of_the_network_can_be_set(nlp: Language) -> None:
    pipe = nlp.get_pipe("bulletin_encoder")
    assert isinstance(pipe, BulletinEncoderPipe)
    before = bulletin_of(nlp("示例市民政局召开会议。"))
    pipe.set_threads(2)
    try:
        after = bulletin_of(nlp("示例市民政局召开会议。"))
    finally:
        pipe.set_threads(1)
    left, right = before.sentences[0].scores, after.sentences[0].scores
    np.testing.assert_allclose(list(left.values()), list(right.values()), atol=1e-2)


def test_factories_need_nothing_but_spacy() -> None:
    blank = spacy.blank(
        "zh", config={"nlp": {"tokenizer": {"@tokenizers": "zhengling.CharacterTokenizer.v1"}}}
    )
    blank.add_pipe("bulletin_sentences")
    assert [sent.text for sent in blank("甲。\n乙！").sents] == ["甲。\n", "乙！"]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_documents_together_are_read_as_each_alone(batch_size: int) -> None:
    texts = [text_with(number) for number in range(12)] + ["", " \n", "一"]
    pipeline = make_pipeline(SCHEME, noise_backend(SCHEME))
    together = [bulletin_of(doc) for doc in pipeline.pipe(texts, batch_size=batch_size)]
    for text, found in zip(texts, together, strict=True):
        alone = bulletin_of(pipeline(text))
        assert [(e.start, e.end, e.label) for e in found.entities] == [
            (e.start, e.end, e.label) for e in alone.entities
        ]
        assert [(s.start, s.end, s.function, s.domains) for s in found.sentences] == [
            (s.start, s.end, s.function, s.domains) for s in alone.sentences
        ]
        for mine, other in zip(found.entities, alone.entities, strict=True):
            assert mine.score == pytest.approx(other.score, abs=1e-9)
        for part, sentence in zip(found.sentences, alone.sentences, strict=True):
            assert part.scores == pytest.approx(sentence.scores, abs=1e-6)


def text_with(number: int) -> str:
    """A text of some sentences that differs from number to number."""
    characters = (ALPHABET[(number * 31 + n) % len(ALPHABET)] for n in range(40 * number))
    return "".join(c + ("。" if n % 17 == 16 else "") for n, c in enumerate(characters))
