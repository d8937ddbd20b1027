"""What the page shows of a bulletin: names, styles and counts, ready for the templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from zhengling.report.spans import Segment, Tally, known_labels, one_line, segments, tallies
from zhengling.report.wording import label_text, percentage
from zhengling.schema import Bulletin, Directive, Entity, Label, LabelScheme, Mention, Sentence


@dataclass(frozen=True, slots=True)
class Tag:
    """A label on the page.

    Attributes:
        style: its class in the style sheet.
        label: the label.
        text: its name in the page's language.
        full: both its names.
        total: how often it occurs on the page.
    """

    style: str
    label: Label
    text: str
    full: str
    total: int


@dataclass(frozen=True, slots=True)
class TagSet:
    """The labels that occur on a page, by name, in the scheme's order.

    Attributes:
        entities: entity labels.
        functions: sentence functions.
        domains: service domains.
        lead: the function that stands out, the scheme's first, if it occurs.
    """

    entities: Mapping[str, Tag]
    functions: Mapping[str, Tag]
    domains: Mapping[str, Tag]
    lead: Tag | None


@dataclass(frozen=True, slots=True)
class Chip:
    """A tag at one place, with its description (names, and probability where known)."""

    tag: Tag
    tip: str


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence, for the text and for the table.

    Attributes:
        anchor: its id on the page.
        number: its place in the bulletin, from 1.
        text: the sentence on one line.
        function: chip of its function, if it has one.
        domains: chips of its domains.
    """

    anchor: str
    number: int
    text: str
    function: Chip | None
    domains: tuple[Chip, ...]

    @property
    def chips(self) -> tuple[Chip, ...]:
        """Function first, then domains."""
        return self.domains if self.function is None else (self.function, *self.domains)

    @property
    def styles(self) -> str:
        """The classes of all chips."""
        return " ".join(chip.tag.style for chip in self.chips)

    @property
    def tip(self) -> str:
        """The descriptions of all chips."""
        return " · ".join(chip.tip for chip in self.chips)


@dataclass(frozen=True, slots=True)
class Section:
    """The sentences of one function; of none, where the scheme has domains only."""

    tag: Tag | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """A directive, for the table.

    Attributes:
        row: its sentence.
        action: what is to be done, on one line.
        facts: who wants it, of whom, by when and so on, as key of the wording and text; none is empty.
        domains: chips of its domains.
    """

    row: Row
    action: str
    facts: tuple[tuple[str, str], ...]
    domains: tuple[Chip, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A bulletin on the page.

    Attributes:
        anchor: its id on the page.
        title: its title, else its id in the collection.
        facts: what else is known of it.
        date: its date, empty if unknown.
        text: the text in segments, each with its sentence if it is one.
        tasks: the directives.
        sections: the sentences by function.
        tallies: the entities by label.
        domains: the domains with the number of their sentences.
        sentences: number of sentences.
        entities: number of entities.
        lead: number of sentences with the leading function.
    """

    anchor: str
    title: str
    facts: tuple[str, ...]
    date: str
    text: tuple[tuple[Row | None, Segment], ...]
    tasks: tuple[Task, ...]
    sections: tuple[Section, ...]
    tallies: tuple[tuple[Tag, Tally], ...]
    domains: tuple[tuple[Tag, int], ...]
    sentences: int
    entities: int
    lead: int


def tag_set(bulletins: Iterable[Bulletin], *, scheme: LabelScheme, language: str) -> TagSet:
    """The labels in use on a page; those that the scheme doesn't know are shown too, in grey."""
    entities, functions, domains = Counter[str](), Counter[str](), Counter[str]()
    for bulletin in bulletins:
        entities.update(entity.label for entity in bulletin.entities)
        functions.update(s.function for s in bulletin.sentences if s.function is not None)
        domains.update(domain for s in bulletin.sentences for domain in s.domains)
    shown = _tags(scheme.functions, functions, prefix="f", language=language)
    return TagSet(
        entities=_tags(scheme.entities, entities, prefix="e", language=language),
        functions=shown,
        domains=_tags(scheme.domains, domains, prefix="d", language=language),
        lead=next((shown[name] for name in scheme.function_names[:1] if name in shown), None),
    )


def view(bulletin: Bulletin, *, number: int, tags: TagSet, scheme: LabelScheme) -> View:
    """Lay a bulletin out.

    Args:
        bulletin: the bulletin.
        number: its place on the page, from 1.
        tags: the labels of the page.
        scheme: the scheme of the labels.

    Raises:
        DataError: the bulletin's spans overlap, are out of order or out of range.
    """
    anchor = f"b{number}"
    cuts = segments(bulletin)
    rows = {
        sentence.start: _row(bulletin, sentence, anchor=anchor, number=place, tags=tags)
        for place, sentence in enumerate(bulletin.sentences, start=1)
    }
    sections = tuple(_sections(rows.values(), tags=tags))
    in_order = tuple(rows[sentence.start] for sentence in bulletin.sentences)
    counts = Counter(domain for sentence in bulletin.sentences for domain in sentence.domains)
    return View(
        anchor=anchor,
        title=bulletin.meta.get("title") or bulletin.id,
        facts=facts_of(bulletin),
        date=bulletin.meta.get("date", ""),
        text=tuple((rows[cut.sentence.start] if cut.sentence else None, cut) for cut in cuts),
        tasks=tuple(
            _task(directive, in_order[directive.sentence], tags=tags) for directive in bulletin.directives
        ),
        sections=sections,
        tallies=tuple((tags.entities[t.label.name], t) for t in tallies(bulletin, scheme=scheme)),
        domains=tuple((tag, counts[name]) for name, tag in tags.domains.items() if counts[name]),
        sentences=len(bulletin.sentences),
        entities=len(bulletin.entities),
        lead=sum(len(section.rows) for section in sections if section.tag and section.tag is tags.lead),
    )


def entity_chip(entity: Entity, *, tags: TagSet) -> Chip:
    """The tag of an entity, with its probability."""
    return _chip(tags.entities[entity.label], entity.score)


def _tags(labels: tuple[Label, ...], used: Counter[str], *, prefix: str, language: str) -> dict[str, Tag]:
    known = known_labels(labels, used)
    styles = dict(styles_of((*labels, *(label for label in known if label not in labels)), prefix=prefix))
    return {
        label.name: Tag(
            style=styles[label],
            label=label,
            text=label_text(label, language=language),
            full=_both_names(label, language=language),
            total=used[label.name],
        )
        for label in known
    }


def styles_of(labels: tuple[Label, ...], *, prefix: str) -> Iterator[tuple[Label, str]]:
    """The labels of a scheme with their classes, which are the same on all its pages."""
    return ((label, f"{prefix}{number}") for number, label in enumerate(labels))


def _both_names(label: Label, *, language: str) -> str:
    shown = label_text(label, language=language)
    other = label.zh if shown == label.name else label.name
    return f"{shown} {other}".strip() if other != shown else shown


def _chip(tag: Tag, score: float | None) -> Chip:
    return Chip(tag=tag, tip=tag.full if score is None else f"{tag.full} {percentage(score)}")


def _row(bulletin: Bulletin, sentence: Sentence, *, anchor: str, number: int, tags: TagSet) -> Row:
    function = sentence.function
    return Row(
        anchor=f"{anchor}-{number}",
        number=number,
        text=one_line(bulletin.surface(sentence)),
        function=None if function is None else _chip(tags.functions[function], sentence.scores.get(function)),
        domains=tuple(_chip(tags.domains[name], sentence.scores.get(name)) for name in sentence.domains),
    )


def _task(directive: Directive, row: Row, *, tags: TagSet) -> Task:
    deadline = directive.deadline
    date = f" ({deadline.date})" if deadline and deadline.date else ""
    found = {
        "addressee": _said(directive.addressee),
        "deadline": _said(deadline) + date,
        "issuer": _said(directive.issuer),
        "groups": _said(*directive.groups),
        "documents": _said(*directive.documents),
    }
    return Task(
        row=row,
        action=one_line(directive.action.text),
        facts=tuple((key, value) for key, value in found.items() if value),
        domains=tuple(_chip(tags.domains[n], None) for n in directive.domains if n in tags.domains),
    )


def _said(*mentions: Mention | None) -> str:
    return "、".join(dict.fromkeys(one_line(mention.text) for mention in mentions if mention is not None))


def _sections(rows: Iterable[Row], *, tags: TagSet) -> Iterable[Section]:
    """The rows by function, in the scheme's order; at the end those that have domains alone."""
    grouped: dict[Tag | None, list[Row]] = {}
    for row in rows:
        if row.chips:
            grouped.setdefault(row.function.tag if row.function else None, []).append(row)
    order = (*tags.functions.values(), None)
    return (Section(tag=tag, rows=tuple(grouped[tag])) for tag in order if tag in grouped)


def facts_of(bulletin: Bulletin) -> tuple[str, ...]:
    """What is known of the bulletin besides its title; its id last, unless that is the title."""
    facts = tuple(value for key, value in bulletin.meta.items() if key != "title" and value)
    return (*facts, bulletin.id) if bulletin.meta.get("title") else facts
