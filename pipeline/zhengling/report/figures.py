"""A page of figures over many bulletins: charts with their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from zhengling.errors import ZhenglingError
from zhengling.report.charts import Count, bar_chart, month_chart
from zhengling.report.page import THEMES, content_policy, page_templates, palettes_of
from zhengling.report.spans import one_line
from zhengling.report.svg import Picture
from zhengling.report.wording import Language, label_text

if TYPE_CHECKING:
    from zhengling.store.figures import Figures

# The chart of months shows the last of them, its table all.
_MONTHS = 24

_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "code": "zh-Hans",
        "page": "政令统计",
        "bulletins": "公报",
        "directives": "部署事项",
        "span": "时间",
        "undated": "无日期",
        "functions": "句子功能",
        "domains": "业务领域（按月，句数）",
        "addressees": "责任单位（事项数）",
        "groups": "服务对象（事项数）",
        "due": "待办时限（按月，事项数）",
        "ahead": "待办事项",
        "name": "名称",
        "total": "数量",
        "month": "月份",
        "day": "截止日期",
        "addressee": "责任单位",
        "item": "任务事项",
        "issuer": "交办主体",
        "source": "来源",
        "table": "数据表",
        "nothing": "没有数据。",
        "model": "模型",
        "today": "统计日",
    },
    "en": {
        "code": "en",
        "page": "Figures from bulletins",
        "bulletins": "Bulletins",
        "directives": "Items demanded",
        "span": "Dates",
        "undated": "Without date",
        "functions": "Sentences by function",
        "domains": "Sentences by domain and month",
        "addressees": "Items by addressee",
        "groups": "Items by group of people",
        "due": "Items due, by month",
        "ahead": "Items ahead",
        "name": "Name",
        "total": "Count",
        "month": "Month",
        "day": "Due",
        "addressee": "Addressee",
        "item": "Item",
        "issuer": "Issuer",
        "source": "Source",
        "table": "Table",
        "nothing": "No data.",
        "model": "Model",
        "today": "Day",
    },
}


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart with its table.

    Attributes:
        heading: what it shows.
        picture: the chart, None where there is nothing to draw.
        columns: headings of the table.
        rows: its cells.
        folded: the table opens on demand.
    """

    heading: str
    picture: Picture | None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = True


def render_figures(figures: Figures, *, language: Language = "zh") -> str:
    """Lay figures out as one HTML page that makes no request; all text from bulletins is escaped.

    Raises:
        ZhenglingError: the language is unknown, or a label's colour is not ``#rrggbb``.
    """
    if language not in _WORDS:
        raise ZhenglingError(f"no figures in language {language!r}; choose one of {', '.join(_WORDS)}")
    words = _WORDS[language]
    styles = {name: f"l{number}" for number, name in enumerate(figures.scheme.labels)}
    palettes = palettes_of((styles[name], label.colour) for name, label in figures.scheme.labels.items())
    templates = page_templates()
    style = templates.get_template("figures.css.j2").render(palettes=palettes, themes=THEMES)
    # Safe to embed unescaped: our own template, filled with checked colours only.
    return templates.get_template("figures.html.j2").render(
        style=Markup(style),
        policy=content_policy(style=style, script=""),
        words=words,
        figures=figures,
        panels=_panels(figures, words, styles, language),
    )


def _panels(
    figures: Figures, words: Mapping[str, str], styles: Mapping[str, str], language: str
) -> tuple[Panel, ...]:
    names = {name: label_text(label, language=language) for name, label in figures.scheme.labels.items()}
    functions = [Count(names[name], total, styles[name]) for name, total in figures.functions]
    return (
        _bars(words["functions"], functions, words),
        _by_month(figures, words, names, styles),
        _bars(words["addressees"], [Count(one_line(name), n) for name, n in figures.addressees], words),
        _bars(words["groups"], [Count(one_line(name), n) for name, n in figures.groups], words),
        _bars(words["due"], [Count(month, n) for month, n in figures.due], words, column="month"),
        _ahead(figures, words),
    )


def _bars(heading: str, counts: list[Count], words: Mapping[str, str], *, column: str = "name") -> Panel:
    shown = [count for count in counts if count.total]
    rows = tuple((count.name, f"{count.total:,}") for count in shown)
    drawn = bar_chart(shown, title=heading) if shown else None
    return Panel(heading, drawn, (words[column], words["total"]), rows)


def _by_month(
    figures: Figures, words: Mapping[str, str], names: Mapping[str, str], styles: Mapping[str, str]
) -> Panel:
    found = [(name, values) for name, values in figures.domains if any(values)]
    rows = [(Count(names[name], sum(values), styles[name]), values[-_MONTHS:]) for name, values in found]
    heading = words["domains"]
    drawn = month_chart(rows, months=figures.months[-_MONTHS:], title=heading) if rows else None
    table = tuple(
        (month, *(f"{values[place]:,}" for _, values in found)) for place, month in enumerate(figures.months)
    )
    columns = (words["month"], *(names[name] for name, _ in found))
    return Panel(heading, drawn, columns, table if rows else ())


def _ahead(figures: Figures, words: Mapping[str, str]) -> Panel:
    columns = tuple(words[key] for key in ("day", "addressee", "item", "issuer", "source"))
    rows = tuple(
        (task.due.isoformat(), *map(one_line, (task.addressee, task.action, task.issuer, task.source)))
        for task in figures.ahead
    )
    return Panel(words["ahead"], None, columns, rows, folded=False)
