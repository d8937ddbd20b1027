"""Texts in, bulletins out, as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from spacy.language import Language

from zhengling.components import annotation_of
from zhengling.directives import Rules, find_directives
from zhengling.inputs import Source
from zhengling.schema import Bulletin


def analyse(
    nlp: Language,
    sources: Iterable[Source],
    *,
    batch_size: int | None = None,
    min_score: float = 0.0,
    rules: Rules | None = None,
) -> Iterator[Bulletin]:
    """Analyse texts; memory stays bounded by the batch.

    Args:
        nlp: a zhengling pipeline.
        sources: texts with their ids.
        batch_size: documents whose windows share batches; the pipeline's own by default.
        min_score: entities with a lower probability are left out.
        rules: of directives; those of the default labels if left out.
    """
    pairs = ((source.text, source) for source in sources)
    for doc, source in nlp.pipe(pairs, as_tuples=True, batch_size=batch_size):
        bulletin = annotation_of(doc)
        kept = tuple(e for e in bulletin.entities if e.score is None or e.score >= min_score)
        bulletin = replace(bulletin, id=source.id, entities=kept, meta=source.meta)
        yield replace(bulletin, directives=find_directives(bulletin, rules=rules))
