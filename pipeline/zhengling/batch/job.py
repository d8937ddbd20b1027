"""What a run is to do: where from, where to, with what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Told a line that people should know, and told of documents that are done.
Say = Callable[[str], None]
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """What the rows of a run depend on beside input and model, and its limits.

    Attributes:
        part_documents: documents in a part; as much work is lost at most, a process, when a run is killed.
        group_documents: neighbouring documents whose windows share runs of the network.
        group_characters: most characters of such a group, or one document if it is longer.
        text_characters: length of a text; longer ones are quarantined.
        line_bytes: length of a line of JSONL; longer ones are quarantined.
        deaths: worker processes that may die over the same documents before these are held guilty.
        text_column: column or key with the text.
        id_column: column or key with the id; where it is missing, file and row are the id.
        min_score: entities with a lower probability are left out.
    """

    part_documents: int = 500
    group_documents: int = 32
    group_characters: int = 100_000
    text_characters: int = 1_000_000
    line_bytes: int = 64_000_000
    deaths: int = 3
    text_column: str = "text"
    id_column: str = "id"
    min_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Job:
    """A run, as every worker needs to know it.

    Attributes:
        root: folder that names of input files are relative to.
        kind: a key of ``kinds.KINDS``.
        output: folder of the results.
        model: folder or package; None for the default model.
        rules: file with rules of directives; None for those of the default labels.
        settings: see there.
    """

    root: Path
    kind: str
    output: Path
    model: str | None = None
    rules: Path | None = None
    settings: BatchSettings = BatchSettings()

    @property
    def parts(self) -> Path:
        """Folder of the Parquet files."""
        return self.output / "parts"

    @property
    def work(self) -> Path:
        """Folder of what the run itself needs."""
        return self.output / ".batch"

    @property
    def trails(self) -> Path:
        """Folder of what workers are about to do."""
        return self.work / "trails"

    def part_file(self, number: int) -> Path:
        """The rows of a part."""
        return self.parts / f"part-{number:06}.parquet"

    def quarantine_file(self, number: int) -> Path:
        """The documents of a part that have no row; there is none if all have."""
        return self.work / "quarantine" / f"part-{number:06}.jsonl"
