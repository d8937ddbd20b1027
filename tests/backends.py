"""Small networks with known answers, for tests of what stands around the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.language import Language

from zhengling.characters import SPECIAL_TOKENS, CharacterVocabulary
from zhengling.components import ClassifierState, TaggerState
from zhengling.decoding import tag_names
from zhengling.encoder import Backend, Floats
from zhengling.heads import SentenceHead
from zhengling.schema import LabelScheme

# A prime number of different characters: a text that repeats them never repeats within a window.
ALPHABET = tuple(chr(0x4E00 + number) for number in range(1009))
ASCII = tuple(chr(point) for point in range(0x20, 0x7F))
VOCABULARY = CharacterVocabulary(
    {token: number for number, token in enumerate((*SPECIAL_TOKENS, *ALPHABET, *ASCII))}
)


@dataclass(frozen=True)
class TableBackend:
    """Looks every id up, blind to its neighbours, so that the right answer is known without windows.

    Attributes:
        emissions: shape ``(ids, tags)``.
        vectors: shape ``(ids, size)``, of small integers, so that sums are exact.
    """

    emissions: Floats
    vectors: Floats

    def run(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> tuple[Floats, Floats]:
        return self.emissions[ids], self.vectors[ids]


def integer_vectors(*, size: int = 4, seed: int = 0) -> Floats:
    """Vectors of all ids; those of special tokens are so large that a leak into a mean or maximum shows."""
    vectors = np.random.default_rng(seed).integers(-7, 8, (len(VOCABULARY), size)).astype(np.float32)
    vectors[[VOCABULARY.id_of(token) for token in SPECIAL_TOKENS if token != "[UNK]"]] = 10_000
    return vectors


def noise_backend(scheme: LabelScheme, *, seed: int = 0) -> TableBackend:
    """Tags by chance, many entities."""
    shape = (len(VOCABULARY), len(tag_names(scheme.entity_names)))
    emissions = np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32)
    return TableBackend(emissions, integer_vectors(seed=seed))


def mark_backend(scheme: LabelScheme, marks: Mapping[str, str]) -> TableBackend:
    """Tags the given characters as told, all others ``O``."""
    names = tag_names(scheme.entity_names)
    emissions = np.zeros((len(VOCABULARY), len(names)), np.float32)
    emissions[:, 0] = 10.0
    for character, tag in marks.items():
        emissions[VOCABULARY.ids[character]] = np.where(np.array(names) == tag, 30.0, 0.0)
    return TableBackend(emissions, integer_vectors())


def make_pipeline(scheme: LabelScheme, backend: Backend, *, size: int = 254, overlap: int = 48) -> Language:
    """A pipeline of the real components around a test network with vectors of four numbers."""
    nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"@tokenizers": "zhengling.CharacterTokenizer.v1"}}})
    nlp.add_pipe("bulletin_sentences")
    nlp.add_pipe("bulletin_encoder", config={"window": size, "overlap": overlap}).use(backend, VOCABULARY)
    nlp.add_pipe("entity_tagger").state = TaggerState(scheme)
    nlp.add_pipe("sentence_classifier").state = classifier_state(scheme)
    return nlp


def classifier_state(scheme: LabelScheme) -> ClassifierState:
    """Heads with weights by chance, of the sizes that the scheme asks for."""
    sizes = {"functions": len(scheme.functions), "domains": len(scheme.domains)}
    return ClassifierState(
        scheme=scheme,
        heads={name: random_head(inputs=8, outputs=size) for name, size in sizes.items() if size},
        temperatures=dict.fromkeys(sizes, 1.0),
        thresholds=dict.fromkeys(scheme.domain_names, 0.5),
    )


def random_head(*, inputs: int, outputs: int, hidden: int = 5, seed: int = 0) -> SentenceHead:
    """A perceptron with weights by chance."""
    rng = np.random.default_rng(seed)
    shapes = {
        "hidden.weight": (hidden, inputs),
        "hidden.bias": (hidden,),
        "output.weight": (outputs, hidden),
        "output.bias": (outputs,),
    }
    return SentenceHead({name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()})
