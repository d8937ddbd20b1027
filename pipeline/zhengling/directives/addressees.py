"""Who is to do it: the subject of ``要``, ``应``, ``不得``, or the object of ``要求``."""

from __future__ import annotations

from dataclasses import dataclass

from zhengling.directives.frames import skip_leads
from zhengling.directives.page import Page, Span, compiled, trimmed

_LONGEST = 60
_SHORT = 36
_JOINTS = "、和及与"


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is to do it.

    Attributes:
        span: the words that name them.
        action: where the words behind them and their modal verb begin.
        plan: the verb says what they will do (``将``), not what they must.
    """

    span: Span
    action: int
    plan: bool = False


def find_addressee(page: Page, start: int, end: int, *, asked: bool) -> Addressee | None:
    """The first who is named as the one to act.

    Args:
        page: the bulletin.
        start: first character of the item's words, behind its introduction.
        end: one past its last character.
        asked: the words follow a verb that takes whom it asks as its object (``要求各地……``).
    """
    clauses = list(page.clauses(start, end))
    if asked and clauses:
        if found := _before_verb(page, *clauses[0]):
            return found
        if found := _named_at(page, clauses[0][0], within=clauses[0][1]):
            return found
        if is_actor(page, *clauses[0]):
            return Addressee(clauses[0], clauses[1][0] if len(clauses) > 1 else end)
    for finder in (_before_modal, _before_verb_by_name):
        for clause in clauses:
            if found := finder(page, *clause):
                return found
    opening = next((clause for clause in clauses if not _is_date(page, *clause)), None)
    if opening and (found := _before_verb_at_start(page, *opening)):
        return found
    return next((found for clause in clauses if (found := _agent(page, *clause))), None)


def skip_modal(page: Page, start: int, end: int) -> int:
    """Where the words begin behind a modal verb that only says that they are a demand."""
    words = page.rules.words
    if compiled(f"{words['not_modals']}|{words['plans']}").match(page.flat, start, end):
        return start
    modal = compiled(rf"{words['modal_adverbs']}*(?!{words['plans']}){words['bare_modals']}")
    found = modal.match(page.flat, start, end)
    return found.end() if found else start


def is_actor(page: Page, start: int, end: int) -> bool:
    """Whether words name somebody who can act: they end with a name or with a word for a body or people."""
    rules = page.rules
    phrase = compiled(f"(?!{rules.words['not_prepositions']}){rules.words['prepositions']}")
    if not 0 < end - start <= _LONGEST or phrase.match(page.flat, start, end):
        return False
    if compiled(rules.words["agents"]).search(page.flat, start, end):
        return False
    if page.ending_at(end, rules.label_lists["addressees"]):
        return True
    bare = page.flat[start:end].rstrip("\0")
    if compiled(rf".*{rules.words['not_actors']}").fullmatch(bare):
        return False
    actor = rf".*(?:{rules.words['actors']}|{rules.words['short_actors']})"
    return compiled(actor).fullmatch(bare) is not None


def _before_modal(page: Page, start: int, end: int) -> Addressee | None:
    words = page.rules.words
    start = skip_leads(page, start, end)
    modal = compiled(rf"{words['not_modals']}|(?P<modal>(?P<bare>{words['bare_modals']})|{words['modals']})")
    for found in modal.finditer(page.flat, start, end):
        if found["modal"] is None:
            continue
        span = _subject(page, start, found.start())
        if not is_actor(page, *span):
            continue
        plan = compiled(words["plans"]).fullmatch(page.flat, *found.span()) is not None
        action = found.end() if found["bare"] else found.start()
        return Addressee(span, span[1] if _is_cut(page, span[1]) else action, plan)
    return None


def _is_cut(page: Page, end: int) -> bool:
    """Whether more than adverbs stands between a subject and its modal verb: the action begins there."""
    return compiled(page.rules.words["subject_ends"]).match(page.flat, end) is not None


def _subject(page: Page, start: int, end: int) -> Span:
    """The subject before a modal verb, without a date before and adverbs behind."""
    adverbs = compiled(rf"(?:{page.rules.words['modal_adverbs']}|\s)+\Z")
    first = max(start, end - _LONGEST)
    tail = adverbs.search(page.flat, first, end)
    end = tail.start() if tail else end
    dates = page.entities_in(first, end, {page.rules.labels["deadline"]})
    phrase = compiled(page.rules.words["prepositions"]).match(page.flat, start, end)
    if dates and not (phrase and dates[0].start > phrase.end()):
        start = dates[-1].end
    for cut in compiled(page.rules.words["subject_ends"]).finditer(page.flat, start, end):
        if not _inside_name(page, cut.start()) and is_actor(page, start, cut.start()):
            end = cut.start()
            break
    return trimmed(page.text, start, end)


def _before_verb(page: Page, start: int, end: int) -> Addressee | None:
    """Whoever stands before the first word with which an action may begin, or before a date."""
    end = min(end, start + _LONGEST)
    verbs = [verb.start() for verb in compiled(page.rules.words["until"]).finditer(page.flat, start, end)]
    dates = [found.start for found in page.entities_in(start, end, {page.rules.labels["deadline"]})]
    for place in sorted((*verbs, *dates)):
        joined = page.text[place - 1] in _JOINTS
        if not joined and not _inside_name(page, place) and is_actor(page, start, place):
            return Addressee((start, place), skip_modal(page, place, end))
    return None


def _inside_name(page: Page, place: int) -> bool:
    names = page.entities_in(max(0, place - _LONGEST), place + _LONGEST, page.rules.label_lists["addressees"])
    return any(name.start < place < name.end for name in names)


def _before_verb_by_name(page: Page, start: int, end: int) -> Addressee | None:
    """A body, a place or ``各……`` at the start of a clause without a modal verb."""
    start = skip_leads(page, start, end)
    rules = page.rules
    named = page.starting_at(start, rules.label_lists["addressees"])
    if named or compiled(rules.words["everyone"]).match(page.flat, start, end):
        found = _before_verb(page, start, end)
        return found or _body_at(page, start, end)
    return None


def _body_at(page: Page, start: int, end: int) -> Addressee | None:
    """A named body at the start of a clause, whatever it does."""
    body = page.starting_at(start, page.rules.label_lists["body"])
    if body is None or body.end >= end or page.text[body.end] in f"{_JOINTS}的等":
        return None
    return Addressee((body.start, body.end), body.end)


def _before_verb_at_start(page: Page, start: int, end: int) -> Addressee | None:
    """A class of bodies that opens an item without a modal verb: ``救助管理机构对……先体检后入站``."""
    words = page.rules.words
    start = skip_leads(page, start, end)
    verb = compiled(f"{words['until']}|{words['modals']}|{words['openers']}")
    if verb.match(page.flat, start, end):
        return None
    found = _before_verb(page, start, min(end, start + _SHORT))
    if found is None or page.ending_at(found.span[1], {page.rules.labels["groups"]}):
        return None
    bare = page.flat[slice(*found.span)].rstrip("\0")
    body = compiled(rf"[^未已]*{words['actors']}").fullmatch(bare)
    return found if body or page.ending_at(found.span[1], page.rules.label_lists["body"]) else None


def _agent(page: Page, start: int, end: int) -> Addressee | None:
    """Whoever stands behind ``由``."""
    words = page.rules.words
    start = skip_leads(page, start, end)
    if compiled(words["penalties"]).match(page.flat, start, end):
        return None
    for agent in compiled(rf"{words['not_agents']}|(?P<agent>{words['agents']})").finditer(
        page.flat, start, end
    ):
        if agent["agent"] is None:
            continue
        found = _before_verb(page, agent.end(), end) or _named_at(page, agent.end(), within=end)
        if found and not compiled(words["changes"]).match(page.flat, found.span[1], end):
            return Addressee(found.span, found.action if agent.start() == start else start)
    return None


def _is_date(page: Page, start: int, end: int) -> bool:
    """Whether a clause says when and nothing else."""
    dates = page.entities_in(start, end, {page.rules.labels["deadline"]})
    return bool(dates) and dates[0].start - start <= 1 and end - dates[-1].end <= 1


def _named_at(page: Page, start: int, *, within: int) -> Addressee | None:
    """A name at a place, or the shortest words for a class of bodies, whatever follows."""
    named = page.starting_at(start, page.rules.label_lists["addressees"])
    if named:
        return Addressee((named.start, named.end), named.end)
    found = compiled(rf"[^，,。；;]{{0,16}}?{page.rules.words['actors']}").match(page.flat, start, within)
    return Addressee(found.span(), found.end()) if found and is_actor(page, *found.span()) else None
