"""From a model and annotated bulletins to a report on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zhengling.analysis import analyse
from zhengling.errors import DataError, ZhenglingError
from zhengling.files import atomic_folder, check_folder, write_text
from zhengling.formats import read_bulletins
from zhengling.inputs import Source
from zhengling.loading import scheme_of
from zhengling.report.wording import Language
from zhengling.schema import Bulletin
from zhengling_training.evaluation.bootstrap import Resampling
from zhengling_training.evaluation.breakdown import strings_of
from zhengling_training.evaluation.facts import (
    Facts,
    data_facts,
    machine,
    now,
    timed,
    versions,
)
from zhengling_training.evaluation.markdown import to_markdown
from zhengling_training.evaluation.models import load_model
from zhengling_training.evaluation.page import to_html
from zhengling_training.evaluation.report import HTML, JSON, MARKDOWN, Report, make_report, to_json

Progress = Callable[[Iterable[Source]], Iterable[Source]]


@dataclass(frozen=True)
class Evaluation:
    """A report with the bulletins that it is about, gold and as analysed."""

    report: Report
    gold: Sequence[Bulletin]
    predicted: Sequence[Bulletin]


@dataclass(frozen=True)
class Options:
    """How to evaluate.

    Attributes:
        format: of the data; by their suffix if None.
        training: annotated training data, for results by strings seen and unseen.
        threads: of the network.
        resampling: how intervals are made.
        command: the command line, for the report.
    """

    format: str | None = None
    training: tuple[Path, ...] = ()
    threads: int | None = None
    resampling: Resampling = Resampling()  # noqa: RUF009 - frozen
    command: str = ""


def evaluate(model: str, data: Path, *, options: Options, progress: Progress = iter) -> Evaluation:
    """Analyse the raw texts of annotated bulletins and measure what comes out.

    Args:
        model: see ``models.load_model``.
        data: annotated bulletins.
        options: how.
        progress: is given the texts and passes them on.

    Raises:
        ZhenglingError: no such model; data that can't be read, or bear labels that the model doesn't know.
    """
    nlp, model_facts = load_model(model, threads=options.threads)
    scheme = scheme_of(nlp)
    gold = list(read_bulletins(data, format=options.format, scheme=scheme))
    if not gold:
        raise DataError("nothing to measure on: there are no bulletins", path=data)
    training = [(path, list(read_bulletins(path, format=options.format))) for path in options.training]
    sources = (Source(id=b.id, place=str(data), text=b.text) for b in gold)
    predicted, run = timed(
        lambda: list(analyse(nlp, progress(sources))),
        characters=sum(len(bulletin.text) for bulletin in gold),
        threads=options.threads,
    )
    facts = Facts(
        model=model_facts,
        data=data_facts(data, gold),
        training=tuple(data_facts(*entry) for entry in training) or None,
        command=options.command,
        date=now(),
        machine=machine(),
        versions=versions(),
        run=run,
    )
    seen = strings_of(b for _, bulletins in training for b in bulletins) if training else None
    report = make_report(
        gold, predicted, scheme=scheme, facts=facts, seen=seen, resampling=options.resampling
    )
    return Evaluation(report, gold, predicted)


def check_output(folder: Path) -> None:
    """See that a report can be written, before the work is done.

    Raises:
        ZhenglingError: the path is a file or a folder with other things, or nothing can be written there.
    """
    check_folder(folder, what="the report")
    there = {path.name for path in folder.iterdir()} if folder.exists() else set()
    strange = sorted(there - {JSON, HTML, MARKDOWN})
    if strange:
        raise ZhenglingError(f"{folder}: holds {strange[0]}, which is no report; name a new folder")


def write_report(evaluation: Evaluation, folder: Path, *, language: Language) -> None:
    """Write ``report.json``, ``report.html`` and ``report.md``, all or nothing; see ``check_output``.

    Raises:
        ZhenglingError: they can't be written.
    """
    check_output(folder)
    contents = {
        JSON: to_json(evaluation.report),
        HTML: to_html(evaluation.report, evaluation.gold, evaluation.predicted, language=language),
        MARKDOWN: to_markdown(evaluation.report, language=language),
    }
    try:
        with atomic_folder(folder.resolve()) as temporary:
            for name, content in contents.items():
                write_text(temporary / name, content)
    except OSError as error:
        raise ZhenglingError(f"{folder}: can't be written: {error.strerror or error}") from error
