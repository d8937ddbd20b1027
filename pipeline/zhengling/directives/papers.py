"""What a bulletin as a whole says: its date, and for notices who issued it and to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from zhengling.directives.addressees import is_actor
from zhengling.directives.dates import full_date
from zhengling.directives.page import Page, Span, compiled, trimmed
from zhengling.directives.rules import Rules, default_rules
from zhengling.schema import Bulletin, Entity, Sentence

_HEAD = 8
_ABOUT = "关于"


@dataclass(frozen=True, slots=True)
class Paper:
    """What holds for all items.

    Attributes:
        date: the bulletin's date.
        issuer: the body whose notice it is; None for news and reports of meetings.
        addressee: whom the notice is to (``各市民政局：``).
        law: the first document that the text names, whose articles it may carry.
        author: whose speech it is: a person alone with titles in a line of the head.
    """

    date: date | None
    issuer: Span | None
    addressee: Span | None
    law: Span | None
    author: Span | None


def read_paper(bulletin: Bulletin, page: Page) -> Paper:
    """Date, issuer and addressee from metadata, title, head and signature."""
    furniture = [s for s in bulletin.sentences if s.function == page.rules.labels["furniture"]]
    day = date_of(bulletin, furniture)
    labels = page.rules.labels
    law = first_named(bulletin, page, labels["documents"])
    if not any(_is_title(page, line) for line in furniture[:_HEAD]):
        return Paper(day, None, None, law, _author(bulletin, page))
    issuer = _issuer(page, furniture) or first_named(bulletin, page, *page.rules.label_lists["body"])
    return Paper(day, issuer, _salutation(bulletin, page), law, None)


def date_of_bulletin(bulletin: Bulletin, *, rules: Rules | None = None) -> str:
    """The bulletin's date in ISO form, empty if neither its metadata nor its lines say it."""
    furniture = (rules or default_rules()).labels["furniture"]
    day = date_of(bulletin, [s for s in bulletin.sentences if s.function == furniture])
    return day.isoformat() if day else ""


def first_named(bulletin: Bulletin, page: Page, *labels: str) -> Span | None:
    """The first entity with one of the labels outside titles, headings and the like."""
    for sentence in bulletin.sentences:
        if sentence.function != page.rules.labels["furniture"]:
            named = page.entities_in(sentence.start, sentence.end, set(labels))
            if named:
                return named[0].start, named[0].end
    return None


def date_of(bulletin: Bulletin, furniture: list[Sentence]) -> date | None:
    """The date in the metadata, else the first full one in titles, source lines and signature."""
    given = full_date(bulletin.meta.get("date", ""))
    if given is not None:
        return given
    return next((day for line in furniture if (day := full_date(bulletin.surface(line)))), None)


def _is_title(page: Page, line: Sentence) -> bool:
    """Whether a line is the title of a notice: it ends with the kind of paper, or a number behind it."""
    number = r"(?:[》」”]?\s*第\w{1,5}[号期])?"
    kind = rf"{page.rules.words['paper_titles']}{number}\s*(?:[（(][^（()）]*[)）])?\s*"
    return compiled(rf"(?s).*{kind}").fullmatch(page.text, line.start, line.end) is not None


def _issuer(page: Page, furniture: list[Sentence]) -> Span | None:
    """Who stands before ``关于`` in the title, or at its start, or alone in a line at head or end."""
    title = next(line for line in furniture if _is_title(page, line))
    about = page.text.find(_ABOUT, title.start, title.end)
    if about >= 0:
        before = trimmed(page.text, title.start, about)
        if is_actor(page, *before) or page.ending_at(before[1], page.rules.label_lists["body"]):
            return before
    opening = page.starting_at(title.start, page.rules.label_lists["body"])
    if opening:
        return opening.start, opening.end
    return next((bodies for line in furniture if (bodies := _bodies_alone(page, line))), None)


def _bodies_alone(page: Page, line: Sentence) -> Span | None:
    """The bodies in a line that names nothing else but a date."""
    labels = page.rules.label_lists["body"]
    bodies = page.entities_in(line.start, line.end, labels)
    dates = page.entities_in(line.start, line.end, {page.rules.labels["deadline"]})
    if not bodies or not _is_covered(page, line, [*bodies, *dates]):
        return None
    return bodies[0].start, bodies[-1].end


def _author(bulletin: Bulletin, page: Page) -> Span | None:
    """The person in a line of the head that holds nothing else but titles and bodies."""
    rules = page.rules
    for line in bulletin.sentences[:_HEAD]:
        if line.function != rules.labels["furniture"]:
            return None
        people = page.entities_in(line.start, line.end, {rules.labels["person"]})
        titles = page.entities_in(line.start, line.end, rules.label_lists["titles"])
        if len(people) == 1 and titles and _is_covered(page, line, [*people, *titles]):
            return people[0].start, people[0].end
    return None


def _is_covered(page: Page, line: Sentence, entities: list[Entity]) -> bool:
    """Whether a line holds nothing but these entities and white space."""
    named = sum(entity.end - entity.start for entity in entities)
    blank = sum(character.isspace() for character in page.text[line.start : line.end])
    return named + blank >= line.end - line.start


def _salutation(bulletin: Bulletin, page: Page) -> Span | None:
    """Whom a notice is to: a line of the head that ends with a colon and names somebody."""
    for line in bulletin.sentences[:_HEAD]:
        if line.function != page.rules.labels["furniture"] or page.text[line.end - 1] not in "：:":
            continue
        span = trimmed(page.text, line.start, line.end)
        everyone = compiled(page.rules.words["everyone"]).match(page.flat, *span)
        if everyone or is_actor(page, *span):
            return span
    return None
