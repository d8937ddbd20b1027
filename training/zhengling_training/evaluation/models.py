"""What can be evaluated: pipelines, and the entity heads that an encoder keeps in its folder."""

from __future__ import annotations

from pathlib import Path

from spacy.language import Language

from zhengling.errors import ZhenglingError
from zhengling.loading import load_pipeline
from zhengling_training.evaluation.facts import CARD, ModelFacts, digest

HEADS, HEAD = "heads", "head.json"


def load_model(name: str, *, threads: int | None) -> tuple[Language, ModelFacts]:
    """Load a pipeline or a head, with the facts about it.

    Args:
        name: a folder or an installed package; or ``ENCODER/heads/NAME``, which needs torch.
        threads: of the network; those of torch are set by ``OMP_NUM_THREADS``.

    Raises:
        ZhenglingError: there is no such model, or it is damaged.
    """
    path = Path(name)
    if (path / HEAD).is_file():
        return _load_head(path)
    nlp = load_pipeline(name, threads=threads)
    meta, folder = nlp.meta, nlp.path
    return nlp, ModelFacts(
        name=f"{meta.get('lang', '')}_{meta.get('name', '')}",
        version=str(meta.get("version", "")),
        path=name,
        sha256="" if folder is None else digest(folder, leave_out=CARD),
    )


def head_names(encoder: Path) -> list[str]:
    """Names of the heads in an encoder's folder."""
    return sorted(path.parent.name for path in encoder.glob(f"{HEADS}/*/{HEAD}"))


def head_of(encoder: str | Path, scheme: str) -> str:
    """The folder of an encoder's head, under which ``load_model`` takes it.

    Raises:
        ZhenglingError: the encoder has no such head.
    """
    known = head_names(Path(encoder))
    if scheme not in known:
        raise ZhenglingError(f"{encoder}: has no head {scheme!r}; its heads: {', '.join(known) or 'none'}")
    return str(Path(encoder) / HEADS / scheme)


def _load_head(path: Path) -> tuple[Language, ModelFacts]:
    from zhengling_training.ner_heads import load_head  # noqa: PLC0415 - torch is needed for heads only

    folder = path.resolve().parents[1]
    nlp = load_head(folder, path.resolve().name)
    facts = ModelFacts(
        name=f"{folder.name}/{path.resolve().name}",
        version="",
        path=str(path),
        sha256=digest(folder, leave_out=CARD),
    )
    return nlp, facts
