"""The sections of a report around the results: what was measured, calibration, breakdowns, speed, method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from zhengling.report.svg import Picture
from zhengling.report.wording import Language
from zhengling.schema import LabelScheme
from zhengling_training.evaluation.breakdown import KINDS, Breakdown, Group
from zhengling_training.evaluation.facts import DataFacts, Machine
from zhengling_training.evaluation.report import Report
from zhengling_training.evaluation.sections import interval
from zhengling_training.evaluation.svg import Bar, bars, over_thresholds, reliability
from zhengling_training.evaluation.view import UNDEFINED, Section, Table, Words, figure, number, table
from zhengling_training.evaluation.wording import label_names, report_words

# Groups that a picture needs to be worth it.
_FEWEST = 2


def measured(report: Report, *, language: Language) -> Section:
    """What was measured, on what, with what."""
    words, facts = report_words(language), report.facts
    model = facts.model
    rows = [
        (words["model"], f"{model.name} {model.version} ({model.path})"),
        (words["model_sha256"], model.sha256 or UNDEFINED),
        (words["data"], facts.data.path),
        (words["data_sha256"], facts.data.sha256),
        (words["size"], _size(facts.data, words)),
        *((words["training"], f"{data.path}, {data.sha256}") for data in facts.training or ()),
        (words["scheme"], _scheme(report.scheme, words)),
        (words["command"], facts.command or UNDEFINED),
        (words["date"], facts.date),
        (words["machine"], _machine(facts.machine, words)),
        (words["versions"], ", ".join(f"{name} {version}" for name, version in facts.versions.items())),
        (words["resampling"], words["resampling_said"].format(**asdict(report.resampling))),
    ]
    return Section(
        "measured", words["measured"], tables=(table((words["what"], words["value"]), rows, words=2),)
    )


def _scheme(scheme: LabelScheme, words: Words) -> str:
    return words["scheme_said"].format(
        name=scheme.name,
        entities=len(scheme.entities),
        functions=len(scheme.functions),
        domains=len(scheme.domains),
    )


def _machine(machine: Machine, words: Words) -> str:
    memory = words["unknown_memory"] if machine.memory is None else f"{machine.memory / 2**30:.0f} GB"
    return words["machine_said"].format(
        processor=machine.processor, cores=machine.cores, memory=memory, system=machine.system
    )


def _size(data: DataFacts, words: Words) -> str:
    return words["size_said"].format(
        bulletins=number(data.bulletins),
        characters=number(data.characters),
        sentences=number(data.sentences),
        entities=number(data.entities),
    )


def background(report: Report, *, language: Language) -> Iterator[Section]:
    """Calibration, thresholds, breakdowns, speed and method."""
    words, names = report_words(language), label_names(report.scheme, language=language)
    if any(found.total for found in report.scores.calibration.values()):
        yield _calibration(report, words)
    if report.curves:
        yield _thresholds(report, words, names)
    if report.breakdowns:
        yield _breakdowns(report, words)
    yield _speed(report, words)
    yield Section("method", words["method_title"], notes=(words["note_method"],))


def _calibration(report: Report, words: Words) -> Section:
    rows, drawn = [], []
    for head, found in report.scores.calibration.items():
        held = report.estimates[f"ece_{head}"].interval
        rows.append((words[head], number(found.total), figure(found.error), interval(held)))
        if found.total:
            picture = reliability(
                found,
                title=words["picture_reliability"].format(head=words[head]),
                x=words["axis_confidence"],
                y=words["axis_right"],
                answers=words["answers"],
            )
            drawn.append(picture)
    return Section(
        "calibration",
        words["calibration_title"],
        notes=(words["note_calibration"],),
        tables=(table([words[key] for key in ("head", "answers", "ece", "interval")], rows),),
        pictures=tuple(drawn),
    )


def _thresholds(report: Report, words: Words, names: Mapping[str, str]) -> Section:
    rows, drawn = [], []
    for key, curve in report.curves.items():
        head, _, label = key.partition("/")
        said = names[label] if label else words[head]
        best = "" if curve.suggested is None else f"{curve.suggested:.2f}"
        at = [figure(value) for value in curve.at(curve.suggested)]
        rows.append([said, best or UNDEFINED, *at, figure(_now(report, head, label))])
        if not label:
            picture = over_thresholds(
                curve,
                title=words["picture_thresholds"].format(head=said),
                x=words["axis_threshold"],
                names=(words["p"], words["r"], words["f1"]),
            )
            drawn.append(picture)
    return Section(
        "thresholds",
        words["thresholds_title"],
        notes=(words["note_thresholds"],),
        tables=(
            table([words[key] for key in ("head", "threshold", "p_at", "r_at", "f1_at", "f1_now")], rows),
        ),
        pictures=tuple(drawn),
    )


def _now(report: Report, head: str, label: str) -> float | None:
    """F1 with the thresholds that the model has."""
    if label:
        return report.scores.domains[label].f1
    names = {"entities": "entity_f1", "functions": "function_accuracy", "domains": "domain_micro_f1"}
    return report.estimates[names[head]].value


def _breakdowns(report: Report, words: Words) -> Section:
    pictures = [_drawn(found, words) for found in report.breakdowns if len(found.groups) >= _FEWEST]
    return Section(
        "breakdowns",
        words["breakdowns_title"],
        notes=(words["note_breakdowns"],),
        tables=tuple(_groups(found, words) for found in report.breakdowns),
        pictures=tuple(pictures),
    )


def _groups(found: Breakdown, words: Words) -> Table:
    kinds = [kind for kind in KINDS if any(kind in group.figures for group in found.groups)]
    head = [words["group"], words["bulletins"]]
    for kind in kinds:
        head += [words[f"{kind}_kind"], words["interval"], words["gold"]]
    rows = []
    for group in found.groups:
        row = [_name(group, words), str(group.bulletins)]
        for kind in kinds:
            entry = group.figures.get(kind)
            cells = (
                [UNDEFINED] * 3
                if entry is None
                else [figure(entry.value), interval(entry.interval), str(entry.gold)]
            )
            row += cells
        rows.append(row)
    return table(head, rows, title=words.get(found.key, found.key))


def _drawn(found: Breakdown, words: Words) -> Picture:
    entries = []
    for group in found.groups:
        entry = group.figures.get("entity")
        if entry is not None:
            held = entry.interval
            low, high = (None, None) if held is None else (held.low, held.high)
            entries.append(Bar(_name(group, words), entry.value, low, high, f"n={entry.gold}"))
    title = words["picture_group"].format(by=words.get(found.key, found.key))
    return bars(entries, title=title, unit=words["unit_f1"])


def _name(group: Group, words: Words) -> str:
    return words.get(f"group_{group.name}", group.name)


def _speed(report: Report, words: Words) -> Section:
    run = report.facts.run
    peak = None if run.peak_memory is None else run.peak_memory / 1e6
    threads = words["default"] if run.threads is None else str(run.threads)
    rows = [
        (words["characters"], number(run.characters)),
        (words["seconds"], f"{run.seconds:,.2f}"),
        (words["cpu_seconds"], f"{run.cpu_seconds:,.2f}"),
        (words["per_second"], number(run.characters_per_second)),
        (words["per_cpu_second"], number(run.characters_per_cpu_second)),
        (words["peak"], number(peak)),
        (words["threads"], threads),
    ]
    return Section(
        "speed",
        words["speed_title"],
        notes=(words["note_speed"],),
        tables=(table((words["what"], words["value"]), rows),),
    )
