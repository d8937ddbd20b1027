"""Rules of a check, as data: which words, patterns and labels it looks at.

Patterns and cues are matched against one sentence at a time as ``zhengling.checking.plain`` shows it:
without white space, full-width letters, digits and punctuation as half-width ones. A pattern may be a list
of which any matches, and ``@{name}`` in it stands for an entry of ``definitions``. Every part may be left
out; what is left out is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from zhengling.checking.nodes import Node
from zhengling.checking.wording import KINDS
from zhengling.errors import DataError, ZhenglingError
from zhengling.formats.sources import parse_json, read_text
from zhengling.schema import LabelScheme

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Borders:
    """What may stand at the borders of a span.

    Attributes:
        punctuation: characters that neither start nor end a span.
        pairs: opening and closing marks, two characters each.
        enclosing: by label the pairs that may enclose a whole span.
        belonging: by label the pairs that belong to the span when they enclose it.
        within_sentence: spans lie within one sentence.
    """

    punctuation: str = ""
    pairs: tuple[str, ...] = ()
    enclosing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    belonging: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    within_sentence: bool = False


@dataclass(frozen=True, slots=True)
class Continuation:
    """Text beside a span that shows that the name goes on.

    Attributes:
        labels: of spans.
        after: what stands right behind the span; and
        before: what stands right before it; either of them may be None.
        unless: spans whose text this matches are left alone.
        becomes: label of the longer name.
    """

    labels: tuple[str, ...]
    after: Pattern | None
    before: Pattern | None
    unless: Pattern | None
    becomes: str


@dataclass(frozen=True, slots=True)
class Shape:
    """What spans of a label don't look like.

    Attributes:
        labels: of spans.
        pattern: the fault; looked for in the span's text.
        becomes: label of such spans, empty if it is their borders that are wrong.
    """

    labels: tuple[str, ...]
    pattern: Pattern
    becomes: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Text that some span should cover.

    Attributes:
        label: of that span.
        pattern: the text.
        unless: no such text when this matches there and is at least as long.
    """

    label: str
    pattern: Pattern
    unless: Pattern | None


@dataclass(frozen=True, slots=True)
class FunctionCue:
    """Words that a sentence of a function should, or should not, have.

    Attributes:
        functions: of the sentences.
        present: whether the words are a fault, or their absence is.
        cues: the words.
        unless: sentences that this matches are left alone.
        suggests: another function.
    """

    functions: tuple[str, ...]
    present: bool
    cues: Pattern
    unless: Pattern | None
    suggests: str


@dataclass(frozen=True, slots=True)
class DomainCue:
    """Words that raise a domain.

    Attributes:
        domain: the domain.
        cues: the words.
        exceptions: longer words within which a cue counts for nothing.
    """

    domain: str
    cues: Pattern
    exceptions: Pattern | None


@dataclass(frozen=True, slots=True)
class Consistency:
    """When a string counts as annotated by rule.

    Attributes:
        min_count: so often with one label,
        min_share: which is so large a part of its occurrences, 0.5 to 1.
        min_length: shorter strings are not looked at.
        unless: strings that mean several things.
        longer: longer words; a string within one is another word.
    """

    min_count: int
    min_share: float
    min_length: int
    unless: Pattern | None
    longer: Pattern | None


@dataclass(frozen=True, slots=True)
class Duplicates:
    """When two texts are near-duplicates.

    Attributes:
        ngram: characters of the pieces compared.
        min_share: share of the pieces of the text with fewer pieces that the other one has too.
        common: pieces that more texts share are set phrases and count for nothing.
    """

    ngram: int
    min_share: float
    common: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """When a label is more or less frequent in one input than in the others.

    Attributes:
        min_ratio: of the smoothed shares, the larger by the smaller.
        min_chi2: chi-square of the table of two, one degree of freedom (10.83: p = 0.001).
    """

    min_ratio: float
    min_chi2: float


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a check; none by default.

    Attributes:
        name: name of the rules.
        borders: of spans.
        continuations: of names.
        shapes: of spans.
        coverage: text to be annotated.
        functions: cues of functions.
        domains: cues of domains.
        names: labels of spans in which a cue raises no domain.
        consistency: of strings, None to leave it.
        duplicates: among bulletins, None to leave them.
        distribution: among inputs, None to leave it.
        severities: by kind, where it isn't the usual one.
    """

    name: str = "none"
    borders: Borders = field(default_factory=Borders)
    continuations: tuple[Continuation, ...] = ()
    shapes: tuple[Shape, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    functions: tuple[FunctionCue, ...] = ()
    domains: tuple[DomainCue, ...] = ()
    names: tuple[str, ...] = ()
    consistency: Consistency | None = None
    duplicates: Duplicates | None = None
    distribution: Distribution | None = None
    severities: Mapping[str, Literal["error", "warning"]] = field(default_factory=dict)

    @classmethod
    def from_file(cls, path: Path, *, scheme: LabelScheme) -> Rules:
        """Read rules that are meant for a label scheme.

        Raises:
            ZhenglingError: the file can't be read, or breaks a rule; the message names the key.
        """
        try:
            return cls.from_dict(parse_json(read_text(path)), scheme=scheme)
        except DataError as error:
            raise ZhenglingError(f"rules {path}: {error.message}") from error

    @classmethod
    def from_dict(cls, data: Any, *, scheme: LabelScheme) -> Rules:
        """Read rules from their JSON object.

        Raises:
            DataError: a key is missing, unknown or of the wrong type, a pattern is broken, or a label
                isn't in the scheme.
        """
        if not isinstance(data, dict):
            raise DataError(f"expected a JSON object, got {type(data).__name__}")
        top = Node(data, definitions=_definitions(Node(data)))
        top.allow(
            "name", "notes", "definitions", *(name for name in cls.__dataclass_fields__ if name != "name")
        )
        return cls(
            name=top.text("name"),
            borders=_borders(top.node("borders"), scheme),
            continuations=tuple(_continuation(node, scheme) for node in top.nodes("continuations")),
            shapes=tuple(_shape(node, scheme) for node in top.nodes("shapes")),
            coverage=tuple(_coverage(node, scheme) for node in top.nodes("coverage")),
            functions=tuple(_function(node, scheme) for node in top.nodes("functions")),
            domains=tuple(_domain(name, node, scheme) for name, node in top.members("domains")),
            names=top.names("names", scheme.entity_names),
            consistency=_consistency(top.node("consistency")),
            duplicates=_duplicates(top.node("duplicates")),
            distribution=_distribution(top.node("distribution")),
            severities=_severities(top.node("severities")),
        )


def _definitions(top: Node) -> Mapping[str, str]:
    node = top.node("definitions")
    if node is None:
        return {}
    done: dict[str, str] = {}
    for name in node.data:
        parts = Node(node.data, node.key, done).pattern(name)
        done[name] = "" if parts is None else parts.pattern
    return done


def _borders(node: Node | None, scheme: LabelScheme) -> Borders:
    if node is None:
        return Borders()
    node.allow("punctuation", "pairs", "enclosing", "belonging", "within_sentence")
    pairs = node.texts("pairs")
    for pair in pairs:
        if len(pair) != 2:
            raise DataError(f"key 'borders.pairs': {pair!r} is not an opening and a closing mark")
    return Borders(
        punctuation=node.text("punctuation", default=""),
        pairs=pairs,
        enclosing=_pairs(node.node("enclosing"), pairs, scheme),
        belonging=_pairs(node.node("belonging"), pairs, scheme),
        within_sentence=node.flag("within_sentence"),
    )


def _pairs(node: Node | None, pairs: Iterable[str], scheme: LabelScheme) -> dict[str, tuple[str, ...]]:
    if node is None:
        return {}
    node.allow(*scheme.entity_names)
    return {label: node.names(label, tuple(pairs)) for label in node.data}


def _continuation(node: Node, scheme: LabelScheme) -> Continuation:
    node.allow("labels", "after", "before", "unless", "becomes")
    after, before = node.pattern("after"), node.pattern("before")
    if after is None and before is None:
        raise DataError(f"key {node.key!r}: neither 'after' nor 'before'")
    # Looks back from the start of a span, so the pattern must end there.
    ending = None if before is None else re.compile(f"(?:{before.pattern})$")
    labels = node.names("labels", scheme.entity_names)
    becomes = _optional(node, "becomes", scheme.entity_names)
    return Continuation(labels, after, ending, node.pattern("unless"), becomes)


def _shape(node: Node, scheme: LabelScheme) -> Shape:
    node.allow("labels", "pattern", "becomes")
    labels = node.names("labels", scheme.entity_names)
    return Shape(labels, node.needed_pattern("pattern"), _optional(node, "becomes", scheme.entity_names))


def _coverage(node: Node, scheme: LabelScheme) -> Coverage:
    node.allow("label", "pattern", "unless")
    return Coverage(
        _one(node, "label", scheme.entity_names), node.needed_pattern("pattern"), node.pattern("unless")
    )


def _function(node: Node, scheme: LabelScheme) -> FunctionCue:
    node.allow("functions", "cues", "without", "unless", "suggests")
    if ("cues" in node.data) == ("without" in node.data):
        raise DataError(f"key {node.key!r}: expected either 'cues' (a fault) or 'without' (needed words)")
    present = "cues" in node.data
    return FunctionCue(
        node.names("functions", scheme.function_names),
        present,
        node.needed_pattern("cues" if present else "without"),
        node.pattern("unless"),
        _optional(node, "suggests", scheme.function_names),
    )


def _domain(name: str, node: Node, scheme: LabelScheme) -> DomainCue:
    node.allow("cues", "exceptions")
    if name not in scheme.domain_names:
        raise DataError(f"key {node.key!r}: unknown domain, there are {', '.join(scheme.domain_names)}")
    return DomainCue(name, node.needed_pattern("cues"), node.pattern("exceptions"))


def _consistency(node: Node | None) -> Consistency | None:
    if node is None:
        return None
    node.allow("min_count", "min_share", "min_length", "unless", "longer")
    return Consistency(
        min_count=node.count("min_count", low=1),
        min_share=node.number("min_share", low=0.5, high=1),
        min_length=node.count("min_length", low=1),
        unless=node.pattern("unless"),
        longer=node.pattern("longer"),
    )


def _duplicates(node: Node | None) -> Duplicates | None:
    if node is None:
        return None
    node.allow("ngram", "min_share", "common")
    return Duplicates(
        ngram=node.count("ngram", low=1),
        min_share=node.number("min_share", low=0.05, high=1),
        common=node.count("common", low=2),
    )


def _distribution(node: Node | None) -> Distribution | None:
    if node is None:
        return None
    node.allow("min_ratio", "min_chi2")
    return Distribution(node.number("min_ratio", low=1), node.number("min_chi2", low=0))


def _severities(node: Node | None) -> dict[str, Literal["error", "warning"]]:
    if node is None:
        return {}
    node.allow(*KINDS)
    return {kind: cast("Any", _one(node, kind, ("error", "warning"))) for kind in node.data}


def _one(node: Node, key: str, known: tuple[str, ...]) -> str:
    node.text(key)
    return node.names(key, known)[0]


def _optional(node: Node, key: str, known: tuple[str, ...]) -> str:
    return _one(node, key, known) if key in node.data else ""
