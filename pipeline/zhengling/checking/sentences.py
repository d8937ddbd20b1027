"""Sentences against the cue words of functions and domains."""

from __future__ import annotations

import re
from collections.abc import Iterator

from zhengling.checking.findings import Item, Note
from zhengling.checking.plain import Plain, plain_sentences
from zhengling.checking.rules import DomainCue, FunctionCue, Rules
from zhengling.schema import LabelScheme, Sentence


def check_sentences(item: Item, rules: Rules, *, scheme: LabelScheme) -> Iterator[Note]:
    """Sentences whose function or domains don't go with their words."""
    for piece in plain_sentences(item.bulletin):
        if piece.sentence is None:
            continue
        for function in rules.functions:
            yield from _function_note(item, piece, piece.sentence, function)
        if piece.sentence.function not in scheme.functions_without_domains:
            for domain in rules.domains:
                yield from _domain_note(item, piece, piece.sentence, domain, names=rules.names)


def _function_note(item: Item, piece: Plain, sentence: Sentence, rule: FunctionCue) -> Iterator[Note]:
    if sentence.function not in rule.functions:
        return
    if rule.unless is not None and rule.unless.search(piece.text):
        return
    match = rule.cues.search(piece.text)
    facts: dict[str, object] = {"function": sentence.function}
    if match is None and not rule.present:
        yield Note("missing-cue", item, sentence.start, sentence.end, facts, rule.suggests)
    elif match is not None and rule.present:
        start, end = piece.span(match)
        yield Note("foreign-cue", item, start, end, {**facts, "cue": match[0]}, rule.suggests)


def _domain_note(
    item: Item, piece: Plain, sentence: Sentence, rule: DomainCue, *, names: tuple[str, ...]
) -> Iterator[Note]:
    """A note at the first cue, once a sentence."""
    if rule.domain in sentence.domains:
        return
    bodies = [e for e in item.bulletin.entities if e.label in names]
    for match in cues(piece.text, rule):
        start, end = piece.span(match)
        if not any(body.start <= start and end <= body.end for body in bodies):
            facts: dict[str, object] = {"cue": match[0], "domain": rule.domain}
            yield Note("missing-domain", item, start, end, facts, rule.domain)
            return


def cues(text: str, rule: DomainCue) -> Iterator[re.Match[str]]:
    """The cues of a domain that lie within no exception."""
    exceptions = [] if rule.exceptions is None else [m.span() for m in rule.exceptions.finditer(text)]
    for match in rule.cues.finditer(text):
        if not any(start <= match.start() and match.end() <= end for start, end in exceptions):
            yield match
