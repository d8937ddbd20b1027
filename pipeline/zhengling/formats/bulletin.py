r"""The authoring form, for writing and reviewing by hand (annotation guidelines, section 4).

::

    id: example-01

    OTHER | | [示例市民政局](ORG)部署清明祭扫

    DIRECTIVE | funeral,elderly | 各殡仪馆要错峰预约；养老机构要为[老年人](GROUP)代办祭扫。

Header lines ``key: value``; a blank line; one sentence a line; a blank line between sentences is a line
break in the text, ``⏎`` a line break within one. Without an ``id`` the name of the file is the id.

What the plain form can't say is written with three additions, used only where needed, so that every
bulletin survives writing and reading:

- The escapes of ``zhengling.formats.escapes``, in headers, names and text: ``\[``, ``\]``, ``\\``,
  ``\⏎``, ``\r``.
- A line with function ``~`` is text that belongs to no sentence: ``~ | | ⏎⏎`` between two sentences is a
  gap of two line breaks; a bulletin without sentences is one such line. An empty function is no function.
- ``[民政](ORG+)`` is an entity that goes on at the start of the next line, past the end of its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from zhengling.errors import DataError
from zhengling.files import atomic_folder, write_text
from zhengling.formats.base import Context, Format, Record, make_bulletin
from zhengling.formats.escapes import escape, unescape
from zhengling.formats.sources import file_name, read_text
from zhengling.schema import Bulletin, Entity, Sentence

SUFFIX = ".bulletin"
OUTSIDE = "~"
BREAK = "⏎"
_RESERVED = ("text", "entities", "sentences")
_INLINE = re.compile(
    r"\\."
    r"|\[(?P<inner>(?:[^\[\]\\]|\\.)*)\]\((?P<label>(?:[^()\[\]\\\s+]|\\.)+)(?P<more>\+?)\)"
    r"|(?P<stray>\[|\]\()"
)


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a file, or every ``*.bulletin`` file of a folder in order of their names."""
    files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
    for file in files:
        try:
            bulletin = parse(read_text(file), identifier=file.stem)
        except DataError as error:
            context.fault(DataError(error.message, path=file, line=error.line))
            continue
        yield Record(bulletin, file)


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write one bulletin to a ``.bulletin`` file, or any number into a folder."""
    if path.suffix == SUFFIX:
        every = list(bulletins)
        if len(every) != 1:
            message = f"one file holds one bulletin, not {len(every)}; name a folder, without suffix"
            raise DataError(message, path=path)
        write_text(path, render(every[0]))
        return
    with atomic_folder(path) as folder:
        for bulletin in bulletins:
            write_text(folder / (file_name(bulletin.id) + SUFFIX), render(bulletin))


def parse(source: str, *, identifier: str) -> Bulletin:
    """Read one bulletin.

    Args:
        source: contents of a file.
        identifier: id, where the header has none.

    Raises:
        DataError: a line breaks the rules; the error bears its number.
    """
    lines = [line.strip() for line in source.split("\n")]
    body = next((index for index, line in enumerate(lines) if not line), len(lines))
    draft = _Draft()
    for number, line in enumerate(lines, 1):
        try:
            if number <= body:
                _add_header(draft.header, line)
            else:
                _add_line(draft, line)
        except DataError as error:
            raise DataError(error.message, line=number) from error
    if draft.unfinished is not None:
        raise DataError(
            f"the last entity is marked {draft.unfinished.label}+ but no line follows", line=len(lines)
        )
    return make_bulletin(
        draft.header.pop("id", identifier),
        draft.text,
        entities=draft.entities,
        sentences=draft.sentences,
        meta=draft.header,
    )


def render(bulletin: Bulletin) -> str:
    """Write one bulletin; ``parse`` gives it back.

    Args:
        bulletin: a sound bulletin.
    """
    header = {"id": bulletin.id, **bulletin.meta}
    lines = [f"{_one_line(key, coded=':|')}: {_one_line(value)}".rstrip() for key, value in header.items()]
    lines.append("")
    for start, end, sentence in _pieces(bulletin):
        inner = start > 0 and end < len(bulletin.text)
        if sentence is None and inner and bulletin.text[start:end] == "\n":
            lines.append("")
        else:
            lines.append(f"{_names(sentence)} | {_marked(bulletin, start, end)}")
    return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Draft:
    """A bulletin while its lines are read; ``unfinished`` is an entity that the next line goes on with."""

    header: dict[str, str] = field(default_factory=dict)
    text: str = ""
    gap: str = ""
    entities: list[Entity] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    unfinished: Entity | None = None


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    label: str
    goes_on: bool


def _add_header(header: dict[str, str], line: str) -> None:
    key, colon, value = line.partition(":")
    if not colon or "|" in key:
        raise DataError(
            f"expected a header line 'key: value', got {line[:40]!r}; a blank line ends the header"
        )
    key, value = _plain(key.strip()), _plain(value.strip())
    if key in header or key in _RESERVED:
        reason = "is given twice" if key in header else "can't be a header"
        raise DataError(f"{key!r} {reason}")
    header[key] = value


def _add_line(draft: _Draft, line: str) -> None:
    if not line:
        draft.gap = "\n" if draft.text else ""
        return
    parts = line.split("|", 2)
    if len(parts) != 3:
        raise DataError(f"expected 'FUNCTION | domain,domain | text', got {line[:40]!r}")
    function, domains, markup = (part.strip() for part in parts)
    text, marks = _parse_inline(markup)
    if not text:
        raise DataError("a line without text")
    start = len(draft.text) + len(draft.gap)
    draft.text += draft.gap + text
    draft.gap = ""
    _add_entities(draft, marks, offset=start)
    if function != OUTSIDE:
        names = dict.fromkeys(_plain(name.strip()) for name in domains.split(",") if name.strip())
        draft.sentences.append(Sentence(start, len(draft.text), _plain(function) or None, tuple(names)))
    elif domains:
        raise DataError(f"text outside sentences ({OUTSIDE}) bears no domain")


def _add_entities(draft: _Draft, marks: list[_Mark], *, offset: int) -> None:
    if draft.unfinished is not None and not (marks and _continues(draft.unfinished, marks[0])):
        raise DataError(
            f"the entity marked {draft.unfinished.label}+ doesn't go on at the start of this line"
        )
    for mark in marks:
        start = offset + mark.start if draft.unfinished is None else draft.unfinished.start
        entity = Entity(start, offset + mark.end, mark.label)
        draft.unfinished = entity if mark.goes_on else None
        if not mark.goes_on:
            draft.entities.append(entity)


def _continues(entity: Entity, mark: _Mark) -> bool:
    return mark.start == 0 and mark.label == entity.label


def _parse_inline(markup: str) -> tuple[str, list[_Mark]]:
    """Text and entities of a line; offsets within the line's text."""
    text, marks, position = "", list[_Mark](), 0
    for match in _INLINE.finditer(markup):
        if match["stray"]:
            place = markup[match.start() :][:24]
            raise DataError(f"broken markup at {place!r}: write [name](LABEL), or \\[ for a bracket")
        if match["label"] is None:
            continue
        text += _plain(markup[position : match.start()])
        inner = _plain(match["inner"])
        if not inner:
            raise DataError(f"empty entity {match[0]!r}")
        if marks and marks[-1].goes_on:
            raise DataError(f"an entity follows one marked {marks[-1].label}+ on the same line")
        marks.append(_Mark(len(text), len(text) + len(inner), _plain(match["label"]), bool(match["more"])))
        text += inner
        position = match.end()
    text += _plain(markup[position:])
    if marks and marks[-1].goes_on and marks[-1].end != len(text):
        raise DataError(f"text follows an entity marked {marks[-1].label}+, which should end its line")
    return text, marks


def _plain(escaped: str) -> str:
    broken = re.sub(rf"(\\.)|{BREAK}", lambda match: match[1] or "\\n", escaped)
    return unescape(broken)


def _one_line(text: str, *, coded: str = "") -> str:
    return "".join(_characters(text, coded=coded))


def _characters(text: str, *, special: str = "", coded: str = "") -> list[str]:
    characters = escape(text, special=BREAK + special, coded=coded, spaces=False)
    return [BREAK if character == "\\n" else character for character in characters]


def _pieces(bulletin: Bulletin) -> Iterator[tuple[int, int, Sentence | None]]:
    """The text cut into sentences and what lies between them."""
    position = 0
    for sentence in bulletin.sentences:
        if position < sentence.start:
            yield position, sentence.start, None
        yield sentence.start, sentence.end, sentence
        position = sentence.end
    if position < len(bulletin.text):
        yield position, len(bulletin.text), None


def _names(sentence: Sentence | None) -> str:
    """The first two fields of a line."""
    if sentence is None:
        return f"{OUTSIDE} |"
    function = _name(sentence.function or "")
    return f"{function} | {','.join(map(_name, sentence.domains))}".strip(" ")


def _name(name: str) -> str:
    """A label such that no sign of the form is in it."""
    outside = OUTSIDE if name == OUTSIDE else ""
    return "".join(escape(name, coded="|,()[]+" + BREAK + outside))


def _marked(bulletin: Bulletin, start: int, end: int) -> str:
    """A piece of text with its entities; one that goes past the end bears a ``+``."""
    characters = _characters(bulletin.text[start:end], special="[]")
    for entity in bulletin.entities:
        if start < entity.end and entity.start < end:
            more = "+" if entity.end > end else ""
            first, last = max(entity.start, start) - start, min(entity.end, end) - start - 1
            characters[first] = "[" + characters[first]
            characters[last] += f"]({_name(entity.label)}{more})"
    return "".join(characters)


FORMAT = Format("bulletin", (SUFFIX,), "authoring form, one sentence a line", read, write, folder=True)
