"""spaCy components: sentences, encoder, entity tagger, sentence classifier.

In these pipelines a token is a character: ``doc[i]`` is ``doc.text[i]``, white space included, so that
no span can fall between tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import registry

from zhengling.batching import batches
from zhengling.characters import CharacterVocabulary, blanks
from zhengling.decoding import BATCH_CHARACTERS, TaggedSpan, decode_texts
from zhengling.directives import find_directives
from zhengling.encoder import (
    MEMORY_CHARACTERS,
    Backend,
    BulletinEncoder,
    Encoded,
    Floats,
    OnnxBackend,
    WindowSettings,
)
from zhengling.errors import ZhenglingError
from zhengling.heads import SentenceHead, sigmoid, softmax
from zhengling.manifest import Files
from zhengling.schema import Bulletin, Directive, Entity, LabelScheme, Sentence
from zhengling.scoring import Scorer, score_entities, score_sentences
from zhengling.storage import Stored
from zhengling.text import bracket_pairs, split_sentences
from zhengling.tokens import make_doc, sentence_spans, sentences, text_of

# Encodings travel from the encoder to the heads in ``user_hooks``, which spaCy never serialises.
EMISSIONS, VECTORS = "zhengling_emissions", "zhengling_vectors"
# Sentences that are classified at once.
SENTENCES = 1024
# Function, domains and probabilities of a sentence.
Verdict = tuple[str | None, list[str], dict[str, float]]


class CharacterTokenizer(Stored):
    """One token a character, so that token index is text index."""

    def __init__(self, vocab: Any) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Make a ``Doc``.

        Raises:
            ZhenglingError: the text holds a lone surrogate.
        """
        return make_doc(self.vocab, text)

    def files(self) -> Files:
        """See ``Stored``."""
        return {}

    def take(self, files: Files) -> None:
        """See ``Stored``."""


@registry.tokenizers("zhengling.CharacterTokenizer.v1")  # type: ignore[untyped-decorator]
def make_character_tokenizer() -> Any:
    """Factory of the tokenizer."""
    return _tokenizer_of


def _tokenizer_of(nlp: Language) -> CharacterTokenizer:
    return CharacterTokenizer(nlp.vocab)


class BulletinSentences(Stored):
    """Sets sentence starts by the rules of ``zhengling.text``."""

    def __call__(self, doc: Doc) -> Doc:
        """Set the sentence starts of a document."""
        starts = np.full(len(doc), -1, np.int64)
        starts[[start for start, _ in split_sentences(text_of(doc))]] = 1
        if len(doc):
            starts[0] = 1
            doc.from_array([SENT_START], starts[:, None].astype(np.uint64))  # type: ignore[arg-type]
        return doc

    def files(self) -> Files:
        """See ``Stored``."""
        return {}

    def take(self, files: Files) -> None:
        """See ``Stored``."""


class BulletinEncoderPipe(Stored):
    """Runs the network over documents in batches and hands its output to the heads.

    Attributes:
        settings: windows and batches.
        threads: threads of ONNX Runtime, None for its default.
        encoder: the encoder, None until weights are loaded.
    """

    def __init__(self, settings: WindowSettings, *, threads: int | None = None) -> None:
        self.settings = settings
        self.threads = threads
        self.encoder: BulletinEncoder | None = None
        self._model = b""
        self._tokenizer = b""

    def __call__(self, doc: Doc) -> Doc:
        """Read one document; ``pipe`` is faster for many."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 32) -> Iterator[Doc]:
        """Read documents; windows of one batch of documents share runs of the network."""
        if self.encoder is None:
            raise ZhenglingError("bulletin_encoder has no weights: load a trained pipeline")

        for batch in batches(stream, fits=_within(batch_size, MEMORY_CHARACTERS)):
            texts = list(map(text_of, batch))
            spans = list(map(sentence_spans, batch, texts))
            for doc, encoded in zip(batch, self.encoder.encode(texts, spans), strict=True):
                _stash(doc, encoded)
            del encoded  # the documents hold it now, and the heads take it away from them
            yield from batch

    def use(self, backend: Backend, vocabulary: CharacterVocabulary) -> None:
        """Read with this network from now on."""
        self.encoder = BulletinEncoder(backend, vocabulary, self.settings)

    def set_threads(self, threads: int | None) -> None:
        """Change the number of threads of ONNX Runtime."""
        self.threads = threads
        if self._model:
            self.take(self.files())

    def files(self) -> Files:
        """See ``Stored``."""
        return {"encoder.onnx": self._model, "tokenizer.json": self._tokenizer}

    def take(self, files: Files) -> None:
        """See ``Stored``."""
        self._model, self._tokenizer = files["encoder.onnx"], files["tokenizer.json"]
        vocabulary = CharacterVocabulary.from_json(self._tokenizer.decode("utf-8"))
        self.use(OnnxBackend(self._model, threads=self.threads), vocabulary)


def _within(number: int, length: int) -> Callable[[Sequence[Sized], Sized], bool]:
    """Whether a document, or what else has a length, may join others: not too many, not too long together."""

    def fits(batch: Sequence[Sized], item: Sized) -> bool:
        return len(batch) < number and sum(map(len, batch)) + len(item) <= length

    return fits


def _stash(doc: Doc, encoded: Encoded) -> None:
    hooks: dict[str, Any] = doc.user_hooks
    hooks[EMISSIONS], hooks[VECTORS] = encoded.emissions, encoded.sentences


def _collect(doc: Doc, key: str, component: str) -> Floats:
    """What the encoder left for a head; it is taken away, so that documents stay small."""
    hooks: dict[str, Any] = doc.user_hooks
    if key not in hooks:
        raise ZhenglingError(f"{component} needs bulletin_encoder to run before it in the pipeline")
    found: Floats = hooks.pop(key)
    return found


def _set_entities(doc: Doc, spans: Iterable[TaggedSpan], names: Sequence[str]) -> None:
    ents = []
    for span in spans:
        ent = Span(doc, span.start, span.end, label=names[span.label])
        ent._.score = span.score
        ents.append(ent)
    doc.set_ents(ents)


@dataclass(frozen=True)
class TaggerState:
    """What the tagger learned: its labels and the temperature of its scores."""

    scheme: LabelScheme
    temperature: float = 1.0


class EntityTagger(Stored):
    """Sets ``doc.ents`` with ``ent._.score``, the probability of the whole span."""

    def __init__(self, scorer: Scorer = score_entities) -> None:
        self.state: TaggerState | None = None
        self.score = scorer

    def __call__(self, doc: Doc) -> Doc:
        """Set the entities of a document that the encoder has read."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 32) -> Iterator[Doc]:
        """Set the entities of documents; sentences of neighbouring ones are decoded together."""
        state = self._state()
        for batch in batches(stream, fits=_within(batch_size, BATCH_CHARACTERS)):
            emissions = [_collect(doc, EMISSIONS, "entity_tagger") for doc in batch]
            texts = list(map(text_of, batch))
            found = decode_texts(
                emissions,
                list(map(sentence_spans, batch, texts)),
                blanks=list(map(blanks, texts)),
                pairs=list(map(bracket_pairs, texts)),
                temperature=state.temperature,
            )
            del emissions
            for doc, spans in zip(batch, found, strict=True):
                _set_entities(doc, spans, state.scheme.entity_names)
                yield doc

    @property
    def labels(self) -> tuple[str, ...]:
        """Entity labels."""
        return self.state.scheme.entity_names if self.state else ()

    def files(self) -> Files:
        """See ``Stored``."""
        state = self._state()
        data = {"scheme": state.scheme.to_dict(), "temperature": state.temperature}
        return {"tagger.json": to_json(data)}

    def take(self, files: Files) -> None:
        """See ``Stored``."""
        data = json.loads(files["tagger.json"])
        self.state = TaggerState(LabelScheme.from_dict(data["scheme"]), float(data["temperature"]))

    def _state(self) -> TaggerState:
        if self.state is None:
            raise ZhenglingError("entity_tagger has no labels: load a trained pipeline")
        return self.state


@dataclass(frozen=True)
class ClassifierState:
    """What the sentence classifier learned.

    Attributes:
        scheme: the labels.
        heads: ``functions`` and ``domains``; one is absent where the scheme has no such labels.
        temperatures: by head.
        thresholds: probability from which a domain is given, by domain.
    """

    scheme: LabelScheme
    heads: Mapping[str, SentenceHead]
    temperatures: Mapping[str, float]
    thresholds: Mapping[str, float]


class SentenceClassifier(Stored):
    """Sets ``sent._.function``, ``sent._.domains`` and ``sent._.scores`` on every sentence."""

    def __init__(self, scorer: Scorer = score_sentences) -> None:
        self.state: ClassifierState | None = None
        self.score = scorer

    def __call__(self, doc: Doc) -> Doc:
        """Classify the sentences of a document that the encoder has read."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 32) -> Iterator[Doc]:
        """Classify the sentences of documents, neighbouring ones together."""
        for batch in batches(stream, fits=_within(batch_size, BATCH_CHARACTERS)):
            vectors = [_collect(doc, VECTORS, "sentence_classifier") for doc in batch]
            verdicts = self._verdicts(vectors)
            for doc, rows in zip(batch, vectors, strict=True):
                mine = islice(verdicts, len(rows))
                for (_, sent), verdict in zip(sentences(doc, text_of(doc)), mine, strict=True):
                    sent._.function, sent._.domains, sent._.scores = verdict
                yield doc

    def _verdicts(self, vectors: Sequence[Floats]) -> Iterator[Verdict]:
        """Of all sentences of some documents, a limited number of them at once."""
        parts = (rows[at : at + SENTENCES] for rows in vectors for at in range(0, len(rows), SENTENCES))
        for together in batches(parts, fits=_within(SENTENCES, SENTENCES)):
            yield from self.classify(np.concatenate(together))

    def classify(self, vectors: Floats) -> list[Verdict]:
        """What is said of sentences, from their pooled vectors."""
        state = self._state()
        if not len(vectors):
            return []
        scores = {
            name: head(vectors).astype(np.float64) / state.temperatures[name]
            for name, head in state.heads.items()
        }
        functions = softmax(scores["functions"]) if "functions" in scores else np.zeros((len(vectors), 0))
        domains = sigmoid(scores["domains"]) if "domains" in scores else np.zeros((len(vectors), 0))
        return [self._verdict(state, *row) for row in zip(functions, domains, strict=True)]

    def _verdict(self, state: ClassifierState, functions: Floats, domains: Floats) -> Verdict:
        scheme = state.scheme
        by_function = dict(zip(scheme.function_names, map(float, functions), strict=False))
        by_domain = dict(zip(scheme.domain_names, map(float, domains), strict=False))
        function = max(by_function, key=by_function.__getitem__, default=None)
        if function in scheme.functions_without_domains:
            given = []
        else:
            given = [name for name, p in by_domain.items() if p >= state.thresholds[name]]
        return function, given, by_function | by_domain

    def files(self) -> Files:
        """See ``Stored``."""
        state = self._state()
        tensors = {
            f"{name}.{key}": np.ascontiguousarray(value)
            for name, head in state.heads.items()
            for key, value in head.weights.items()
        }
        data = {
            "scheme": state.scheme.to_dict(),
            "temperatures": dict(state.temperatures),
            "thresholds": dict(state.thresholds),
        }
        return {"heads.safetensors": save_tensors(tensors), "classifier.json": to_json(data)}

    def take(self, files: Files) -> None:
        """See ``Stored``."""
        data = json.loads(files["classifier.json"])
        try:
            tensors = load_tensors(files["heads.safetensors"])
        except SafetensorError as error:
            raise ZhenglingError(f"heads.safetensors is damaged: {error}") from error
        heads: dict[str, dict[str, Any]] = {}
        for key, value in tensors.items():
            name, parameter = key.split(".", 1)
            heads.setdefault(name, {})[parameter] = value
        self.state = ClassifierState(
            scheme=LabelScheme.from_dict(data["scheme"]),
            heads={name: SentenceHead(weights) for name, weights in heads.items()},
            temperatures=data["temperatures"],
            thresholds=data["thresholds"],
        )

    def _state(self) -> ClassifierState:
        if self.state is None:
            raise ZhenglingError("sentence_classifier has no weights: load a trained pipeline")
        return self.state


def to_json(data: Any) -> bytes:
    """Stable, readable JSON."""
    return (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def bulletin_of(doc: Doc) -> Bulletin:
    """The analysed document as a ``Bulletin`` (``doc._.bulletin``), without id and metadata."""
    bulletin = annotation_of(doc)
    return replace(bulletin, directives=find_directives(bulletin))


def directives_of(doc: Doc) -> tuple[Directive, ...]:
    """The demands in the analysed document (``doc._.directives``)."""
    return find_directives(annotation_of(doc))


def annotation_of(doc: Doc) -> Bulletin:
    """Entities and sentences of the analysed document, from which directives are read."""
    text = text_of(doc)
    entities = [Entity(ent.start_char, ent.end_char, ent.label_, ent._.score) for ent in doc.ents]
    parts = [
        Sentence(start, end, sent._.function, tuple(sent._.domains), dict(sent._.scores))
        for (start, end), sent in sentences(doc, text)
        if end > start
    ]
    return Bulletin(id="", text=text, entities=tuple(entities), sentences=tuple(parts))


def register_extensions() -> None:
    """Add the extension attributes, once."""
    if not Doc.has_extension("bulletin"):
        Doc.set_extension("bulletin", getter=bulletin_of)
    if not Doc.has_extension("directives"):
        Doc.set_extension("directives", getter=directives_of)
    defaults: dict[str, Any] = {"function": None, "domains": [], "scores": {}, "score": None}
    for name, default in defaults.items():
        if not Span.has_extension(name):
            Span.set_extension(name, default=default)


@Language.factory("bulletin_sentences", assigns=["token.is_sent_start", "doc.sents"])
def make_bulletin_sentences(nlp: Language, name: str) -> BulletinSentences:
    """Factory of ``BulletinSentences``."""
    return BulletinSentences()


@Language.factory(
    "bulletin_encoder",
    default_config={"window": 254, "overlap": 48, "batch_characters": 1024, "threads": None},
    requires=["doc.sents"],
)
def make_bulletin_encoder(
    nlp: Language, name: str, window: int, overlap: int, batch_characters: int, threads: int | None
) -> BulletinEncoderPipe:
    """Factory of ``BulletinEncoderPipe``; see ``WindowSettings`` for the options."""
    return BulletinEncoderPipe(WindowSettings(window, overlap, batch_characters), threads=threads)


@Language.factory(
    "entity_tagger",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    requires=["doc.sents"],
    default_config={"scorer": {"@scorers": "zhengling.entity_scorer.v1"}},
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_entity_tagger(nlp: Language, name: str, scorer: Scorer) -> EntityTagger:
    """Factory of ``EntityTagger``."""
    return EntityTagger(scorer)


@Language.factory(
    "sentence_classifier",
    assigns=["span._.function", "span._.domains", "span._.scores"],
    requires=["doc.sents"],
    default_config={"scorer": {"@scorers": "zhengling.sentence_scorer.v1"}},
    default_score_weights={"functions_acc": 0.5, "domains_micro_f": 0.5},
)
def make_sentence_classifier(nlp: Language, name: str, scorer: Scorer) -> SentenceClassifier:
    """Factory of ``SentenceClassifier``."""
    return SentenceClassifier(scorer)


register_extensions()
