"""Card and manifest of the corpus: ``python -m zhengling_training.corpus_card corpus`` counts its files."""

from __future__ import annotations

import json
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zhengling.files import write_text
from zhengling.formats import read_bulletins
from zhengling.manifest import sha256
from zhengling.schema import Bulletin, LabelScheme
from zhengling_training.templating import environment

SPLITS = ("train", "dev")
MANIFEST = "manifest.json"
CARD = "README.md"


def write_corpus_card(folder: Path, *, scheme: LabelScheme) -> None:
    """Write ``README.md`` and ``manifest.json`` of a corpus with the folders ``train`` and ``dev``.

    Raises:
        DataError: a bulletin is faulty.
    """
    splits = {name: list(read_bulletins(folder / name, scheme=scheme)) for name in SPLITS}
    templates = environment(escape=False)
    card = templates.get_template("corpus.md.j2").render(
        scheme=scheme, **statistics_of(splits, scheme=scheme)
    )
    write_text(folder / CARD, card)
    write_text(folder / MANIFEST, json.dumps(manifest_of(folder), indent=1, sort_keys=True) + "\n")


def manifest_of(folder: Path) -> dict[str, str]:
    """SHA-256 of every bulletin's file, by its path in the corpus."""
    files = sorted(file for name in SPLITS for file in (folder / name).iterdir())
    return {file.relative_to(folder).as_posix(): sha256(file.read_bytes()) for file in files}


def statistics_of(splits: dict[str, list[Bulletin]], *, scheme: LabelScheme) -> dict[str, Any]:
    """What the card tells: counts by split and label, domains by register, sentence lengths."""
    bulletins = [bulletin for split in splits.values() for bulletin in split]
    lengths = sorted(s.end - s.start for b in bulletins for s in b.sentences)
    registers = Counter(register_of(bulletin) for bulletin in bulletins)
    common = [name for name, _ in registers.most_common(12)]
    return {
        "totals": {name: _totals(split) for name, split in splits.items()},
        "total": _totals(bulletins),
        "entities": Counter(e.label for b in bulletins for e in b.entities),
        "functions": Counter(s.function for b in bulletins for s in b.sentences),
        "domains": Counter(d for b in bulletins for s in b.sentences for d in s.domains),
        "registers": registers,
        "common": common,
        "by_register": _by_register(bulletins, common),
        "quantiles": [lengths[round(q * (len(lengths) - 1))] for q in (0.05, 0.25, 0.5, 0.75, 0.95)],
        "mean_length": statistics.mean(lengths),
        "broken": sum(any("\n" in b.surface(s) for s in b.sentences) for b in bulletins),
    }


def register_of(bulletin: Bulletin) -> str:
    """The bulletin's register, a dash if it names none."""
    return bulletin.meta.get("register", "–")


def _totals(bulletins: Sequence[Bulletin]) -> dict[str, int]:
    return {
        "bulletins": len(bulletins),
        "sentences": sum(len(b.sentences) for b in bulletins),
        "entities": sum(len(b.entities) for b in bulletins),
        "characters": sum(len(b.text) for b in bulletins),
    }


def _by_register(bulletins: Sequence[Bulletin], common: Sequence[str]) -> dict[str, Counter[str]]:
    """Sentences by domain and register; rare registers are counted together."""
    table: dict[str, Counter[str]] = {}
    for bulletin in bulletins:
        register = register_of(bulletin) if register_of(bulletin) in common else "其他"
        for sentence in bulletin.sentences:
            for domain in sentence.domains:
                table.setdefault(domain, Counter())[register] += 1
    return table


if __name__ == "__main__":
    write_corpus_card(
        Path(sys.argv[1]), scheme=LabelScheme.from_file(Path("configs/schemes/zh_bulletin.json"))
    )
