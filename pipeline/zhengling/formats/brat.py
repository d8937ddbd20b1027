r"""BRAT standoff: a ``.txt`` with the text and an ``.ann`` with the annotation beside it.

Offsets are code points. An entity is a text-bound line; a sentence is one whose type is its function,
with the attribute ``Sentence`` and an attribute for every domain. A note of type ``Bulletin`` keeps id
and facts as JSON::

    T1	ORG 0 6	示例市民政局
    T2	OTHER 0 13	示例市民政局部署清明祭扫
    A1	Sentence T2
    #1	Bulletin T1	{"id": "example-01", "meta": {}}

BRAT knows no span across line breaks: such a span is cut there into fragments (``0 5;6 9``) whose texts
are joined by a space, as BRAT does itself. Fragments with nothing but white space between are read as one
span; others are a fault. In foreign files a line whose type the scheme has as a function is a sentence
too, and an attribute with a value (``A1 Domain T2 elderly``) gives the value as domain. Other notes are
passed over; relations, events and normalisations are faults, for a bulletin can't carry them. The text is
taken as it is, with a byte order mark if it has one, for offsets count it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import atomic_file, atomic_folder
from zhengling.formats.base import Context, Format, Record, make_bulletin
from zhengling.formats.sources import dump_json, file_name, parse_json, read_text, typed
from zhengling.schema import Bulletin, Entity, Sentence

SENTENCE = "Sentence"
NOTE = "Bulletin"
_SPAN = re.compile(r"(T\S*)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.*)")
_ATTRIBUTE = re.compile(r"[AM]\S*\t(\S+) (T\S*)(?: (\S+))?")
_NOTE = re.compile(rf"#\S*\t{NOTE} \S+\t(.*)")
_LINE_BREAK = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class _Span:
    label: str
    start: int
    end: int
    line: int


@dataclass(slots=True)
class _Annotation:
    """Spans, attributes and the note of an ``.ann`` file; attributes with their line."""

    spans: dict[str, _Span] = field(default_factory=dict)
    attributes: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    note: dict[str, Any] = field(default_factory=dict)


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a pair, named by either file, or every pair of a folder in order of their names."""
    for text_path in _text_files(path, context):
        ann_path = text_path.with_suffix(".ann")
        try:
            text, source = read_text(text_path, keep_bom=True), read_text(ann_path)
        except DataError as error:
            context.fault(error)
            continue
        yield Record(_bulletin(text, source, ann_path, context), ann_path)


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write one bulletin as a pair, if the path ends in ``.ann`` or ``.txt``, or any number into a folder."""
    if path.suffix in (".ann", ".txt"):
        every = list(bulletins)
        if len(every) != 1:
            message = f"one pair of files holds one bulletin, not {len(every)}; name a folder, without suffix"
            raise DataError(message, path=path)
        _write_pair(every[0], path.with_suffix(".txt"), path.with_suffix(".ann"))
        return
    with atomic_folder(path) as folder:
        for bulletin in bulletins:
            name = file_name(bulletin.id)
            _write_pair(bulletin, folder / f"{name}.txt", folder / f"{name}.ann")


def _text_files(path: Path, context: Context) -> list[Path]:
    if not path.is_dir():
        return [path.with_suffix(".txt")]
    texts = {file.stem for file in path.glob("*.txt")}
    annotations = {file.stem for file in path.glob("*.ann")}
    for stem in sorted(texts ^ annotations):
        have, lack = (".txt", ".ann") if stem in texts else (".ann", ".txt")
        context.fault(DataError(f"{stem}{have} has no {stem}{lack} beside it", path=path))
    return [path / f"{stem}.txt" for stem in sorted(texts & annotations)]


def _bulletin(text: str, source: str, path: Path, context: Context) -> Bulletin:
    def fault(line: int, message: str) -> None:
        context.fault(DataError(message, path=path, line=line))

    annotation = _annotation(text, source, fault)
    entities, sentences = [], []
    for identifier, span in annotation.spans.items():
        attributes = annotation.attributes.pop(identifier, [])
        names = [name for name, _ in attributes]
        if SENTENCE in names or context.is_function(span.label):
            function = None if span.label == SENTENCE else span.label
            domains = tuple(dict.fromkeys(name for name in names if name != SENTENCE))
            sentences.append(Sentence(span.start, span.end, function, domains))
            continue
        entities.append(Entity(span.start, span.end, span.label))
        for name, line in attributes:
            fault(
                line,
                f"attribute {name} of the entity {identifier} can't be kept: only sentences have domains",
            )
    for identifier, attributes in annotation.attributes.items():
        fault(attributes[0][1], f"attribute {attributes[0][0]} of {identifier}, which is not in the file")
    note = annotation.note
    return make_bulletin(
        note.get("id", path.stem), text, entities=entities, sentences=sentences, meta=note.get("meta")
    )


def _annotation(text: str, source: str, fault: Callable[[int, str], None]) -> _Annotation:
    annotation = _Annotation()
    for number, line in enumerate(source.split("\n"), 1):
        try:
            _add_line(annotation, line.rstrip("\r"), number, text=text)
        except DataError as error:
            fault(number, error.message)
    return annotation


def _add_line(annotation: _Annotation, line: str, number: int, *, text: str) -> None:
    if span := _SPAN.fullmatch(line):
        identifier, label, offsets, surface = span.groups()
        if identifier in annotation.spans:
            raise DataError(f"{identifier} is given twice, first on line {annotation.spans[identifier].line}")
        start, end = _joined(text, offsets, surface)
        annotation.spans[identifier] = _Span(label, start, end, number)
    elif attribute := _ATTRIBUTE.fullmatch(line):
        name, identifier, value = attribute.groups()
        annotation.attributes.setdefault(identifier, []).append((value or name, number))
    elif note := _NOTE.fullmatch(line):
        annotation.note = _checked_note(parse_json(note[1]))
    elif line.strip() and not line.startswith("#"):
        raise DataError(
            f"only text-bound annotations (T) and their attributes (A) can be read, not {line[:40]!r}"
        )


def _checked_note(note: Any) -> dict[str, Any]:
    meta = typed(note, "meta", dict)
    typed(note, "id", str)
    for key in meta:
        typed(meta, key, str)
    return dict(note)


def _joined(text: str, offsets: str, surface: str) -> tuple[int, int]:
    """Start and end of a span, its fragments joined; checked against the text that the line repeats."""
    fragments = [tuple(map(int, fragment.split(" "))) for fragment in offsets.split(";")]
    for (_, end), (start, _) in pairwise(fragments):
        if end > start or text[end:start].strip():
            raise DataError(
                f"discontinuous span {offsets}: {surface!r}; a bulletin's entities are whole, "
                "annotate the parts apart"
            )
    found = "".join(text[start:end] for start, end in fragments)
    if _solid(found) != _solid(surface):
        raise DataError(
            f"the line says {surface!r} but the text has {found!r} at {offsets}; "
            "was the .txt changed, or its line ends?"
        )
    return fragments[0][0], fragments[-1][1]


def _solid(text: str) -> str:
    return "".join(text.split())


def _write_pair(bulletin: Bulletin, text_path: Path, ann_path: Path) -> None:
    source = "".join(f"{line}\n" for line in _lines(bulletin))
    with atomic_file(text_path) as text_file, atomic_file(ann_path) as ann_file:
        text_file.write_bytes(bulletin.text.encode("utf-8"))
        ann_file.write_bytes(source.encode("utf-8"))


def _lines(bulletin: Bulletin) -> Iterator[str]:
    for number, entity in enumerate(bulletin.entities, 1):
        yield _span_line(bulletin, number, entity, entity.label)
    attribute = 0
    for number, sentence in enumerate(bulletin.sentences, len(bulletin.entities) + 1):
        yield _span_line(bulletin, number, sentence, sentence.function or SENTENCE)
        for name in (SENTENCE, *sentence.domains):
            attribute += 1
            yield f"A{attribute}\t{_type(name, bulletin)} T{number}"
    yield f"#1\t{NOTE} T1\t{dump_json({'id': bulletin.id, 'meta': dict(bulletin.meta)})}"


def _span_line(bulletin: Bulletin, number: int, span: Entity | Sentence, label: str) -> str:
    fragments = list(_fragments(bulletin.text, span.start, span.end))
    offsets = ";".join(f"{start} {end}" for start, end in fragments)
    surface = " ".join(re.sub(r"\s", " ", bulletin.text[start:end]) for start, end in fragments)
    return f"T{number}\t{_type(label, bulletin)} {offsets}\t{surface}"


def _fragments(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for gap in _LINE_BREAK.finditer(text, start, end):
        yield start, gap.start()
        start = gap.end()
    yield start, end


def _type(label: str, bulletin: Bulletin) -> str:
    """A label as a BRAT type."""
    if not label or any(character.isspace() for character in label):
        raise DataError(f"bulletin {bulletin.id!r}: BRAT allows no white space in the label {label!r}")
    return label


FORMAT = Format("brat", (".ann",), "BRAT standoff, pairs of .txt and .ann", read, write, folder=True)
