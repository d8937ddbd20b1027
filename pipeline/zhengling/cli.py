"""The command line. Heavy libraries are imported by the command that needs them."""
# ruff: noqa: PLC0415

from __future__ import annotations

import io
import logging
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhengling import __version__
from zhengling.batch.job import BatchSettings
from zhengling.errors import DataError, ZhenglingError
from zhengling.startup import import_spacy_lightly

if TYPE_CHECKING:
    from zhengling.directives import Rules
    from zhengling.inputs import Source

app = typer.Typer(
    name="zhengling",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Read Chinese government bulletins: entities, directives, service domains.",
)

SOME_FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130
CONFIGS = Path(__file__).parents[2] / "configs"
HTML = (".html", ".htm")


class Language(StrEnum):
    """Language of what people read."""

    zh = "zh"
    en = "en"


class AnalysisFormat(StrEnum):
    """Forms of analysed bulletins."""

    table = "table"
    jsonl = "jsonl"
    html = "html"
    conll = "conll"
    bulletin = "bulletin"
    duckdb = "duckdb"
    parquet = "parquet"


class Engine(StrEnum):
    """What runs a batch."""

    local = "local"
    ray = "ray"


BATCH = BatchSettings()
ModelOption = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Folder or installed package; the default model if left out."),
]
ThreadsOption = Annotated[
    int | None, typer.Option(min=1, help="Threads of the network; OMP_NUM_THREADS or the cores if left out.")
]
RulesOption = Annotated[
    Path | None, typer.Option("--rules", help="Cue words and labels of directives, see docs/directives.md.")
]
FromOption = Annotated[str | None, typer.Option("--from", help="Format of the data; by its suffix.")]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the random numbers.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="Replace a value of the recipe: schedule.seed=2 (JSON values)."),
]


@app.callback()
def _start() -> None:
    import_spacy_lightly()


@app.command()
def analyze(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    paths: Annotated[list[str], typer.Argument(help="Files, folders, globs, or - for standard input.")],
    format_: Annotated[
        AnalysisFormat | None, typer.Option("--format", "-f", help="By --output's suffix, else a table.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write here, whole or not at all.")
    ] = None,
    model: ModelOption = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Documents that share batches.")] = None,
    threads: ThreadsOption = None,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave out entities that are less probable.")
    ] = 0.0,
    rules: RulesOption = None,
    language: Annotated[Language, typer.Option(help="Of tables and pages.")] = Language.zh,
) -> None:
    """Analyse bulletins: text, Markdown, HTML, Word, PDF, and zip archives of them.

    Exit status: 0 all done, 1 some inputs failed (named on standard error, the others written), 2 nothing
    could be read, or usage.
    """
    from zhengling.analysis import analyse
    from zhengling.loading import load_pipeline, scheme_of
    from zhengling.output import check_format, write_analysis

    chosen = format_ or _format_of(output)
    check_format(chosen.value, output)
    _check_apart(paths, output)
    nlp = load_pipeline(model, threads=threads)
    failures: list[DataError] = []
    sources = _progress(_good_sources(paths, failures))
    if chosen is AnalysisFormat.duckdb and output is not None:
        _store(nlp, _some(sources), output, batch_size=batch_size, min_score=min_score, rules=_rules(rules))
    else:
        bulletins = analyse(nlp, sources, batch_size=batch_size, min_score=min_score, rules=_rules(rules))
        write_analysis(
            _some(bulletins),
            scheme=scheme_of(nlp),
            format_name=chosen.value,
            language=language.value,
            output=output,
        )
    if failures:
        raise typer.Exit(SOME_FAILED)


@app.command()
def batch(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Parquet, JSONL(.gz) or documents: a file or a folder.")
    ],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Folder; a stopped run in it goes on.")],
    model: ModelOption = None,
    kind: Annotated[
        str | None, typer.Option("--from", help="parquet, jsonl or documents; by the suffixes.")
    ] = None,
    text_column: Annotated[str, typer.Option(help="Column or key of the texts.")] = BATCH.text_column,
    id_column: Annotated[str, typer.Option(help="Column or key of the ids.")] = BATCH.id_column,
    part_documents: Annotated[
        int, typer.Option(min=1, help="Documents in a part, the unit that is kept when a run is killed.")
    ] = BATCH.part_documents,
    text_characters: Annotated[
        int, typer.Option(min=1, help="Longer texts are quarantined.")
    ] = BATCH.text_characters,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave out entities that are less probable.")
    ] = BATCH.min_score,
    rules: RulesOption = None,
    processes: Annotated[
        int | None, typer.Option("--processes", "-p", min=1, help="Workers; one a core if left out.")
    ] = None,
    engine: Annotated[Engine, typer.Option(help="This machine, or Ray.")] = Engine.local,
    ray_address: Annotated[
        str | None, typer.Option(help="A Ray cluster that runs; a small one is started if left out.")
    ] = None,
    ray_gpus: Annotated[float, typer.Option(min=0.0, help="GPUs that Ray reserves for a worker.")] = 0.0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Throw away what an earlier run left, start anew.")
    ] = False,
) -> None:
    """Analyse any number of documents into Parquet, by several processes; repeated after a stop, go on.

    OUTPUT gets parts/*.parquet (a row a document), quarantine.jsonl (documents without a row, each with
    its reason) and manifest.json. Memory doesn't grow with the input.

    Exit status: 0 every document has a row, 1 some are quarantined, or a file can't be read or written,
    2 usage, or the run can't go on; what was finished stays.
    """
    from zhengling.extras import need

    need("pyarrow", extra="store", what="zhengling batch")
    if engine is Engine.ray:
        need("ray", extra="scale", what="the engine ray")
    from zhengling.batch.command import Options, run_command

    settings = replace(
        BATCH,
        part_documents=part_documents,
        text_characters=text_characters,
        text_column=text_column,
        id_column=id_column,
        min_score=min_score,
    )
    options = Options(kind, engine.value, processes, overwrite, ray_address, ray_gpus)
    counts = run_command(
        source, output, model=model, rules=rules, settings=settings, options=options, say=_say
    )
    typer.echo(f"{counts.documents} documents in = {counts.rows} rows out + {counts.quarantined} quarantined")
    if counts.quarantined:
        _say(f"why they are quarantined is in {output / 'quarantine.jsonl'}")
        raise typer.Exit(SOME_FAILED)


@app.command()
def ledger(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    paths: Annotated[list[str], typer.Argument(help="Files, folders, globs, or - for standard input.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="ledger.xlsx, .csv or .jsonl; whole or not at all.")
    ],
    model: ModelOption = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Documents that share batches.")] = None,
    threads: ThreadsOption = None,
    min_score: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave out directives that are less probable.")
    ] = 0.0,
    rules: RulesOption = None,
    language: Annotated[Language, typer.Option(help="Of headings and domains.")] = Language.zh,
) -> None:
    """Write a task ledger: a row for each thing demanded, with issuer, addressee, deadline and domains.

    Exit status: as of analyze.
    """
    from zhengling.analysis import analyse
    from zhengling.ledger import check_ledger, entries, write_ledger
    from zhengling.loading import load_pipeline, scheme_of

    check_ledger(output)
    _check_apart(paths, output)
    nlp = load_pipeline(model, threads=threads)
    failures: list[DataError] = []
    places: dict[str, str] = {}
    sources = _placed(_progress(_good_sources(paths, failures)), places)
    bulletins = analyse(nlp, sources, batch_size=batch_size, rules=_rules(rules))
    rows = entries(_some(bulletins), scheme=scheme_of(nlp), language=language.value, places=places)
    count = write_ledger(
        (row for row in rows if row.confidence is None or row.confidence >= min_score),
        output,
        language=language.value,
    )
    _say(f"{count} items written to {output}")
    if failures:
        raise typer.Exit(SOME_FAILED)


@app.command()
def stats(
    database: Annotated[Path, typer.Argument(help="Written by analyze --output results.duckdb.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page, .html.")],
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Deadlines from this day on; today if left out."),
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the page.")] = Language.zh,
) -> None:
    """Write a page of figures: domains by month, who is addressed, groups, deadlines ahead, functions."""
    from zhengling.extras import need
    from zhengling.files import suffix_among, write_text

    need("duckdb", "pyarrow", extra="store", what="a database of results")
    suffix_among(output, HTML, what="a page of figures")
    from zhengling.report.figures import render_figures
    from zhengling.store.figures import figures_of

    day = (today or datetime.now(tz=UTC).astimezone()).date()
    figures = figures_of(database, today=day)
    write_text(output, render_figures(figures, language=language.value))
    _say(f"the figures are in {output}")


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="File or folder.")],
    target: Annotated[Path, typer.Argument(help="File or folder.")],
    from_: Annotated[str | None, typer.Option("--from", help="Format of the source; by its suffix.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Format of the target; by its suffix.")] = None,
    scheme: Annotated[Path | None, typer.Option(help="Label scheme to check against.")] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="Report faults, leave out what is faulty.")
    ] = False,
    utf16: Annotated[
        bool | None, typer.Option("--utf16/--code-points", help="What doccano offsets count.")
    ] = None,
) -> None:
    """Convert annotated bulletins from one format to another.

    Exit status: 0 done, 1 faulty data, or not one bulletin, 2 usage.
    """
    from zhengling.formats import FormatOptions
    from zhengling.formats import convert as convert_files
    from zhengling.schema import LabelScheme

    _check_apart([str(source)], target)
    count = convert_files(
        source,
        target,
        source_format=from_,
        target_format=to,
        scheme=LabelScheme.from_file(scheme) if scheme else None,
        lenient=lenient,
        report=_say if lenient else None,
        options=FormatOptions(utf16=utf16),
    )
    _say(f"{count} bulletins written to {target}")
    if not count:
        raise typer.Exit(SOME_FAILED)


@app.command()
def check(
    data: Annotated[
        list[Path], typer.Argument(help="Files or folders; their label distributions are compared.")
    ],
    scheme: Annotated[Path, typer.Option(help="Label scheme.")] = CONFIGS / "schemes/zh_bulletin.json",
    rules: Annotated[Path, typer.Option(help="What to look for.")] = CONFIGS / "checks/zh_bulletin.json",
    from_: FromOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write .json or .html instead of a table.")
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the messages.")] = Language.zh,
) -> None:
    """Check annotated bulletins for faults and for what looks like one.

    Exit status: 0 nothing or warnings only, 1 errors.
    """
    from rich.console import Console

    from zhengling import checking
    from zhengling.files import suffix_among, write_text
    from zhengling.schema import LabelScheme

    suffix = suffix_among(output, (".json", *HTML), what="a page of findings") if output else ""
    labels = LabelScheme.from_file(scheme)
    chosen = checking.Rules.from_file(rules, scheme=labels)
    findings = checking.check(data, scheme=labels, rules=chosen, format=from_, language=language.value)
    if output is None:
        checking.table(findings, console=Console(), language=language.value)
    elif suffix == ".json":
        write_text(output, checking.json(findings))
    else:
        write_text(output, checking.html(findings, language=language.value))
    raise typer.Exit(checking.exit_status(findings))


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe such as configs/zh_bulletin_sm.cfg.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The model; models/NAME if left out.")
    ] = None,
    run_folder: Annotated[
        Path | None, typer.Option(help="Checkpoints; runs/NAME if left out. A stopped run goes on from here.")
    ] = None,
    changes: SetOption = None,
) -> None:
    """Train a pipeline on annotated bulletins."""
    _need_training()
    from zhengling_training.config import load_recipe
    from zhengling_training.finetune import FinetuneRecipe, finetune

    _log_to_stderr()
    chosen = load_recipe(recipe, FinetuneRecipe, overrides=_overrides(changes))
    name = chosen.package.name
    target = output or Path("models") / name
    finetune(chosen, run_folder=run_folder or Path("runs") / name, output=target)
    _say(f"the pipeline is in {target}")


@app.command()
def average(
    recipe: Annotated[Path, typer.Argument(help="The recipe of the runs.")],
    run_folders: Annotated[list[Path], typer.Argument(help="Checkpoints of finished runs.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model.")],
    changes: SetOption = None,
) -> None:
    """Make a pipeline with the mean weights of several training runs from the same encoder."""
    _need_training()
    from zhengling_training.config import load_recipe
    from zhengling_training.finetune import FinetuneRecipe
    from zhengling_training.finetune import average as run

    _log_to_stderr()
    chosen = load_recipe(recipe, FinetuneRecipe, overrides=_overrides(changes))
    run(chosen, run_folders=run_folders, output=output)
    _say(f"the pipeline is in {output}")


@app.command()
def export(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    source: Annotated[str, typer.Argument(help="A model, or the checkpoints of a run (then with --recipe).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The new model's folder.")],
    form: Annotated[
        str, typer.Option(help="Of the weights: rows (fast), blocks (small error), fp32.")
    ] = "rows",
    recipe: Annotated[Path | None, typer.Option(help="SOURCE is the folder of a run of this recipe.")] = None,
    window: Annotated[int | None, typer.Option(min=2, help="Most characters in a window.")] = None,
    overlap: Annotated[int | None, typer.Option(min=0, help="Characters that neighbours share.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Annotated bulletins, to measure what the form costs against fp32.")
    ] = None,
    changes: SetOption = None,
) -> None:
    """Write a model's network, or a run's, in another form of weights."""
    _need_training()
    from rich.console import Console

    from zhengling_training.export_command import Wanted, export_and_measure, run_export
    from zhengling_training.reexport import print_measured

    _log_to_stderr()
    chosen = {"window": window, "overlap": overlap}
    wanted = Wanted(
        source,
        recipe,
        _overrides(changes),
        {name: value for name, value in chosen.items() if value is not None},
    )
    if data is None:
        run_export(wanted, output, form=form)
    else:
        print_measured(export_and_measure(wanted, output, form=form, data=data), console=Console())
    _say(f"the pipeline is in {output}")


@app.command()
def pretrain(
    recipe: Annotated[Path, typer.Argument(help="A recipe such as configs/pretrain.cfg.")],
    run_folder: Annotated[Path, typer.Option(help="Checkpoints and the encoder.")] = Path("runs/pretrain"),
    changes: SetOption = None,
) -> None:
    """Go on with masked-LM pretraining of an encoder on unlabelled text."""
    _need_training()
    from zhengling_training.config import load_recipe
    from zhengling_training.pretrain import PretrainRecipe
    from zhengling_training.pretrain import pretrain as run

    _log_to_stderr()
    run(load_recipe(recipe, PretrainRecipe, overrides=_overrides(changes)), run_folder)
    _say(f"the encoder is in {run_folder / 'encoder'}")


@app.command()
def heads(
    recipe: Annotated[Path, typer.Argument(help="A recipe such as configs/ner_heads.cfg.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The encoder with its heads.")],
    run_folder: Annotated[Path, typer.Option(help="Checkpoints. A stopped run goes on from here.")] = Path(
        "runs/heads"
    ),
    changes: SetOption = None,
) -> None:
    """Train an encoder on entity sets of several label schemes, with a head for each."""
    _need_training()
    from zhengling_training.config import load_recipe
    from zhengling_training.ner_heads import HeadsRecipe, train_heads

    _log_to_stderr()
    chosen = load_recipe(recipe, HeadsRecipe, overrides=_overrides(changes))
    train_heads(chosen, run_folder=run_folder, output=output)
    _say(f"the encoder and its heads are in {output}")


@app.command()
def evaluate(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    model: Annotated[str, typer.Argument(help="Folder or installed package.")],
    data: Annotated[Path, typer.Argument(help="Annotated bulletins.")],
    from_: FromOption = None,
    scheme: Annotated[
        str | None, typer.Option(help="MODEL is an encoder: its head for this label scheme.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for report.html, report.json, report.md.")
    ] = None,
    seen: Annotated[
        list[Path] | None, typer.Option(help="Training data, for results by strings seen and unseen.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Resamples of the bootstrap.")] = 2000,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
    language: Annotated[Language, typer.Option(help="Of the report.")] = Language.zh,
) -> None:
    """Measure a pipeline on annotated bulletins, from their raw text."""
    from rich.console import Console

    from zhengling_training.evaluation import running
    from zhengling_training.evaluation.bootstrap import Resampling
    from zhengling_training.evaluation.models import head_of
    from zhengling_training.evaluation.table import print_scores

    if output is not None:
        running.check_output(output)
    options = running.Options(
        format=from_,
        training=tuple(seen or ()),
        threads=threads,
        resampling=Resampling(resamples=resamples, seed=seed),
        command=_command(),
    )
    chosen = head_of(model, scheme) if scheme else model
    evaluation = running.evaluate(chosen, data, options=options, progress=_progress)
    print_scores(evaluation.report.scores, console=Console())
    if output is not None:
        running.write_report(evaluation, output, language=language.value)
        _say(f"the report is in {output}")


@app.command()
def compare(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    a: Annotated[str, typer.Argument(help="A model, or a report of evaluate: the one to beat.")],
    b: Annotated[str, typer.Argument(help="Another.")],
    data: Annotated[Path | None, typer.Argument(help="Annotated bulletins; not for two reports.")] = None,
    from_: FromOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the figures as JSON.")] = None,
    fail_under: Annotated[
        list[str] | None, typer.Option(help="MEASURE=VALUE: fail if B is worse than the value.")
    ] = None,
    no_worse_than: Annotated[
        list[str] | None, typer.Option(help="MEASURE=MARGIN: fail if B is worse than A by more.")
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Resamples of the tests.")] = 10_000,
    seed: SeedOption = 0,
    threads: ThreadsOption = None,
) -> None:
    """Compare two models on the same bulletins: differences, their intervals, tests, wins and losses.

    Exit status: 0 all conditions hold, 1 one of them doesn't, 2 there is nothing to compare.
    """
    from rich.console import Console

    from zhengling.files import suffix_among
    from zhengling_training.evaluation import comparing, running
    from zhengling_training.evaluation.bootstrap import Resampling

    if output is not None:
        suffix_among(output, (".json",), what="a file of figures")
    conditions = comparing.conditions(fail_under or (), no_worse_than or ())
    options = running.Options(format=from_, threads=threads, command=_command())
    try:
        sides = comparing.sides(a, b, data, options=options, progress=_progress)
        found = comparing.compare(*sides, settings=Resampling(resamples=resamples, seed=seed))
        broken = comparing.broken(conditions, found)
        if output is not None:
            comparing.write_comparison(found, output)
    except DataError as error:
        raise ZhenglingError(str(error)) from error
    comparing.print_comparison(found, console=Console())
    for line in broken:
        _say(line)
    raise typer.Exit(SOME_FAILED if broken else 0)


@app.command()
def card(
    model: Annotated[Path, typer.Argument(help="Folder of a pipeline.")],
    report: Annotated[Path, typer.Argument(help="Written by evaluate --output: report.json or its folder.")],
) -> None:
    """Write a pipeline's card (README.md) and put the figures into its meta.json."""
    from zhengling_training.card import write_card

    typer.echo(write_card(model, report))


@app.command()
def seal(
    model: Annotated[Path, typer.Argument(help="Folder of a pipeline or an encoder.")],
) -> None:
    """Write a model's manifest: if it has none, or after its files were changed on purpose."""
    from zhengling.manifest import MANIFEST
    from zhengling.manifest import seal as write

    write(model)
    typer.echo(model / MANIFEST)


@app.command()
def package(
    model: Annotated[Path, typer.Argument(help="Folder of a pipeline.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the wheel.")] = Path("dist"),
) -> None:
    """Build a wheel that spacy.load opens by name."""
    from zhengling.packaging import build_wheel

    typer.echo(build_wheel(model, output))


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; this machine only if left out.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    settings: Annotated[Path | None, typer.Option(help="JSON file with limits, see docs/service.md.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that clients must send; or set ZHENGLING_TOKEN.")
    ] = None,
    model: ModelOption = None,
    threads: ThreadsOption = None,
) -> None:
    """Serve the REST API and a page to paste bulletins into, until stopped."""
    from zhengling.extras import need

    need("fastapi", "uvicorn", "python_multipart", "prometheus_client", extra="service", what="serving")
    from zhengling.loading import load_pipeline
    from zhengling.service.server import read_token, serve
    from zhengling.service.settings import ServiceSettings

    chosen = ServiceSettings.from_file(settings) if settings else ServiceSettings()
    token = read_token(token_file)
    nlp = load_pipeline(model, threads=threads)
    serve(nlp, host=host, port=port, settings=chosen, token=token)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Run the command line; faults become one line each."""
    for stream in (sys.stdout, sys.stderr):  # what the terminal's encoding lacks is shown as ?
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app()
    except DataError as error:
        _say(f"error: {error}")
        sys.exit(SOME_FAILED)
    except ZhenglingError as error:
        _say(f"error: {error}")
        sys.exit(UNUSABLE)
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(INTERRUPTED)
    except OSError as error:
        _say(f"error: {error.filename or 'output'}: {error.strerror or error}")
        sys.exit(SOME_FAILED)


def _check_apart(paths: Iterable[str], output: Path | None) -> None:
    """Refuse to write over what is to be read."""
    from zhengling.inputs import find_files

    if output is None or not output.exists():
        return
    paths = list(paths)
    for found in (*paths, *find_files(paths)):
        if isinstance(found, str) and Path(found).exists() and output.samefile(found):
            raise ZhenglingError(f"{output}: is one of the inputs; name another file")


def _good_sources(paths: Iterable[str], failures: list[DataError]) -> Iterator[Source]:
    """Sources that could be read; the others are named on standard error and noted."""
    from zhengling.inputs import by_suffix, read_sources

    left_out: Counter[str] = Counter()
    for found in read_sources(paths, left_out=left_out):
        if isinstance(found, DataError):
            failures.append(found)
            _say(f"error: {found}")
        else:
            yield found
    if left_out:
        _say(f"files of other kinds in the folders were left out: {by_suffix(left_out)}")


def _store(nlp: Any, sources: Iterable[Source], output: Path, **options: Any) -> None:
    from zhengling.store.resuming import store

    outcome = store(nlp, sources, output, **options)
    _say(f"{outcome.added} texts added to {output}, {outcome.known} were there")


def _placed(sources: Iterable[Source], places: dict[str, str]) -> Iterator[Source]:
    """The sources, while the file of each is noted."""
    for source in sources:
        places[source.id] = source.place
        yield source


def _rules(path: Path | None) -> Rules | None:
    from zhengling.directives import Rules

    return None if path is None else Rules.from_file(path)


def _progress(sources: Iterable[Source]) -> Iterator[Source]:
    from tqdm import tqdm

    yield from tqdm(sources, unit=" bulletins", leave=False, disable=None)


def _command() -> str:
    import shlex

    return shlex.join(["zhengling", *sys.argv[1:]])


def _some(things: Iterator[Any]) -> Iterator[Any]:
    """The same, unless there is nothing, as no input could be read; then no output is begun."""
    try:
        first = next(things)
    except StopIteration:
        raise typer.Exit(UNUSABLE) from None
    return chain([first], things)


def _format_of(output: Path | None) -> AnalysisFormat:
    from zhengling.files import suffix_among

    written = {f".{form.value}": form for form in AnalysisFormat if form is not AnalysisFormat.table}
    others = {".htm": AnalysisFormat.html, ".json": AnalysisFormat.jsonl, ".txt": AnalysisFormat.table}
    known = written | others
    if output is None or not output.suffix or (output.exists() and not output.is_file()):
        return AnalysisFormat.table
    return known[suffix_among(output, known, what="an analysis whose --format isn't named")]


def _overrides(changes: list[str] | None) -> dict[str, Any]:
    """``["a.b=1"]`` as ``{"a.b": 1}``.

    Raises:
        ZhenglingError: no ``=`` in a change.
    """
    import json

    values = {}
    for change in changes or []:
        key, equals, value = change.partition("=")
        if not equals:
            raise ZhenglingError(f"--set {change}: expected key=value")
        try:
            values[key] = json.loads(value)
        except ValueError:
            values[key] = value
    return values


def _need_training() -> None:
    from zhengling.extras import need

    need("torch", "transformers", "accelerate", "datasets", extra="train", what="training")


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("zhengling_training").setLevel(logging.INFO)


def _say(line: str) -> None:
    typer.echo(line, err=True)
