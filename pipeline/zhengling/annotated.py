"""Gold annotation in a ``Doc``, as files for spaCy keep it."""

from __future__ import annotations

import json
from typing import Any

from spacy.tokens import Doc

from zhengling.errors import DataError
from zhengling.schema import Bulletin, Entity, Sentence

# The key in ``doc.user_data`` of the bulletin's canonical JSON, and the span group of its sentences.
KEY = "bulletin"
GROUP = "sentences"


def annotation_of(doc: Doc) -> Bulletin:
    """The annotation of a gold document: our own where it is kept, else what spaCy's attributes say.

    Sentences of a span group named ``sentences`` have their label as function; ``doc.sents`` have none.

    Raises:
        DataError: what is kept is no bulletin.
    """
    kept = doc.user_data.get(KEY)
    if isinstance(kept, str):
        return Bulletin.from_dict(_parsed(kept))
    entities = tuple(Entity(span.start_char, span.end_char, span.label_) for span in doc.ents)
    return Bulletin(id="", text=doc.text, entities=entities, sentences=_sentences(doc))


def _parsed(kept: str) -> Any:
    try:
        return json.loads(kept)
    except ValueError as error:
        raise DataError(f"the annotation of a document is broken JSON: {error}") from error


def _sentences(doc: Doc) -> tuple[Sentence, ...]:
    if GROUP in doc.spans:
        return tuple(Sentence(s.start_char, s.end_char, s.label_ or None) for s in doc.spans[GROUP])
    return ()
