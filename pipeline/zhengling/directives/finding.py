"""Directives of a bulletin: sentences that demand, cut into items, each with its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from zhengling.directives.addressees import Addressee, find_addressee, skip_modal
from zhengling.directives.deadlines import find_deadline
from zhengling.directives.frames import Frame, find_frame
from zhengling.directives.items import body_start, split_items
from zhengling.directives.page import Page, Span, compiled, page_of
from zhengling.directives.papers import Paper, first_named, read_paper
from zhengling.directives.rules import Rules, default_rules
from zhengling.schema import Bulletin, Directive, Mention, Sentence


def find_directives(bulletin: Bulletin, *, rules: Rules | None = None) -> tuple[Directive, ...]:
    """The demands in an annotated bulletin, in the order of the text.

    Each item of a sentence that demands becomes one directive: the sentence is cut at semicolons and at the
    numbers of a list. Who demands is carried over from sentence to sentence until a report, a heading or
    another speaker follows. ``docs/directives.md`` tells the rules and their limits.

    Args:
        bulletin: with sentences and entities, gold or predicted; a date in ``meta["date"]`` is that of the
            bulletin, else the first full date in its titles, source lines and signature.
        rules: cue words and label names; those shipped for ``zh_bulletin`` by default. Where the bulletin
            bears other labels, what they stand for isn't found.
    """
    rules = rules or default_rules()
    page = page_of(bulletin, rules)
    paper = read_paper(bulletin, page)
    return tuple(_read(bulletin, page, paper))


@dataclass(slots=True)
class _Speech:
    """Who speaks at a point of the text.

    Attributes:
        hero: the first person of the body, who is meant by ``他`` where nobody has spoken.
        issuer: who demands.
        person: who spoke last.
        paper: a document demands.
    """

    hero: Span | None
    issuer: Span | None = None
    person: Span | None = None
    paper: bool = False

    def hear(self, frame: Frame, *, meant: Span | None) -> None:
        """Take over who a frame names; ``meant`` is the last person before it in its sentence."""
        if frame.issuer is None:
            return
        if frame.pronoun:
            self.person = meant or self.person or self.hero
            self.issuer, self.paper = self.person, False
            return
        self.issuer, self.paper = frame.issuer, frame.paper
        if frame.person:
            self.person = frame.issuer

    def stop(self) -> None:
        """What follows is nobody's."""
        self.issuer = None


def _read(bulletin: Bulletin, page: Page, paper: Paper) -> Iterator[Directive]:
    labels = page.rules.labels
    speech = _Speech(first_named(bulletin, page, labels["person"]))
    for index, sentence in enumerate(bulletin.sentences):
        if paper.issuer:
            speech.stop()  # a notice speaks for who issued it, but in a sentence that names another
        if sentence.function == labels["directive"]:
            if compiled(page.rules.article).match(page.text, sentence.start):
                speech.issuer = paper.law
            yield from _items(page, paper, speech, index=index, sentence=sentence)
            continue
        frame = _hear(page, speech, sentence.start, sentence.end)
        ends = {labels["report"], labels["furniture"]}
        if sentence.function in ends and not frame and not _is_caption(page, sentence):
            speech.stop()
        if sentence.function == labels["context"] and speech.paper and not frame:
            speech.stop()


def _hear(page: Page, speech: _Speech, start: int, end: int) -> Frame | None:
    """The frame of a stretch of text, if it has one, taken over by the speech."""
    frame = find_frame(page, start, end)
    if frame and frame.issuer:
        people = page.entities_in(start, frame.issuer[0], {page.rules.labels["person"]})
        speech.hear(frame, meant=(people[-1].start, people[-1].end) if people else None)
    return frame


def _is_caption(page: Page, sentence: Sentence) -> bool:
    """Whether a sentence is a photograph's caption, which stands between two halves of a speech."""
    furniture = sentence.function == page.rules.labels["furniture"]
    words = page.text[sentence.start : sentence.end]
    return furniture and compiled(page.rules.words["captions"]).search(words) is not None


def _items(
    page: Page, paper: Paper, speech: _Speech, *, index: int, sentence: Sentence
) -> Iterator[Directive]:
    lead, items = split_items(page, sentence.start, sentence.end)
    before: Addressee | None = None
    if lead:
        _, before = _parts(page, speech, *lead)
    for start, end in items:
        body, addressee = _parts(page, speech, body_start(page, start, end), end)
        known = addressee or before
        named = known.span if known else paper.addressee
        before = before if lead else known
        yield Directive(
            start=start,
            end=end,
            sentence=index,
            action=_mention(page, (_action_start(page, body, end, addressee), end)),
            issuer=_optional(page, speech.issuer or paper.issuer or paper.author),
            addressee=_optional(page, named),
            deadline=find_deadline(page, start, end, reference=paper.date),
            domains=sentence.domains,
            groups=_named(page, start, end, "groups"),
            documents=_named(page, start, end, "documents", but=speech.issuer),
            score=sentence.scores.get(page.rules.labels["directive"]),
        )


def _parts(page: Page, speech: _Speech, start: int, end: int) -> tuple[int, Addressee | None]:
    """Where an item's words begin behind their introduction, and who is to act."""
    frame = _hear(page, speech, start, end)
    if frame and frame.body >= end:
        return start, None
    body = frame.body if frame else start
    addressee = find_addressee(page, body, end, asked=bool(frame and frame.asked))
    hearsay = compiled(page.rules.words["hearsay"]).match(page.flat, body, end)
    if not frame and (hearsay or (addressee and addressee.plan)):
        speech.stop()
    return body, addressee


def _action_start(page: Page, body: int, end: int, addressee: Addressee | None) -> int:
    """Behind whoever is to act, if the words begin with them, or behind a modal verb that is not all."""
    if addressee and addressee.action < end and not _says_more(page, body, addressee.span[0]):
        return addressee.action
    start = skip_modal(page, body, end)
    return start if start < end else body


def _says_more(page: Page, start: int, end: int) -> bool:
    """Whether there is more than ``下一步，`` and the like in a stretch."""
    words = page.rules.words
    empty = compiled(rf"(?:{words['leads']}|{words['agents']}|[\s，,：:])*")
    return empty.fullmatch(page.flat, start, end) is None


def _mention(page: Page, span: Span) -> Mention:
    return Mention(*span, page.text[slice(*span)])


def _optional(page: Page, span: Span | None) -> Mention | None:
    return None if span is None else _mention(page, span)


def _named(page: Page, start: int, end: int, role: str, *, but: Span | None = None) -> tuple[Mention, ...]:
    """What an item names of a role, each place once, the issuer left out."""
    spans = [(found.start, found.end) for found in page.entities_in(start, end, {page.rules.labels[role]})]
    return tuple(_mention(page, span) for span in spans if span != but)
