"""Learning from a teacher: the scores that a trained pipeline gives to unlabelled text.

Knowledge distillation (Hinton et al. 2015) into all heads at once: every character's tag, every sentence's
function and domains. The teacher reads the text once, before training.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from spacy.language import Language
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from zhengling.characters import CharacterVocabulary
from zhengling.components import SentenceClassifier
from zhengling.encoder import Encoded, WindowSettings
from zhengling.errors import ZhenglingError
from zhengling.heads import SentenceHead
from zhengling.loading import load_pipeline, scheme_of
from zhengling.schema import LabelScheme
from zhengling.text import split_sentences
from zhengling.windows import Window, cut_windows
from zhengling_training.config import Count, Section, Weight
from zhengling_training.corpus import cover, ngrams, read_lines, texts_of
from zhengling_training.data import IGNORED, plan_epoch
from zhengling_training.reexport import encoder_of

LOG = logging.getLogger(__name__)
Halves = NDArray[np.float16]
MAX_COVER = 0.5  # share of a line's 13-grams that evaluation texts may have
SHORTEST = 26  # characters of a line that is held against evaluation texts
TOGETHER = 64  # texts that the teacher reads at once


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


class DistillSection(Section):
    """A teacher and the text that it reads aloud.

    Attributes:
        teacher: folder of a trained pipeline with the recipe's labels.
        texts: files of plain text, one paragraph a line, gzipped or not.
        about: a regular expression that a passage must match somewhere; empty for all.
        characters: of all passages together.
        passage: characters from which a passage ends with its paragraph.
        exclude: annotated bulletins that are measured on: paragraphs that repeat them are left out.
        batch_windows: windows of a step, besides annotated ones.
        weight: of the teacher's part of the loss.
        loss: what of the teacher's scores is learned, their ``probabilities`` or the ``scores`` themselves.
        temperature: both sides' scores are divided by it; for probabilities only.
    """

    teacher: str
    texts: list[str]
    about: Annotated[str, AfterValidator(_pattern)] = ""
    characters: Count = 1_000_000
    passage: Count = 600
    exclude: list[str] = []
    batch_windows: Count = 8
    weight: Weight = 1.0
    loss: Literal["probabilities", "scores"] = "probabilities"
    temperature: Annotated[float, Field(gt=0)] = 1.0


@dataclass(frozen=True)
class Lesson:
    """A window of text with the teacher's scores.

    Attributes:
        row: as of ``zhengling_training.data.make_dataset``, with nothing known.
        tags: scores of its characters' tags, shape ``(length, tags)``.
        sentences: by head, scores of its whole sentences, each ``(sentences, labels)``.
    """

    row: dict[str, Any]
    tags: Halves
    sentences: Mapping[str, Halves]


def lessons_of(
    section: DistillSection,
    *,
    scheme: LabelScheme,
    vocabulary: CharacterVocabulary,
    windows: WindowSettings,
    seed: int,
) -> list[Lesson]:
    """Let the teacher read passages, drawn by ``seed``.

    Raises:
        ZhenglingError: no such teacher or text, other labels, or nothing to read.
    """
    nlp = load_pipeline(section.teacher)
    if scheme_of(nlp).to_dict() != scheme.to_dict():
        raise ZhenglingError(f"distill.teacher: {section.teacher} has other labels than the recipe")
    encoder: Any = encoder_of(nlp).encoder
    heads = _heads(nlp)
    texts = passages(section, seed=seed)
    lessons: list[Lesson] = []
    for begin in tqdm(range(0, len(texts), TOGETHER), desc="the teacher reads", disable=None):
        some = texts[begin : begin + TOGETHER]
        spans = [split_sentences(text) for text in some]
        for text, own, encoded in zip(some, spans, encoder.encode(some, spans), strict=True):
            scores = {name: head(encoded.sentences).astype(np.float16) for name, head in heads.items()}
            ids = vocabulary.encode(text)
            borders = [start for start, _ in own]
            for window in cut_windows(len(text), borders, size=windows.size, overlap=windows.overlap):
                lessons.append(_lesson(window, ids, own, encoded, scores))
    LOG.info("the teacher read %d passages, %d windows", len(texts), len(lessons))
    return lessons


def _heads(nlp: Language) -> Mapping[str, SentenceHead]:
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, SentenceClassifier) and pipe.state is not None:
            return pipe.state.heads
    return {}


def _lesson(
    window: Window,
    ids: NDArray[np.int64],
    spans: Sequence[tuple[int, int]],
    encoded: Encoded,
    scores: Mapping[str, Halves],
) -> Lesson:
    inside = [n for n, (start, end) in enumerate(spans) if window.start <= start and end <= window.end]
    length = window.end - window.start
    row = {
        "ids": ids[window.start : window.end].tolist(),
        "tags": [IGNORED] * length,
        "starts": [spans[n][0] - window.start for n in inside],
        "ends": [spans[n][1] - window.start for n in inside],
        "functions": [IGNORED] * len(inside),
        "domains": [[0.0] * (scores["domains"].shape[1] if "domains" in scores else 0) for _ in inside],
        "bears_domains": [False] * len(inside),
    }
    tags = encoded.emissions[window.start : window.end].astype(np.float16)
    return Lesson(row, tags, {name: own[inside] for name, own in scores.items()})


def passages(section: DistillSection, *, seed: int) -> list[str]:
    """Passages of whole paragraphs, drawn at random from all files until there are enough characters.

    Raises:
        ZhenglingError: there is none.
    """
    known: set[str] = set()
    for text in texts_of(map(Path, section.exclude)):
        known |= ngrams(text)
    pool = [text for path in section.texts for text in _passages(read_lines(Path(path)), section, known)]
    if not pool:
        raise ZhenglingError("distill.texts: no passage is left to learn from")
    chosen: list[str] = []
    characters = 0
    for index in np.random.default_rng([seed, 3]).permutation(len(pool)):
        if characters >= section.characters:
            break
        chosen.append(pool[int(index)])
        characters += len(chosen[-1])
    return chosen


def _passages(lines: Iterable[str], section: DistillSection, known: set[str]) -> Iterator[str]:
    about = re.compile(section.about)
    parts: list[str] = []
    for line in lines:
        parts.append(line)
        if sum(map(len, parts)) < section.passage:
            continue
        text, parts = "\n".join(parts), []
        if about.search(text) and not any(
            len(part) >= SHORTEST and cover(part, known) > MAX_COVER for part in text.split("\n")
        ):
            yield text


def plan_lessons(lessons: Sequence[Lesson], *, size: int, seed: int) -> Callable[[int], list[Lesson]]:
    """The lessons of each step: all of them, in a fresh order each time, those of a step of like length."""
    lengths = np.array([len(lesson.tags) for lesson in lessons])
    turn = -(-len(lessons) // size)

    @lru_cache(maxsize=1)
    def plan_of(number: int) -> NDArray[np.int64]:
        return plan_epoch(lengths, size=size, random=np.random.default_rng([seed, 4, number]))

    def lessons_at(step: int) -> list[Lesson]:
        return [lessons[int(number)] for number in plan_of(step // turn)[step % turn]]

    return lessons_at


def lesson_loss(
    emissions: Tensor,
    scores: Mapping[str, Tensor],
    lessons: Sequence[Lesson],
    *,
    weights: Mapping[str, float],
    temperature: float | None,
) -> Tensor:
    """How far the student's scores are from the teacher's.

    With a temperature: cross-entropy with the teacher's distribution for tags (mean over characters) and
    functions (mean over sentences), the sum of the domains' binary cross-entropies (mean over sentences),
    each times its weight and the square of the temperature, which keeps gradients of one size (Hinton et al.
    2015). Without: the mean squares of the differences of scores, times the weights, which teach what the
    teacher thinks of the unlikely labels, too (Kim et al. 2021).

    Args:
        emissions: the student's, of these windows, shape ``(windows, length + 2, tags)``.
        scores: the student's by head, of the windows' sentences.
        lessons: the windows.
        weights: of ``entities``, ``functions``, ``domains``.
        temperature: both sides' scores are divided by it; None compares the scores themselves.
    """
    mine = {"entities": torch.cat([emissions[n, 1 : len(one.tags) + 1] for n, one in enumerate(lessons)])}
    theirs = {"entities": np.concatenate([one.tags for one in lessons])}
    for name, own in scores.items():
        mine[name] = own
        theirs[name] = np.concatenate([one.sentences[name] for one in lessons])
    total = emissions.new_zeros(())
    for name, own in mine.items():
        target = torch.from_numpy(theirs[name]).to(own.device).float()
        if len(target):  # else windows without a whole sentence
            total = total + weights[name] * _distance(name, own.float(), target, temperature=temperature)
    return total


def _distance(name: str, mine: Tensor, theirs: Tensor, *, temperature: float | None) -> Tensor:
    if temperature is None:
        return functional.mse_loss(mine, theirs)
    mine, theirs = mine / temperature, theirs / temperature
    if name == "domains":
        each = functional.binary_cross_entropy_with_logits(mine, torch.sigmoid(theirs), reduction="none")
    else:
        each = -torch.softmax(theirs, dim=-1) * torch.log_softmax(mine, dim=-1)
    return each.sum(-1).mean() * temperature**2
