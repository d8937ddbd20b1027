"""The ground floor: bulletins, their entities and sentences, and the labels they may bear.

Offsets are code points of the raw text, end exclusive, everywhere and always.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import read_json


@dataclass(frozen=True, slots=True)
class Entity:
    """A named span.

    Attributes:
        start: first character.
        end: one past the last character.
        label: a label of the scheme.
        score: probability of the whole span, None in gold data.
    """

    start: int
    end: int
    label: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with what it does and what it is about.

    Attributes:
        start: first character, no white space.
        end: one past the last character.
        function: a function of the scheme, None where the scheme has none.
        domains: domains in the scheme's order.
        scores: probability by function and domain, empty in gold data.
    """

    start: int
    end: int
    function: str | None = None
    domains: tuple[str, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of the text that says something.

    Attributes:
        start: first character.
        end: one past the last character.
        text: the characters.
        date: for a deadline, the last day of it in ISO form, None where the text leaves it open.
    """

    start: int
    end: int
    text: str
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Directive:
    """One demand: who wants what of whom, by when.

    Attributes:
        start: first character of the item.
        end: one past its last character.
        sentence: index of its sentence in ``Bulletin.sentences``.
        action: what is to be done.
        issuer: the meeting, body, person or document whose demand it is; it may lie in an earlier sentence.
        addressee: who is to do it.
        deadline: by when.
        domains: service domains.
        groups: whom it is for.
        documents: documents cited.
        score: probability that the sentence is a directive, None in gold data.
    """

    start: int
    end: int
    sentence: int
    action: Mention
    issuer: Mention | None = None
    addressee: Mention | None = None
    deadline: Mention | None = None
    domains: tuple[str, ...] = ()
    groups: tuple[Mention, ...] = ()
    documents: tuple[Mention, ...] = ()
    score: float | None = None

    def parts(self) -> Iterator[tuple[str, Mention]]:
        """What the directive names, with the name of the field."""
        single = {
            "action": self.action,
            "issuer": self.issuer,
            "addressee": self.addressee,
            "deadline": self.deadline,
        }
        yield from ((name, mention) for name, mention in single.items() if mention is not None)
        yield from (("groups", mention) for mention in self.groups)
        yield from (("documents", mention) for mention in self.documents)


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A text with its annotation.

    Attributes:
        id: name of the bulletin, unique in its collection.
        text: the raw text, never changed.
        entities: sorted, not overlapping.
        sentences: sorted, a partition of the text but for white space; empty where the data have none.
        meta: title, date, source and any other facts about the bulletin.
        directives: the demands, in the order of the text; empty in annotated data.
    """

    id: str
    text: str
    entities: tuple[Entity, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    meta: Mapping[str, str] = field(default_factory=dict)
    directives: tuple[Directive, ...] = ()

    def surface(self, span: Entity | Sentence | Directive) -> str:
        """The text of a span."""
        return self.text[span.start : span.end]

    def to_dict(self) -> dict[str, Any]:
        """The canonical JSON object (annotation guidelines, section 4)."""
        entities = [
            _without_none(start=e.start, end=e.end, label=e.label, score=e.score) for e in self.entities
        ]
        data = {
            "id": self.id,
            **self.meta,
            "text": self.text,
            "entities": entities,
            "sentences": [_sentence_to_dict(sentence) for sentence in self.sentences],
        }
        if self.directives:
            data["directives"] = [directive_to_dict(directive) for directive in self.directives]
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Bulletin:
        """Read a canonical JSON object; labels are not checked here, see ``faults``.

        Raises:
            DataError: a key is missing or has a value of the wrong type.
        """
        if not isinstance(data, dict):
            raise DataError(f"expected a JSON object, got {type(data).__name__}")
        text = _typed(data, "text", str)
        entities = [_entity_from_dict(entry) for entry in _typed(data, "entities", list, default=[])]
        sentences = [_sentence_from_dict(entry) for entry in _typed(data, "sentences", list, default=[])]
        directives = [directive_from_dict(entry) for entry in _typed(data, "directives", list, default=[])]
        known = ("id", "text", "entities", "sentences", "directives")
        meta = {key: value for key, value in data.items() if key not in known and isinstance(value, str)}
        return cls(
            id=_typed(data, "id", str),
            text=text,
            entities=tuple(sorted(entities, key=_position)),
            sentences=tuple(sorted(sentences, key=_position)),
            directives=tuple(sorted(directives, key=_position)),
            meta=meta,
        )


@dataclass(frozen=True, slots=True)
class Label:
    """A label with its Chinese name and its colour (``#rrggbb``) for display."""

    name: str
    zh: str
    colour: str


@dataclass(frozen=True, slots=True)
class LabelScheme:
    """The labels of a task, as data: stored in every model, named nowhere in code.

    Attributes:
        name: name of the scheme.
        entities: entity labels.
        functions: sentence functions, exactly one a sentence; may be empty.
        domains: service domains, any number a sentence; may be empty.
        functions_without_domains: functions whose sentences bear no domain.
    """

    name: str
    entities: tuple[Label, ...]
    functions: tuple[Label, ...] = ()
    domains: tuple[Label, ...] = ()
    functions_without_domains: tuple[str, ...] = ()

    @property
    def entity_names(self) -> tuple[str, ...]:
        """Names of the entity labels, in order."""
        return tuple(label.name for label in self.entities)

    @property
    def function_names(self) -> tuple[str, ...]:
        """Names of the functions, in order."""
        return tuple(label.name for label in self.functions)

    @property
    def domain_names(self) -> tuple[str, ...]:
        """Names of the domains, in order."""
        return tuple(label.name for label in self.domains)

    @property
    def labels(self) -> dict[str, Label]:
        """All labels by name."""
        return {label.name: label for label in (*self.entities, *self.functions, *self.domains)}

    @classmethod
    def from_file(cls, path: Path) -> LabelScheme:
        """Read a scheme.

        Raises:
            ZhenglingError: no such file, no JSON, a missing or doubled label.
        """
        try:
            return cls.from_dict(read_json(path))
        except DataError as error:
            raise DataError(error.message, path=path) from error

    @classmethod
    def from_dict(cls, data: Any) -> LabelScheme:
        """Read a scheme from its JSON object.

        Raises:
            DataError: a missing key, a doubled label, an unknown function.
        """
        if not isinstance(data, dict):
            raise DataError(f"expected a JSON object, got {type(data).__name__}")
        groups = {key: _labels(data, key) for key in ("entities", "functions", "domains")}
        without = tuple(_typed(data, "functions_without_domains", list, default=[]))
        scheme = cls(name=_typed(data, "name", str), functions_without_domains=without, **groups)
        names = [label.name for group in groups.values() for label in group]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise DataError(f"labels given twice: {', '.join(doubled)}")
        if not groups["entities"]:
            raise DataError("the scheme has no entity labels")
        strange = sorted(set(without) - set(scheme.function_names))
        if strange:
            raise DataError(f"functions_without_domains names no function: {', '.join(strange)}")
        return scheme

    def to_dict(self) -> dict[str, Any]:
        """The JSON object of the scheme."""
        groups = {"entities": self.entities, "functions": self.functions, "domains": self.domains}
        return {
            "name": self.name,
            **{
                key: [{"name": label.name, "zh": label.zh, "colour": label.colour} for label in group]
                for key, group in groups.items()
            },
            "functions_without_domains": list(self.functions_without_domains),
        }


def faults(bulletin: Bulletin, *, scheme: LabelScheme | None = None) -> Iterator[str]:
    """What is wrong with a bulletin's annotation, one line a fault, none if it is sound.

    Checks ranges, overlaps, white space at borders, the partition into sentences, and, given a
    scheme, that every label is known.
    """
    yield from _span_faults(bulletin, bulletin.entities, "entity")
    yield from _span_faults(bulletin, bulletin.sentences, "sentence")
    yield from _gap_faults(bulletin)
    yield from _directive_faults(bulletin)
    if scheme is not None:
        yield from _label_faults(bulletin, scheme)


def _span_faults(
    bulletin: Bulletin, spans: Iterable[Entity | Sentence | Directive], kind: str
) -> Iterator[str]:
    spans = list(spans)
    for span in spans:
        surface = bulletin.surface(span)
        place = f"{kind} [{span.start}, {span.end}) {_shorten(surface)}"
        if not 0 <= span.start < span.end <= len(bulletin.text):
            yield f"{place}: out of range, the text has {len(bulletin.text)} characters"
        elif surface != surface.strip():
            yield f"{place}: starts or ends with white space"
    for left, right in pairwise(spans):
        if right.start < left.end:
            yield (
                f"{kind} [{left.start}, {left.end}) {_shorten(bulletin.surface(left))} overlaps "
                f"[{right.start}, {right.end}) {_shorten(bulletin.surface(right))}"
            )


def _gap_faults(bulletin: Bulletin) -> Iterator[str]:
    """Text outside all sentences, where there are any."""
    if not bulletin.sentences:
        return
    borders = [0, *(edge for s in bulletin.sentences for edge in (s.start, s.end)), len(bulletin.text)]
    for start, end in zip(borders[::2], borders[1::2], strict=True):
        gap = bulletin.text[start:end]
        if gap.strip():
            yield f"text [{start}, {end}) {_shorten(gap)} belongs to no sentence"


def _directive_faults(bulletin: Bulletin) -> Iterator[str]:
    """Directives out of range or of order, and parts whose text isn't that of their place."""
    yield from _span_faults(bulletin, bulletin.directives, "directive")
    for directive in bulletin.directives:
        place = f"directive [{directive.start}, {directive.end}): "
        if not 0 <= directive.sentence < len(bulletin.sentences):
            yield f"{place}no sentence {directive.sentence}, the bulletin has {len(bulletin.sentences)}"
        for name, part in directive.parts():
            if not 0 <= part.start < part.end <= len(bulletin.text):
                yield f"{place}{name} [{part.start}, {part.end}): out of range"
            elif bulletin.text[part.start : part.end] != part.text:
                yield f"{place}{name} [{part.start}, {part.end}): {_shorten(part.text)} is not the text there"


def _label_faults(bulletin: Bulletin, scheme: LabelScheme) -> Iterator[str]:
    for entity in bulletin.entities:
        if entity.label not in scheme.entity_names:
            yield f"entity [{entity.start}, {entity.end}) {_shorten(bulletin.surface(entity))}: " + _unknown(
                "label", entity.label, scheme.entity_names
            )
    for directive in bulletin.directives:
        for domain in directive.domains:
            if domain not in scheme.domain_names:
                place = f"directive [{directive.start}, {directive.end}): "
                yield place + _unknown("domain", domain, scheme.domain_names)
    for sentence in bulletin.sentences:
        place = f"sentence [{sentence.start}, {sentence.end}) {_shorten(bulletin.surface(sentence))}: "
        if sentence.function is not None and sentence.function not in scheme.function_names:
            yield place + _unknown("function", sentence.function, scheme.function_names)
        if sentence.function is None and scheme.functions:
            yield place + "has no function"
        for domain in sentence.domains:
            if domain not in scheme.domain_names:
                yield place + _unknown("domain", domain, scheme.domain_names)
        if sentence.domains and sentence.function in scheme.functions_without_domains:
            yield place + f"a sentence with function {sentence.function} bears no domain"


def _unknown(kind: str, name: str, known: tuple[str, ...]) -> str:
    return f"unknown {kind} {name!r}, the scheme has {', '.join(known) or 'none'}"


def _shorten(surface: str, *, limit: int = 24) -> str:
    return repr(surface if len(surface) <= limit else surface[: limit - 1] + "…")


def _position(span: Entity | Sentence | Directive) -> tuple[int, int]:
    return span.start, span.end


def _without_none(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _sentence_to_dict(sentence: Sentence) -> dict[str, Any]:
    data = _without_none(start=sentence.start, end=sentence.end, function=sentence.function)
    data["domains"] = list(sentence.domains)
    if sentence.scores:
        data["scores"] = dict(sentence.scores)
    return data


def directive_to_dict(directive: Directive) -> dict[str, Any]:
    """The JSON object of a directive; parts that it lacks are absent."""
    single = {name: getattr(directive, name) for name in ("action", "issuer", "addressee", "deadline")}
    return {
        "start": directive.start,
        "end": directive.end,
        "sentence": directive.sentence,
        **{name: _mention_to_dict(mention) for name, mention in single.items() if mention is not None},
        "domains": list(directive.domains),
        "groups": [_mention_to_dict(mention) for mention in directive.groups],
        "documents": [_mention_to_dict(mention) for mention in directive.documents],
        **_without_none(score=directive.score),
    }


def directive_from_dict(data: Any) -> Directive:
    """A directive from its JSON object.

    Raises:
        DataError: a key is missing or has a value of the wrong type.
    """
    score = _typed(data, "score", (int, float), default=None)
    return Directive(
        start=_typed(data, "start", int),
        end=_typed(data, "end", int),
        sentence=_typed(data, "sentence", int),
        action=_mention_from_dict(_typed(data, "action", dict)),
        issuer=_optional_mention(data, "issuer"),
        addressee=_optional_mention(data, "addressee"),
        deadline=_optional_mention(data, "deadline"),
        domains=_strings(data, "domains"),
        groups=tuple(map(_mention_from_dict, _typed(data, "groups", list, default=[]))),
        documents=tuple(map(_mention_from_dict, _typed(data, "documents", list, default=[]))),
        score=None if score is None else float(score),
    )


def _mention_to_dict(mention: Mention) -> dict[str, Any]:
    return _without_none(start=mention.start, end=mention.end, text=mention.text, date=mention.date)


def _mention_from_dict(data: Any) -> Mention:
    return Mention(
        start=_typed(data, "start", int),
        end=_typed(data, "end", int),
        text=_typed(data, "text", str),
        date=_typed(data, "date", str, default=None),
    )


def _optional_mention(data: Any, key: str) -> Mention | None:
    found = _typed(data, key, dict, default=None)
    return None if found is None else _mention_from_dict(found)


def _strings(data: Any, key: str) -> tuple[str, ...]:
    values = _typed(data, key, list, default=[])
    if not all(isinstance(value, str) for value in values):
        raise DataError(f"key {key!r}: expected a list of strings")
    return tuple(values)


def _entity_from_dict(data: Any) -> Entity:
    score = _typed(data, "score", (int, float), default=None)
    return Entity(
        start=_typed(data, "start", int),
        end=_typed(data, "end", int),
        label=_typed(data, "label", str),
        score=None if score is None else float(score),
    )


def _sentence_from_dict(data: Any) -> Sentence:
    scores = _typed(data, "scores", dict, default={})
    for name in scores:
        _typed(scores, name, (int, float))
    return Sentence(
        start=_typed(data, "start", int),
        end=_typed(data, "end", int),
        function=_typed(data, "function", str, default=None),
        domains=_strings(data, "domains"),
        scores={str(name): float(score) for name, score in scores.items()},
    )


def _labels(data: dict[str, Any], key: str) -> tuple[Label, ...]:
    entries = _typed(data, key, list, default=[])
    return tuple(
        Label(
            name=_typed(entry, "name", str),
            zh=_typed(entry, "zh", str, default=""),
            colour=_typed(entry, "colour", str, default="#888888"),
        )
        for entry in entries
    )


_REQUIRED = object()


def _typed(data: Any, key: str, kind: type | tuple[type, ...], *, default: Any = _REQUIRED) -> Any:
    """The value of a key, checked; bool is no int here."""
    if not isinstance(data, dict):
        raise DataError(f"expected a JSON object, got {type(data).__name__}")
    value = data.get(key, default)
    if value is _REQUIRED:
        raise DataError(f"missing key {key!r}")
    if value is default:
        return value
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataError(f"key {key!r}: wrong type {type(value).__name__}")
    return value
