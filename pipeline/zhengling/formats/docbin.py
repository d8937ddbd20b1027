"""spaCy's DocBin, for ``spacy train`` and ``spacy evaluate``.

Tokens are those of ``spacy.blank("zh")``: one character each, runs of white space joined. ``doc.ents``,
sentence starts and the span group ``sentences`` (labels are functions) serve spaCy; the canonical JSON of
the bulletin lies in ``doc.user_data["bulletin"]`` and is what reading goes by. A foreign file without it
gives ``doc.ents``, and as sentences the span group if there is one, else ``doc.sents``, see
``plain_sentences``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.util import get_words_and_spaces
from spacy.vocab import Vocab

from zhengling.annotated import GROUP, KEY
from zhengling.errors import DataError
from zhengling.files import atomic_file
from zhengling.formats.base import Context, Format, Record, make_bulletin, plain_sentences
from zhengling.formats.sources import dump_json, parse_json, unreadable
from zhengling.schema import Bulletin, Entity, Sentence


def read(path: Path, context: Context) -> Iterator[Record]:
    """Read a ``.spacy`` file, ours or foreign."""
    for number, doc in enumerate(_docs(path), 1):
        place = f"doc {number}"
        try:
            bulletin = _bulletin(doc, context, default_id=f"{path.stem}-{number}")
        except DataError as error:
            context.fault(DataError(f"{place}: {error.message}", path=path))
            continue
        yield Record(bulletin, path, place=place)


def write(bulletins: Iterable[Bulletin], path: Path, context: Context) -> None:
    """Write a ``.spacy`` file; an entity that doesn't fit the tokens is a fault that names it."""
    vocab = spacy.blank("zh").vocab
    collection = DocBin(attrs=["ENT_IOB", "ENT_TYPE", "SENT_START"], store_user_data=True)
    for bulletin in bulletins:
        collection.add(_doc(bulletin, vocab, context))
    with atomic_file(path) as temporary:
        temporary.write_bytes(collection.to_bytes())


def _docs(path: Path) -> Iterator[Doc]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        yield from DocBin().from_bytes(raw).get_docs(spacy.blank("zh").vocab)
    except (zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"not a DocBin of this spaCy: {error}", path=path) from error


def _bulletin(doc: Doc, context: Context, *, default_id: str) -> Bulletin:
    kept = doc.user_data.get(KEY)
    if isinstance(kept, str):
        return Bulletin.from_dict(parse_json(kept))
    entities = [Entity(span.start_char, span.end_char, span.label_) for span in doc.ents]
    sentences: Iterable[Sentence] = ()
    if GROUP in doc.spans:
        group = doc.spans[GROUP]
        sentences = [Sentence(span.start_char, span.end_char, span.label_ or None) for span in group]
    elif doc.has_annotation("SENT_START"):
        ranges = [(span.start_char, span.end_char) for span in doc.sents]
        sentences = plain_sentences(doc.text, ranges, context=context)
    return make_bulletin(default_id, doc.text, entities=entities, sentences=sentences)


def _doc(bulletin: Bulletin, vocab: Vocab, context: Context) -> Doc:
    doc = _tokens(bulletin, vocab)
    if doc.text != bulletin.text:
        raise DataError(f"bulletin {bulletin.id!r}: spaCy's tokens don't spell its text")
    doc.set_ents(_aligned(doc, bulletin, bulletin.entities, context))
    doc.spans[GROUP] = _aligned(doc, bulletin, bulletin.sentences, context)
    doc.user_data[KEY] = dump_json(bulletin.to_dict())
    return doc


def _tokens(bulletin: Bulletin, vocab: Vocab) -> Doc:
    """The tokens of spaCy's tokenizer for Chinese; white space after a sentence belongs to it."""
    words, spaces = get_words_and_spaces(list(bulletin.text), bulletin.text)
    if not bulletin.sentences:
        return Doc(vocab, words=words, spaces=spaces)
    starts = {0, *(sentence.start for sentence in bulletin.sentences[1:])}
    lengths = (len(word) + space for word, space in zip(words, spaces, strict=True))
    offsets = list(accumulate(lengths, initial=0))[:-1]
    return Doc(vocab, words=words, spaces=spaces, sent_starts=[offset in starts for offset in offsets])


def _aligned(
    doc: Doc, bulletin: Bulletin, spans: Iterable[Entity | Sentence], context: Context
) -> list[Span]:
    """The spans as spans of tokens."""
    aligned = []
    for span in spans:
        label = span.label if isinstance(span, Entity) else span.function
        found = doc.char_span(span.start, span.end, label=label or "")
        if found is not None:
            aligned.append(found)
            continue
        place = f"[{span.start}, {span.end}) {bulletin.surface(span)!r}"
        context.fault(DataError(f"bulletin {bulletin.id!r}: {label} {place} begins or ends within a token"))
    return aligned


FORMAT = Format("docbin", (".spacy",), "spaCy's DocBin, for spacy train and spacy evaluate", read, write)
