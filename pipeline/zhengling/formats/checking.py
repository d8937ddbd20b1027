"""Checks on bulletins as read and as written; and what a lenient reader leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from zhengling.errors import DataError
from zhengling.formats.base import Context, Record
from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence, faults

_RESERVED = frozenset({"id", "text", "entities", "sentences"})


def check_read(records: Iterable[Record], context: Context) -> Iterator[Bulletin]:
    """Sound bulletins, with domains in the scheme's order.

    Every fault goes to ``context.fault``. If that returns, the entity is left out; of a sentence the domain
    is, or, as sentences must cover the text, all sentences of its bulletin are; a bulletin whose id came
    before is left out.

    Args:
        records: bulletins as read.
        context: holds the scheme.
    """
    seen: dict[str, Record] = {}
    for record in records:
        bulletin = record.bulletin
        if (first := seen.get(bulletin.id)) is not None:
            context.fault(record.error(f"the id is given twice, first at {_where(first)}"))
            continue
        seen[bulletin.id] = replace(record, bulletin=Bulletin(bulletin.id, ""))
        bulletin = replace(bulletin, sentences=_in_order(bulletin.sentences, context.scheme))
        if any(faults(bulletin, scheme=context.scheme)):
            bulletin = _repaired(bulletin, record, context)
        yield bulletin


def check_write(bulletins: Iterable[Bulletin]) -> Iterator[Bulletin]:
    """The bulletins, if they can be written.

    Raises:
        DataError: a bulletin isn't sound, bears the id of another, or holds what no file can.
    """
    seen: set[str] = set()
    for bulletin in bulletins:
        for message in _write_faults(bulletin):
            raise DataError(f"bulletin {bulletin.id!r} can't be written: {message}")
        if bulletin.id in seen:
            raise DataError(f"two bulletins have the id {bulletin.id!r}")
        seen.add(bulletin.id)
        yield bulletin


def _write_faults(bulletin: Bulletin) -> Iterator[str]:
    yield from faults(bulletin)
    for key in sorted(_RESERVED & bulletin.meta.keys()):
        yield f"the key {key!r} of its facts has another meaning in files"
    names = [entity.label for entity in bulletin.entities]
    for sentence in bulletin.sentences:
        names += [*sentence.domains, *([] if sentence.function is None else [sentence.function])]
    if "" in names:
        yield "a label is empty"
    try:
        "".join([bulletin.id, bulletin.text, *bulletin.meta, *bulletin.meta.values(), *names]).encode()
    except UnicodeEncodeError as error:
        yield f"it holds half a surrogate pair ({error.object[error.start]!r})"


def _where(record: Record) -> str:
    place = str(record.path) if record.line is None else f"{record.path}:{record.line}"
    return f"{place}, {record.place}" if record.place else place


def _in_order(sentences: Iterable[Sentence], scheme: LabelScheme | None) -> tuple[Sentence, ...]:
    if scheme is None:
        return tuple(sentences)
    rank = {name: index for index, name in enumerate(scheme.domain_names)}

    def ordered(domains: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(dict.fromkeys(domains), key=lambda name: rank.get(name, len(rank))))

    return tuple(replace(sentence, domains=ordered(sentence.domains)) for sentence in sentences)


def _repaired(bulletin: Bulletin, record: Record, context: Context) -> Bulletin:
    entities = _sound_entities(bulletin, record, context)
    sentences = _sound_sentences(bulletin, record, context)
    return replace(bulletin, entities=entities, sentences=sentences)


def _sound_entities(bulletin: Bulletin, record: Record, context: Context) -> tuple[Entity, ...]:
    kept: list[Entity] = []
    for entity in bulletin.entities:
        beside = Bulletin(bulletin.id, bulletin.text, entities=(*kept[-1:], entity))
        found = list(faults(beside, scheme=context.scheme))
        for message in found:
            context.fault(record.error(message))
        if not found:
            kept.append(entity)
    return tuple(kept)


def _sound_sentences(bulletin: Bulletin, record: Record, context: Context) -> tuple[Sentence, ...]:
    alone = replace(bulletin, entities=())
    for message in faults(alone, scheme=context.scheme):
        context.fault(record.error(message))
    sentences = _with_known_domains(bulletin.sentences, context.scheme)
    if any(faults(replace(alone, sentences=sentences), scheme=context.scheme)):
        context.fault(record.error("its sentences can't stand without these and are left out"))
        return ()
    return sentences


def _with_known_domains(sentences: Iterable[Sentence], scheme: LabelScheme | None) -> tuple[Sentence, ...]:
    if scheme is None:
        return tuple(sentences)
    return tuple(
        replace(
            sentence,
            domains=()
            if sentence.function in scheme.functions_without_domains
            else tuple(name for name in sentence.domains if name in scheme.domain_names),
        )
        for sentence in sentences
    )
