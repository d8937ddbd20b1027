"""One part: read, analysed, written. Engines only say where and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from spacy.language import Language

from zhengling.analysis import analyse
from zhengling.batch.documents import Found, Quarantined
from zhengling.batch.job import BatchSettings, Job, Progress
from zhengling.batch.manifest import Finished
from zhengling.batch.ranges import Part
from zhengling.batch.reading import Reader, killed
from zhengling.batch.trail import Trail
from zhengling.batch.writing import Numbered, rows_of, write_part
from zhengling.batching import batches
from zhengling.directives import Rules
from zhengling.errors import ZhenglingError
from zhengling.inputs import Source
from zhengling.loading import load_pipeline

# A document with its number in the part.
_Read = tuple[int, Found | Quarantined]


@dataclass(frozen=True, slots=True)
class Analyst:
    """What a worker keeps from part to part.

    Attributes:
        job: the run.
        nlp: the pipeline, with one thread.
        rules: of directives.
        reader: of the input.
    """

    job: Job
    nlp: Language
    rules: Rules | None
    reader: Reader

    @classmethod
    def open(cls, job: Job) -> Self:
        """Load the pipeline and try it, so that a damaged model isn't taken for bad documents.

        Raises:
            ZhenglingError: the model or the rules can't be used.
        """
        nlp = load_pipeline(job.model, threads=1)
        rules = Rules.from_file(job.rules) if job.rules else None
        list(analyse(nlp, [Source(id="trial", place="", text="民政部。")], rules=rules))
        return cls(job, nlp, rules, Reader(job))


def analyse_part(part: Part, analyst: Analyst, *, progress: Progress | None = None) -> Finished:
    """Read, analyse and write a part; it is the same whoever does it, and however often.

    Args:
        part: a planned range of documents.
        analyst: the worker's pipeline and reader.
        progress: is told the number of documents after each group of them.

    Raises:
        ZhenglingError: the run can't go on: the input has changed, or workers die of it.
        OSError: the part can't be written.
    """
    job = analyst.job
    trail = Trail.open(job.trails / f"{part.number}", most=job.settings.deaths)
    done = False
    try:
        found = enumerate(analyst.reader.read(part, trail))
        groups = batches(found, fits=lambda group, one: _fits(group, one, job.settings))
        finished = write_part(job, part, _told(_analysed(groups, analyst, trail), progress))
        done = True
    finally:
        trail.close(done=done)
    return finished


def _analysed(groups: Iterable[list[_Read]], analyst: Analyst, trail: Trail) -> Iterator[list[Numbered]]:
    """Groups in, what becomes of their documents out."""
    for group in groups:
        documents = [(number, one) for number, one in group if isinstance(one, Found)]
        faults: list[Numbered] = [(number, one) for number, one in group if isinstance(one, Quarantined)]
        yield sorted([*_group(documents, analyst, trail), *faults], key=lambda pair: pair[0])


def _group(documents: list[tuple[int, Found]], analyst: Analyst, trail: Trail) -> list[Numbered]:
    """Analyse documents together; if that fails or kills, one by one, to find the guilty."""
    if not documents:
        return []
    step = f"group {documents[0][0]}"
    if not trail.is_deadly(step):
        trail.begin(step)
        try:
            tables = rows_of(analyst.nlp, [one for _, one in documents], analyst.job, analyst.rules)
            return [(number, table) for (number, _), table in zip(documents, tables, strict=True)]
        except Exception:  # whatever a document makes the pipeline raise; each is tried below
            pass
    return [_alone(number, one, analyst, trail) for number, one in documents]


def _alone(number: int, document: Found, analyst: Analyst, trail: Trail) -> Numbered:
    step = f"alone {number}"
    try:
        if trail.is_deadly(step):
            raise ZhenglingError(killed("analysing it", trail.most))
        trail.begin(step)
        (table,) = rows_of(analyst.nlp, [document], analyst.job, analyst.rules)
        return number, table
    except Exception as error:  # the document goes to the quarantine with it
        reason = " ".join(str(error).split())
        if not isinstance(error, ZhenglingError):
            reason = f"analysing it raised {type(error).__name__}: {reason}"
        return number, Quarantined(document.file, document.row, document.source.id, reason[:500])


def _fits(group: list[_Read], one: _Read, settings: BatchSettings) -> bool:
    length = sum(len(found.source.text) for _, found in [*group, one] if isinstance(found, Found))
    return len(group) < settings.group_documents and length <= settings.group_characters


def _told(groups: Iterable[list[Numbered]], progress: Progress | None) -> Iterator[Numbered]:
    for group in groups:
        yield from group
        if progress is not None:
            progress(len(group))
