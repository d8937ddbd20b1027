"""The sections of a report on what a model got right: summary, entities, boundaries, functions, domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from zhengling.report.wording import Language
from zhengling_training.evaluation.bootstrap import Interval
from zhengling_training.evaluation.counts import Counts, Matches, macro_f1
from zhengling_training.evaluation.domains import most
from zhengling_training.evaluation.ledger import HEADLINES
from zhengling_training.evaluation.report import Report
from zhengling_training.evaluation.svg import Bar, bars, matrix
from zhengling_training.evaluation.view import UNDEFINED, Section, Table, Words, figure, table
from zhengling_training.evaluation.wording import label_names, report_words

# Rows of the tables of co-occurrence errors.
_MOST = 15


def results(report: Report, *, language: Language) -> Iterator[Section]:
    """Sections on results; what the scheme has no labels for is left out."""
    words, names = report_words(language), label_names(report.scheme, language=language)
    yield summary(report, words)
    yield _entities(report, words, names)
    if report.scores.boundaries.gold:
        yield _boundaries(report, words)
    if report.scheme.functions and report.scores.confusion:
        yield _functions(report, words, names)
    if report.scheme.domains and report.scores.confusion:
        yield _domains(report, words, names)


def summary(report: Report, words: Words) -> Section:
    """The headline figures with their intervals."""
    rows = [
        (words[name], figure(report.estimates[name].value), interval(report.estimates[name].interval))
        for name in HEADLINES
    ]
    drawn = [bar(words[name], report, name) for name in HEADLINES if not name.startswith("ece")]
    return Section(
        "summary",
        words["summary"],
        tables=(table((words["measure"], words["value"], words["interval"]), rows),),
        pictures=(bars(drawn, title=words["picture_summary"], unit=words["unit_score"]),),
    )


def bar(label: str, report: Report, name: str, *, note: str = "") -> Bar:
    """The bar of a measure."""
    estimate = report.estimates[name]
    if estimate.interval is None:
        return Bar(label, estimate.value, note=note)
    return Bar(label, estimate.value, estimate.interval.low, estimate.interval.high, note)


def interval(held: Interval | None) -> str:
    """An interval, a dash where there is none."""
    return UNDEFINED if held is None else f"{held.low:.3f}–{held.high:.3f}"


def _entities(report: Report, words: Words, names: Mapping[str, str]) -> Section:
    scores, labels = report.scores, report.scheme.entity_names
    loose = ("exact", "partial", "type")
    rows = [
        _label_row(names[label], scores.entities[label], report, f"entity_f1/{label}")
        + [figure(scores.by_label[name][label].f1) for name in loose]
        for label in labels
    ]
    rows.append(
        _label_row(words["micro"], scores.entity_micro, report, "entity_f1")
        + [figure(scores.schemes[name].f1) for name in loose]
    )
    macro = report.estimates["entity_macro_f1"]
    rows.append(
        [words["macro"], "", "", figure(macro.value), interval(macro.interval), "", ""]
        + [figure(macro_f1(scores.by_label[name])) for name in loose]
    )
    head = [*_label_head(words), *(words[f"{name}_f1"] for name in loose)]
    drawn = [
        bar(names[label], report, f"entity_f1/{label}", note=f"n={scores.entities[label].gold}")
        for label in labels
    ]
    return Section(
        "entities",
        words["entities_title"],
        notes=(words["note_entities"],),
        tables=(table(head, rows), _schemes(report, words)),
        pictures=(bars(drawn, title=words["picture_entities"], unit=words["unit_f1"]),),
    )


def _schemes(report: Report, words: Words) -> Table:
    head = ["scheme_of_comparison", "correct", "incorrect", "partial", "missed", "spurious", "p", "r", "f1"]
    rows = []
    for name, found in report.scores.schemes.items():
        said = words["partial_scheme" if name == "partial" else name]
        macro = macro_f1(report.scores.by_label[name])
        rows.append([said, *_outcomes(found), *_ratios(found), figure(macro)])
    return table([words[key] for key in [*head, "macro_f1"]], rows)


def _outcomes(found: Matches) -> list[str]:
    counts = (found.correct, found.incorrect, found.partial, found.missed, found.spurious)
    return [str(count) for count in counts]


def _ratios(found: Counts | Matches) -> list[str]:
    return [figure(found.precision), figure(found.recall), figure(found.f1)]


def _label_head(words: Words) -> list[str]:
    return [words[key] for key in ("label", "p", "r", "f1", "interval", "gold", "predicted")]


def _label_row(label: str, counts: Counts, report: Report, measure: str) -> list[str]:
    held = interval(report.estimates[measure].interval)
    return [label, *_ratios(counts), held, str(counts.gold), str(counts.predicted)]


def _boundaries(report: Report, words: Words) -> Section:
    row = _label_row(words["sentences"], report.scores.boundaries, report, "sentence_boundary_f1")
    return Section(
        "boundaries",
        words["boundaries_title"],
        notes=(words["note_boundaries"],),
        tables=(table(_label_head(words), [row]),),
    )


def _functions(report: Report, words: Words, names: Mapping[str, str]) -> Section:
    scores, labels = report.scores, report.scheme.function_names
    counts = scores.functions
    rows = [
        _label_row(names[name], counts.get(name, Counts()), report, f"function_f1/{name}") for name in labels
    ]
    macro = report.estimates["function_macro_f1"]
    rows.append([words["macro"], "", "", figure(macro.value), interval(macro.interval), "", ""])
    guesses: list[str | None] = [*labels]
    if any(predicted is None for _, predicted in scores.confusion):
        guesses.append(None)
    drawn = matrix(
        [[scores.confusion.get((gold, guess), 0) for guess in guesses] for gold in labels],
        rows=[names[name] for name in labels],
        columns=[words["none"] if guess is None else names[guess] for guess in guesses],
        title=words["picture_functions"],
        sides=(words["side_gold"], words["side_predicted"]),
    )
    return Section(
        "functions",
        words["functions_title"],
        notes=(words["note_functions"],),
        tables=(table(_label_head(words), rows), _confusion(report, words, names)),
        pictures=(drawn,),
    )


def _confusion(report: Report, words: Words, names: Mapping[str, str]) -> Table:
    wrong = [(pair, n) for pair, n in report.scores.confusion.items() if pair[0] != pair[1]]
    rows = [
        (names[gold], words["none"] if guess is None else names.get(guess, guess), str(n))
        for (gold, guess), n in sorted(wrong, key=lambda item: (-item[1], str(item[0])))
    ][:_MOST]
    return table([words[key] for key in ("gold", "predicted", "sentences")], rows, words=2)


def _domains(report: Report, words: Words, names: Mapping[str, str]) -> Section:
    scores, labels = report.scores, report.scheme.domain_names
    rows = [_label_row(names[name], scores.domains[name], report, f"domain_f1/{name}") for name in labels]
    rows.append(_label_row(words["micro"], scores.domain_micro, report, "domain_micro_f1"))
    macro = report.estimates["domain_macro_f1"]
    rows.append([words["macro"], "", "", figure(macro.value), interval(macro.interval), "", ""])
    sides: Sequence[str | None] = [*labels, None]
    shown = [words["none"] if name is None else names[name] for name in sides]
    confusion = report.domain_errors.confusion
    drawn = matrix(
        [[confusion.get((gold, guess), 0) for guess in sides] for gold in sides],
        rows=shown,
        columns=shown,
        title=words["picture_domains"],
        sides=(words["side_gold"], words["side_predicted"]),
    )
    return Section(
        "domains",
        words["domains_title"],
        notes=(words["note_domains"],),
        tables=(table(_label_head(words), rows), *_together(report, words, names)),
        pictures=(drawn,),
    )


def _together(report: Report, words: Words, names: Mapping[str, str]) -> Iterator[Table]:
    """What goes wrong in sentences with several domains."""
    found = report.domain_errors
    numbers = [(str(n), str(total), str(right)) for n, (total, right) in found.by_number.items()]
    yield table([words[key] for key in ("number_of_domains", "sentences", "sentences_right")], numbers)
    missed = [
        (names[one], names[other], str(n), str(found.together[one, other]))
        for (one, other), n in most(found.missed_beside)[:_MOST]
    ]
    if missed:
        head = [words[key] for key in ("domain_missed", "domain_beside", "sentences", "out_of")]
        yield table(head, missed, words=2)
    added = [(names[one], names[other], str(n)) for (one, other), n in most(found.added_beside)[:_MOST]]
    if added:
        head = [words[key] for key in ("domain_added", "domain_beside", "sentences")]
        yield table(head, added, words=2)
