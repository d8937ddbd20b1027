"""Rows of a ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote

from zhengling.directives import date_of_bulletin
from zhengling.report.spans import one_line
from zhengling.report.wording import label_text
from zhengling.schema import Bulletin, Directive, LabelScheme


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing demanded, in words.

    Attributes:
        source: title of the bulletin, else its id.
        date: date of the bulletin in ISO form, empty if unknown.
        issuer: who demands.
        addressee: who is to do it.
        item: what is to be done.
        domains: names of the service domains.
        groups: whom it is for, each once.
        deadline: by when, in the words of the text.
        due: the last day in ISO form, empty where the text leaves it open.
        documents: documents cited, each once.
        confidence: probability that the sentence is a directive, None if unknown.
        sentence: the whole sentence.
        link: file and characters of the item, as in RFC 5147: ``notice.txt#char=120,160``.
        file: the file that the text is from, empty if none.
    """

    source: str
    date: str
    issuer: str
    addressee: str
    item: str
    domains: tuple[str, ...]
    groups: tuple[str, ...]
    deadline: str
    due: str
    documents: tuple[str, ...]
    confidence: float | None
    sentence: str
    link: str
    file: str


def entries(
    bulletins: Iterable[Bulletin],
    *,
    scheme: LabelScheme,
    language: str,
    places: Mapping[str, str] | None = None,
) -> Iterator[Entry]:
    """The directives of bulletins as rows, one bulletin at a time.

    Args:
        bulletins: with their directives.
        scheme: for the names of domains.
        language: of these names.
        places: file by the bulletin's id; it may grow while bulletins are consumed.
    """
    labels = scheme.labels
    names = {name: label_text(labels[name], language=language) for name in scheme.domain_names}
    for bulletin in bulletins:
        place = (places or {}).get(bulletin.id, "")
        date = date_of_bulletin(bulletin)
        for directive in bulletin.directives:
            yield _entry(bulletin, directive, date=date, place=place, names=names)


def _entry(
    bulletin: Bulletin, directive: Directive, *, date: str, place: str, names: Mapping[str, str]
) -> Entry:
    sentence = bulletin.sentences[directive.sentence]
    deadline = directive.deadline
    return Entry(
        source=one_line(bulletin.meta.get("title") or bulletin.id),
        date=date,
        issuer=one_line(directive.issuer.text) if directive.issuer else "",
        addressee=one_line(directive.addressee.text) if directive.addressee else "",
        item=one_line(directive.action.text),
        domains=tuple(names.get(domain, domain) for domain in directive.domains),
        groups=_distinct(mention.text for mention in directive.groups),
        deadline=one_line(deadline.text) if deadline else "",
        due=(deadline.date if deadline else None) or "",
        documents=_distinct(mention.text for mention in directive.documents),
        confidence=directive.score,
        sentence=one_line(bulletin.surface(sentence)),
        link=f"{_name(place) or bulletin.id}#char={directive.start},{directive.end}",
        file=place,
    )


def _name(place: str) -> str:
    """A file's name for the link, its folders left out."""
    return quote(PurePath(place).name, safe="") if place not in ("", "-") else ""


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(one_line, words)))
