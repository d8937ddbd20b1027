"""A bulletin's summary for the terminal, readable in plain logs as well."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import HORIZONTALS
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from zhengling.report.colours import channels, ink_on
from zhengling.report.spans import UNKNOWN_COLOUR, Tally, one_line, segments, tallies
from zhengling.report.wording import Language, label_text, percentage, words
from zhengling.schema import Bulletin, Entity, Label, LabelScheme

# Control characters could drive the reader's terminal: show their pictures instead.
_PICTURES = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}


def print_summary(
    bulletin: Bulletin,
    *,
    scheme: LabelScheme,
    console: Console,
    language: Language = "zh",
    strings: int = 5,
) -> None:
    """Print a bulletin: title, text with its entities, sentences, and entities counted by label.

    Entities are coloured as in the scheme with their label behind them; on a console without colour
    they are written ``[text](LABEL)``. Tables without content are left out.

    Args:
        bulletin: annotated by the scheme.
        scheme: names, order and colours of the labels.
        console: where to print, of any width.
        language: of headings and label names.
        strings: how many of a label's most frequent strings to list.

    Raises:
        DataError: spans overlap, are out of order or out of range.
        ZhenglingError: a label's colour is not ``#rrggbb``, or the language is unknown.
    """
    furniture = words(language)
    labels = _Labels(scheme=scheme, language=language, colour=_has_colour(console))
    title = bulletin.meta.get("title") or bulletin.id
    console.print(Text(visible(one_line(title)), style="bold"))
    text = _annotated(bulletin, labels=labels) if bulletin.text else Text(furniture["blank"], style="dim")
    # The terminal wraps: rich would break Chinese at spaces only, and a log's lines stay whole for searching.
    console.print(text, soft_wrap=True)
    if any(sentence.function or sentence.domains for sentence in bulletin.sentences):
        console.print(_sentence_table(bulletin, labels=labels, furniture=furniture))
    if bulletin.entities:
        console.print(_entity_table(bulletin, labels=labels, furniture=furniture, strings=strings))


class _Labels:
    """How labels are written on one console."""

    def __init__(self, *, scheme: LabelScheme, language: str, colour: bool) -> None:
        self.scheme = scheme
        self.colour = colour
        self._language = language
        self._labels = scheme.labels

    def get(self, name: str) -> Label:
        """A label; one that the scheme doesn't know is grey."""
        return self._labels.get(name) or Label(name=name, zh="", colour=UNKNOWN_COLOUR)

    def text(self, name: str) -> str:
        """A label's name in the reader's language."""
        return visible(label_text(self.get(name), language=self._language))

    def badge(self, name: str, *, score: float | None = None) -> Text:
        """A label's name in its colour, with a probability if there is one."""
        badge = Text().append(self.text(name), style=self.style(name))
        return badge if score is None else badge.append(f" {percentage(score)}")

    def style(self, name: str) -> Style:
        """The label's colour as background, with the ink that is legible on it on any terminal."""
        background = self.get(name).colour
        channels(background)
        return Style(color=ink_on(background), bgcolor=background) if self.colour else Style()


def _has_colour(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def visible(text: str) -> str:
    """The text with pictures in place of control characters."""
    return text.replace("\r\n", "\n").translate(_PICTURES)


def _annotated(bulletin: Bulletin, *, labels: _Labels) -> Text:
    text = Text()
    for segment in segments(bulletin):
        for piece in segment.pieces:
            if piece.entity is None:
                text.append(visible(piece.text))
            else:
                text.append_text(_marked(piece.text, piece.entity, labels=labels))
    return text


def _marked(surface: str, entity: Entity, *, labels: _Labels) -> Text:
    name = labels.text(entity.label)
    if not labels.colour:
        return Text(f"[{visible(surface)}]({name})")
    return Text(style=labels.style(entity.label)).append(visible(surface), style="bold").append(f" {name} ")


def _sentence_table(bulletin: Bulletin, *, labels: _Labels, furniture: Mapping[str, str]) -> Table:
    table = Table(title=furniture["sentences"], title_justify="left", box=HORIZONTALS, show_lines=True)
    table.add_column(furniture["function"])
    table.add_column(furniture["domains"])
    table.add_column(furniture["sentence"], ratio=1, overflow="fold")
    for sentence in bulletin.sentences:
        function, scores = sentence.function, sentence.scores
        domains = (labels.badge(name, score=scores.get(name)) for name in sentence.domains)
        table.add_row(
            Text() if function is None else labels.badge(function, score=scores.get(function)),
            Text("\n").join(domains),
            Text(visible(one_line(bulletin.surface(sentence)))),
        )
    return table


def _entity_table(
    bulletin: Bulletin, *, labels: _Labels, furniture: Mapping[str, str], strings: int
) -> Table:
    table = Table(title=furniture["entities"], title_justify="left", box=HORIZONTALS)
    table.add_column(furniture["label"])
    table.add_column(furniture["total"], justify="right")
    table.add_column(furniture["strings"], ratio=1, overflow="fold")
    for tally in tallies(bulletin, scheme=labels.scheme):
        table.add_row(labels.badge(tally.label.name), str(tally.total), _listed(tally, limit=strings))
    return table


def _listed(tally: Tally, *, limit: int) -> Text:
    listed = [f"{string} ×{times}" if times > 1 else string for string, times in tally.strings[:limit]]
    more = ["…"] if len(tally.strings) > limit else []
    return Text(visible("  ".join(listed + more)))
