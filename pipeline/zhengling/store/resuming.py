"""Analysis into a database: what is stored already isn't read again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language

from zhengling import __version__
from zhengling.analysis import analyse
from zhengling.batching import batches
from zhengling.directives import Rules, default_rules
from zhengling.inputs import Source
from zhengling.loading import scheme_of
from zhengling.storage import Stored as Component
from zhengling.store.database import open_database
from zhengling.store.tables import Stored

# Bulletins that are committed together; as much work is lost at most when a run is killed.
BATCH = 64
_LOOKUP = 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did: texts analysed, and texts that were stored already."""

    added: int
    known: int


def store(
    nlp: Language,
    sources: Iterable[Source],
    output: Path,
    *,
    batch_size: int | None = None,
    min_score: float = 0.0,
    rules: Rules | None = None,
    commit_every: int = BATCH,
) -> Outcome:
    """Analyse texts into a database; those that it holds, read by this model, are left out.

    Args:
        nlp: a zhengling pipeline.
        sources: texts with their places. The same text is stored once, with its first place.
        output: the database; it is made if there is none.
        batch_size: see ``analyse``.
        min_score: see ``analyse``.
        rules: see ``analyse``.
        commit_every: bulletins a transaction.

    Raises:
        ZhenglingError: the database can't be used; what was committed stays.
    """
    model = model_name(nlp, min_score=min_score, rules=rules)
    pending: dict[str, tuple[str, str]] = {}
    added = known = 0

    def new() -> Iterator[Source]:
        nonlocal known
        for group in batches(sources, fits=lambda group, _: len(group) < _LOOKUP):
            keys = [key_of(source.text, model=model) for source in group]
            taken = database.known(keys) | {key for key, _ in pending.values()}
            for source, key in zip(group, keys, strict=True):
                if key in taken:
                    known += 1
                    continue
                taken.add(key)
                pending[source.id] = key, source.place
                yield source

    with open_database(output) as database:
        database.add_model(model, scheme_of(nlp))
        bulletins = analyse(nlp, new(), batch_size=batch_size, min_score=min_score, rules=rules)
        for batch in batches(bulletins, fits=lambda batch, _: len(batch) < commit_every):
            database.add([Stored(*pending[found.id], model, found) for found in batch])
            added += len(batch)
            for found in batch:
                del pending[found.id]
    return Outcome(added, known)


def key_of(text: str, *, model: str) -> str:
    """The name of a text as read by a model."""
    return hashlib.sha256(f"{model}\0{text}".encode()).hexdigest()


def model_name(nlp: Language, *, min_score: float, rules: Rules | None) -> str:
    """A pipeline's name with a digest of all that its answers depend on."""
    digest = hashlib.sha256(f"{__version__} {min_score} {_fingerprint(rules or default_rules())}".encode())
    for name, pipe in nlp.pipeline:
        if isinstance(pipe, Component):
            for file, content in sorted(pipe.files().items()):
                digest.update(f"{name}/{file}".encode() + hashlib.sha256(content).digest())
    return f"{nlp.meta['lang']}_{nlp.meta['name']}-{nlp.meta['version']}-{digest.hexdigest()[:12]}"


def _fingerprint(rules: Rules) -> str:
    """The same for the same rules, in whatever order they were read."""
    lists = {role: sorted(labels) for role, labels in rules.label_lists.items()}
    return repr(
        (
            sorted(rules.labels.items()),
            sorted(lists.items()),
            sorted(rules.words.items()),
            rules.numbers,
            rules.heading,
            rules.article,
        )
    )
