"""A report as one HTML file: no server, no network; figures and pictures, and a browser of all errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from zhengling.report.page import THEMES, content_policy, page_templates, palettes_of
from zhengling.report.wording import Language, label_text
from zhengling.schema import Bulletin, Label, LabelScheme
from zhengling_training.evaluation.background import background, measured
from zhengling_training.evaluation.browser import Browser, browser, escaped_json, label_places
from zhengling_training.evaluation.errors import KINDS
from zhengling_training.evaluation.report import Report
from zhengling_training.evaluation.sections import results
from zhengling_training.evaluation.view import figure
from zhengling_training.evaluation.wording import label_names, report_words

# What stands at the head of the page.
_TOTALS = ("entity_f1", "function_accuracy", "domain_micro_f1")
_SCRIPT_WORDS = (
    "shown",
    "rows_without",
    "nothing_found",
    "title_of_gold",
    "title_of_predicted",
    "none",
    "blank",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick: its value, name and class in the style sheet, and how many errors it stands for."""

    value: int
    text: str
    style: str = ""
    total: int | None = None


def to_html(
    report: Report, gold: Sequence[Bulletin], predicted: Sequence[Bulletin], *, language: Language
) -> str:
    """Lay a report out as one self-contained page.

    Args:
        report: the figures.
        gold: the bulletins that they are about.
        predicted: the same bulletins as analysed, in the same order.
        language: of headings and label names.

    Returns:
        The HTML text. It makes no request: styles and script are inline and pinned by their hashes.

    Raises:
        ZhenglingError: a label's colour is not ``#rrggbb``, or the language is unknown.
    """
    words, scheme = report_words(language), report.scheme
    templates = page_templates("zhengling_training.evaluation")
    style = templates.get_template("evaluation.css.j2").render(
        themes=THEMES, palettes=palettes_of(_styles(scheme)), lead=None
    )
    script = templates.get_template("evaluation.js").render()
    errors = browser(zip(gold, predicted, strict=True), scheme=scheme)
    # Safe to embed unescaped: our own templates, filled with checked colours only, and escaped JSON.
    return templates.get_template("evaluation.html.j2").render(
        style=Markup(style),
        script=Markup(script),
        policy=content_policy(style=style, script=script),
        words=words,
        title=f"{words['report']} · {report.facts.model.name}",
        totals=[(words[name], figure(report.estimates[name].value)) for name in _totals(report)],
        bulletins=len(gold),
        sections=[
            measured(report, language=language),
            *results(report, language=language),
            *background(report, language=language),
        ],
        kinds=_kind_choices(errors, words),
        labels=_label_choices(scheme, language=language),
        left_out=errors.left_out,
        data=Markup(errors.data),
        settings=Markup(_settings(scheme, words, language=language)),
    )


def _kind_choices(errors: Browser, words: Mapping[str, str]) -> list[Choice]:
    return [
        Choice(place, words[f"kind_{kind}"], "kind", errors.errors[kind])
        for place, kind in enumerate(KINDS)
        if errors.errors[kind]
    ]


def _totals(report: Report) -> list[str]:
    return [name for name in _TOTALS if report.estimates[name].value is not None]


def _groups(scheme: LabelScheme) -> Mapping[str, tuple[Label, ...]]:
    return {"entities": scheme.entities, "functions": scheme.functions, "domains": scheme.domains}


def _styles(scheme: LabelScheme) -> list[tuple[str, str]]:
    return [(f"l{place}", label.colour) for place, label in enumerate(scheme.labels.values())]


def _label_choices(scheme: LabelScheme, *, language: Language) -> dict[str, list[Choice]]:
    places = label_places(scheme)
    return {
        group: [
            Choice(places[label.name], label_text(label, language=language), f"l{places[label.name]}")
            for label in labels
        ]
        for group, labels in _groups(scheme).items()
        if labels
    }


def _settings(scheme: LabelScheme, words: Mapping[str, str], *, language: Language) -> str:
    """What the script says: words, names of labels and kinds, as JSON."""
    full = label_names(scheme, language=language)
    data = {
        "words": {key: words[key] for key in _SCRIPT_WORDS},
        "kinds": [words[f"kind_{kind}"] for kind in KINDS],
        "labels": [
            {"text": label_text(label, language=language), "full": full[name]}
            for name, label in scheme.labels.items()
        ],
    }
    return escaped_json(data)
