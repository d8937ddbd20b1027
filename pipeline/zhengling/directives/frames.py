"""Who demands: the words that introduce a demand, such as ``会议要求，``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zhengling.directives.page import Page, Span, compiled
from zhengling.schema import Entity

_AFTER_VERB = r"[，,：:\s“\"]*"
_LONGEST_GAP = 24
_LONGEST_SPEAKER = 24


@dataclass(frozen=True, slots=True)
class Frame:
    """The introduction of a demand or a statement.

    Attributes:
        issuer: the words that name who speaks; None where only a verb (``希望…``) says that he goes on.
        pronoun: the words are ``他`` or ``她``.
        person: the words name a person.
        paper: the words name a document.
        demand: the verb demands, and doesn't just state.
        body: where the words introduced begin.
        asked: the verb is followed by whom it asks (``要求各地…``), without a comma.
    """

    issuer: Span | None
    pronoun: bool
    person: bool
    paper: bool
    demand: bool
    body: int
    asked: bool


@dataclass(frozen=True, slots=True)
class _Subject:
    span: Span
    pronoun: bool = False
    person: bool = False
    paper: bool = False


def find_frame(page: Page, start: int, end: int) -> Frame | None:
    """The last introduction in a stretch of text: of several demands in a sentence the last one wins.

    Args:
        page: the bulletin.
        start: first character of the sentence or item.
        end: one past its last character.
    """
    words = page.rules.words
    subject = _speaker(page, start, end)
    found = (
        _frame(subject, demand=False, body=_body(page, subject.span[1], end), asked=False)
        if subject
        else None
    )
    verbs = compiled(f"{words['not_verbs']}|(?P<verb>(?P<demand>{words['demands']})|{words['statements']})")
    for verb in verbs.finditer(page.flat, start, end):
        if verb["verb"] is None:
            continue
        begin = page.clause_start(start, verb.start())
        body = _body(page, verb.end(), end)
        direct = body == verb.end()
        if verb["demand"] is None and direct:
            continue
        named = _subject_before(page, begin, verb.start())
        first = subject or _first_named(page, start, begin)
        if named is None and not _opens(page, begin, verb.span(), direct=direct, follows=first is not None):
            continue
        subject = named or first
        found = _frame(subject, demand=verb["demand"] is not None, body=body, asked=direct)
    return found


def _speaker(page: Page, start: int, end: int) -> _Subject | None:
    """Who speaks in a transcript: a person's name and a colon at the start."""
    start = skip_leads(page, start, end)
    while start < end and not page.text[start].isalnum():
        start += 1
    person = page.starting_at(start, {page.rules.labels["person"]})
    if person and page.text[person.end : person.end + 1] in ("：", ":"):
        return _entity(page, person)
    return None


def _body(page: Page, place: int, end: int) -> int:
    """Where the words begin behind a verb and its comma or colon."""
    after = compiled(_AFTER_VERB).match(page.flat, place, end)
    return after.end() if after else place


def _frame(subject: _Subject | None, *, demand: bool, body: int, asked: bool) -> Frame:
    if subject is None:
        return Frame(None, False, False, False, demand, body, asked)
    return Frame(subject.span, subject.pronoun, subject.person, subject.paper, demand, body, asked)


def _opens(page: Page, begin: int, verb: Span, *, direct: bool, follows: bool) -> bool:
    """Whether the verb opens its clause and can pass a demand on by itself, or that of a name before it."""
    words = page.rules.words
    if not compiled(rf"(?:{words['leads']}|{words['between']})*").fullmatch(page.flat, begin, verb[0]):
        return False
    if direct:
        return compiled(words["openers"]).fullmatch(page.flat, *verb) is not None
    return follows and compiled(words["relays"]).fullmatch(page.flat, *verb) is not None


def _subject_before(page: Page, begin: int, verb: int) -> _Subject | None:
    """Who stands before a verb in its clause, with nothing but adverbs between."""
    words = page.rules.words
    begin = skip_leads(page, begin, verb)
    gap = compiled(_gap(page))
    quoted = compiled(words["references"])
    for subject in _candidates(page, begin, verb):
        if quoted.search(page.flat, begin, subject.span[0]):
            continue
        if verb - subject.span[1] <= _LONGEST_GAP and gap.fullmatch(page.flat, subject.span[1], verb):
            return subject
    named = compiled(rf"[^\0\s]{{0,{_LONGEST_SPEAKER}}}?{words['speakers']}(?={gap.pattern}\Z)")
    found = None if compiled(words["agents"]).match(page.flat, begin) else named.match(page.flat, begin, verb)
    return _Subject(found.span()) if found else None


def _candidates(page: Page, begin: int, verb: int) -> Iterator[_Subject]:
    """Named issuers in a clause, the last first; a name before a word that means the same kind."""
    rules = page.rules
    named = [
        *(_entity(page, entity) for entity in page.entities_in(begin, verb, rules.label_lists["issuers"])),
        *(
            _word(page, found.span())
            for found in compiled(rules.words["issuers"]).finditer(page.flat, begin, verb)
        ),
    ]
    pronoun = compiled(rules.words["pronouns"]).match(page.flat, begin, verb)
    if pronoun:
        named.append(_Subject(pronoun.span(), pronoun=True, person=True))
    yield from sorted(named, key=lambda subject: (-subject.span[1], subject.span[0]))


def _entity(page: Page, entity: Entity) -> _Subject:
    labels = page.rules.labels
    first = entity
    while before := page.ending_at(first.start - 1, {entity.label}):
        if page.text[first.start - 1] not in "、和":
            break
        first = before
    return _Subject(
        (first.start, entity.end),
        person=entity.label == labels["person"],
        paper=entity.label == labels["documents"],
    )


def _word(page: Page, span: Span) -> _Subject:
    return _Subject(span, paper=compiled(page.rules.words["papers"]).fullmatch(page.flat, *span) is not None)


def _first_named(page: Page, begin: int, end: int) -> _Subject | None:
    """The first name in a stretch, or the person that a chain of body and titles leads to."""
    rules = page.rules
    word = compiled(rules.words["issuers"]).match(page.flat, skip_leads(page, begin, end), end)
    if word:
        return _word(page, word.span())
    found = page.entities_in(begin, end, rules.label_lists["issuers"] | rules.label_lists["titles"])
    for place, entity in enumerate(found):
        if entity.label not in rules.label_lists["issuers"]:
            continue
        chain = entity
        for following in found[place + 1 :]:
            between = page.text[chain.end : following.start].strip()
            if chain.label not in rules.label_lists["titles"] or between not in ("", "、"):
                break
            chain = following
        return _entity(page, chain if chain.label == rules.labels["person"] else entity)
    return None


def skip_leads(page: Page, begin: int, end: int) -> int:
    """Where a clause begins behind ``同时``, ``下一步``, a date and the like."""
    leads = compiled(rf"(?:\s|[“\"]|{page.rules.words['leads']})+")
    while begin < end:
        lead = leads.match(page.flat, begin, end)
        date = page.starting_at(begin, {page.rules.labels["deadline"]})
        after = date.end if date else lead.end() if lead else begin
        if after == begin or after > end:
            break
        begin = after
    return begin


def _gap(page: Page) -> str:
    """What may stand between who speaks and the verb: adverbs, ``在……中``, ``就……``."""
    words = page.rules.words
    around = r"[在就对][^，,]{1,16}?"
    return rf"(?:{words['between']}|{around}|\s)*"
