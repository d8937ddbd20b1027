r"""Columns after CoNLL-2003: a character and its tag on each line.

Files that this module writes begin with the line ``# zhengling-conll 1`` and are lossless but for
scores::

    # zhengling-conll 1
    -DOCSTART- example-01
    # meta date = 2024-03-05

    # sentence = DIRECTIVE funeral,elderly
    老 B-GROUP
    人 E-GROUP
    \n O

``-DOCSTART-`` begins a bulletin and bears its id. A blank line ends a block; a block under ``# sentence
=`` is a sentence with its function and domains, less white space at its ends, and white space after it;
other blocks are text outside sentences. An entity may go on in the next block. White space, control
characters, ``\`` and ``#`` are written as in ``zhengling.formats.escapes``.

Files without that line are read plainly, with no escapes: two or more columns between spaces or tabs, of
which the first is the token and the last the tag; text is the tokens without anything between. Each block
is a bulletin, unless ``-DOCSTART-`` (with an id after it or not) or ``# id = …`` says where bulletins
begin; then blocks are sentences without function, see ``plain_sentences``. Other comments are passed
over.

BIO, BIOES and BMES are read, each file in the one that its tags show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from pathlib import Path

from zhengling.errors import DataError
from zhengling.files import atomic_file
from zhengling.formats import tags
from zhengling.formats.base import Context, Format, Record, make_bulletin, plain_sentences, trim
from zhengling.formats.escapes import escape, unescape
from zhengling.formats.sources import read_text
from zhengling.schema import Bulletin, Entity, Sentence

MARK = "# zhengling-conll 1"
DOCUMENT = "-DOCSTART-"
_META = re.compile(r"# meta (\S*) = ?(.*)")
_SENTENCE = re.compile(r"# sentence = ?(\S*) ?(\S*)")
_ID = re.compile(r"# id = ?(.*)")
_MARKED = re.compile(rf"^(?:{DOCUMENT}|# id =)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    token: str
    tag: str


@dataclass(slots=True)
class _Document:
    """A bulletin while its lines are read.

    Attributes:
        line: where it begins.
        identifier: from its mark.
        meta: from comments.
        rows: all rows.
        blocks: for each block the index of its first row.
        names: by block, escaped function and domains under a sentence's comment.
        broken: has a line that can't be read.
    """

    line: int
    identifier: str | None = None
    meta: dict[str, str] = field(default_factory=dict)
    rows: list[_Row] = field(default_factory=list)
    blocks: list[int] = field(default_factory=lambda: [0])
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    broken: bool = False

    def end_block(self) -> None:
        if self.blocks[-1] < len(self.rows):
            self.blocks.append(len(self.rows))


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a file of columns, ours or foreign."""
    source = read_text(path)
    lines = [line.rstrip("\r") for line in source.split("\n")]
    own = lines[0].rstrip() == MARK
    ends = tags.marks_ends(source)

    def fault(line: int, message: str) -> None:
        context.fault(DataError(message, path=path, line=line))

    documents = _own_documents(lines, fault) if own else _foreign_documents(lines, fault)
    for number, document in enumerate(documents, 1):
        if document.broken:
            continue
        if document.identifier is None:
            document.identifier = f"{path.stem}-{number}"
        build = _own_bulletin if own else _foreign_bulletin
        yield Record(build(document, context, ends=ends, fault=fault), path, line=document.line)


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a file of columns with tags as ``context.options.tags`` says."""
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(MARK + "\n")
        for bulletin in bulletins:
            stream.writelines(f"{line}\n" for line in _lines(bulletin, context))


_Fault = Callable[[int, str], None]


def _own_documents(lines: list[str], fault: _Fault) -> Iterator[_Document]:
    document = None
    for number, line in enumerate(lines[1:], 2):
        if line.startswith(DOCUMENT):
            if document is not None:
                yield document
            document = _Document(number)
            _try_line(_add_mark, document, number, line, fault=fault)
        elif document is not None:
            _try_line(_add_own_line, document, number, line, fault=fault)
        elif line.strip():
            fault(number, f"expected {DOCUMENT} with the id of a bulletin before {line[:40]!r}")
            document = _Document(number, broken=True)
    if document is not None:
        yield document


def _foreign_documents(lines: list[str], fault: _Fault) -> Iterator[_Document]:
    marked = any(_MARKED.match(line) for line in lines)
    document = _Document(1)
    for number, line in enumerate(lines, 1):
        begins = _MARKED.match(line) is not None
        if begins or not (marked or line.strip()):
            if document.rows or document.broken:
                yield document
            document = _Document(number if begins else number + 1, identifier=_foreign_id(line))
        else:
            _try_line(_add_foreign_line, document, number, line, fault=fault)
    if document.rows or document.broken:
        yield document


def _try_line(
    add: Callable[[_Document, int, str], None], document: _Document, number: int, line: str, *, fault: _Fault
) -> None:
    try:
        add(document, number, line)
    except DataError as error:
        document.broken = True
        fault(number, error.message)


def _add_mark(document: _Document, number: int, line: str) -> None:
    document.identifier = unescape(line.removeprefix(DOCUMENT).strip())


def _add_own_line(document: _Document, number: int, line: str) -> None:
    columns = line.split(" ")
    if not line:
        document.end_block()
    elif meta := _META.fullmatch(line):
        document.meta[unescape(meta[1])] = unescape(meta[2])
    elif names := _SENTENCE.fullmatch(line):
        document.names[len(document.blocks) - 1] = (names[1], names[2])
    elif len(columns) == 2 and tags.is_tag(columns[1]):
        document.rows.append(_Row(number, unescape(columns[0]), columns[1]))
    elif not line.startswith("# "):
        raise DataError(f"expected a character, a space and a tag, got {line[:40]!r}")


def _add_foreign_line(document: _Document, number: int, line: str) -> None:
    if not line.strip():
        document.end_block()
        return
    columns = _columns(line)
    if len(columns) >= 2 and columns[0] and tags.is_tag(columns[-1]):
        document.rows.append(_Row(number, columns[0], columns[-1]))
    elif not line.startswith("#"):
        raise DataError(f"expected columns with a token first and a tag (O, B-…) last, got {line[:40]!r}")


def _columns(line: str) -> list[str]:
    """The columns of a foreign file; between tabs a column of blanks is a token."""
    if "\t" in line:
        return [column.strip(" ") or column for column in line.split("\t")]
    return re.split(" +", line.strip(" "))


def _foreign_id(line: str) -> str | None:
    """The id on a line that begins a bulletin; the other columns of CoNLL-2003's mark are none."""
    if comment := _ID.fullmatch(line):
        return comment[1].strip() or None
    columns = line.split()
    given = len(columns) == 2 and columns[1] not in ("O", "-X-")
    return columns[1] if given else None


def _own_bulletin(document: _Document, context: Context, *, ends: bool, fault: _Fault) -> Bulletin:
    text, offsets = _text(document)
    entities = _entities(document, offsets, ends=ends, fault=fault)
    sentences = []
    for block, (start, end) in enumerate(_ranges(document, offsets)):
        if block not in document.names:
            continue
        trimmed = trim(text, start, end)
        if trimmed is None:
            fault(document.line, f"sentence {block + 1} of the bulletin holds no text")
            continue
        function, domains = document.names[block]
        names = tuple(unescape(name) for name in domains.split(",") if name)
        sentences.append(Sentence(*trimmed, unescape(function) or None, names))
    named = [Entity(entity.start, entity.end, unescape(entity.label)) for entity in entities]
    return make_bulletin(
        document.identifier or "", text, entities=named, sentences=sentences, meta=document.meta
    )


def _foreign_bulletin(document: _Document, context: Context, *, ends: bool, fault: _Fault) -> Bulletin:
    text, offsets = _text(document)
    return make_bulletin(
        document.identifier or "",
        text,
        entities=_entities(document, offsets, ends=ends, fault=fault),
        sentences=plain_sentences(text, _ranges(document, offsets), context=context),
    )


def _text(document: _Document) -> tuple[str, list[int]]:
    """The text and the offset of every row and of the end."""
    tokens = [row.token for row in document.rows]
    return "".join(tokens), list(accumulate(map(len, tokens), initial=0))


def _ranges(document: _Document, offsets: list[int]) -> Iterator[tuple[int, int]]:
    """Start and end of every block in the text."""
    for first, last in pairwise([*document.blocks, len(document.rows)]):
        yield offsets[first], offsets[last]


def _entities(document: _Document, offsets: list[int], *, ends: bool, fault: _Fault) -> list[Entity]:
    rows = document.rows
    spans = tags.decode(
        [row.tag for row in rows], ends=ends, fault=lambda index, message: fault(rows[index].line, message)
    )
    return [Entity(offsets[start], offsets[end], label) for start, end, label in spans]


def _lines(bulletin: Bulletin, context: Context) -> Iterator[str]:
    yield f"{DOCUMENT} {_word(bulletin.id)}"
    for key, value in bulletin.meta.items():
        yield f"# meta {_word(key)} = {''.join(escape(value, spaces=False))}"
    yield ""
    spans = [(entity.start, entity.end, _word(entity.label)) for entity in bulletin.entities]
    labels = tags.encode(spans, length=len(bulletin.text), scheme=context.options.tags)
    starts = [0, *(sentence.start for sentence in bulletin.sentences[1:]), len(bulletin.text)]
    for index, (start, end) in enumerate(pairwise(starts)):
        if bulletin.sentences:
            sentence = bulletin.sentences[index]
            domains = ",".join("".join(escape(name, coded=",")) for name in sentence.domains)
            yield f"# sentence = {_word(sentence.function or '')} {domains}".rstrip()
        for character, label in zip(bulletin.text[start:end], labels[start:end], strict=True):
            yield f"{_word(character, special='#')} {label}"
        yield ""


def _word(text: str, *, special: str = "") -> str:
    """The text in one word."""
    return "".join(escape(text, special=special))


FORMAT = Format("conll", (".conll", ".bio", ".bioes", ".bmes"), "columns of characters and tags", read, write)
