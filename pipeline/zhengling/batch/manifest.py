"""The manifest of a run: what it reads, with what, and which parts are finished."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import write_text

LAYOUT = 1
FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Finished:
    """A part that is done.

    Attributes:
        part: its number.
        units: lines, rows or files that were read.
        rows: documents with a row.
        quarantined: documents without.
        bytes: size of its file.
        sha256: of its file.
    """

    part: int
    units: int
    rows: int
    quarantined: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How documents add up: what came in went out or was quarantined."""

    documents: int
    rows: int
    quarantined: int


@dataclass(slots=True)
class Manifest:
    """The state of a run.

    Attributes:
        identity: what the rows depend on: input, model, settings, version. Another one is another run.
        facts: what else people want to know of it.
        parts: those that are finished, by number.
        complete: whether all are, and their counts were checked.
    """

    identity: Mapping[str, Any]
    facts: Mapping[str, Any]
    parts: dict[int, Finished] = field(default_factory=dict)
    complete: bool = False

    @property
    def counts(self) -> Counts:
        """Sums over the finished parts."""
        rows = sum(part.rows for part in self.parts.values())
        quarantined = sum(part.quarantined for part in self.parts.values())
        return Counts(rows + quarantined, rows, quarantined)

    def save(self, folder: Path) -> None:
        """Write it, whole or not at all.

        Raises:
            OSError: it can't be written.
        """
        data = {
            "layout": LAYOUT,
            "state": "complete" if self.complete else "running",
            **self.identity,
            "facts": self.facts,
            "counts": asdict(self.counts),
        }
        head = json.dumps(data, ensure_ascii=False, indent=1).removesuffix("\n}")
        rows = ",\n".join(f"  {json.dumps(asdict(self.parts[number]))}" for number in sorted(self.parts))
        write_text(folder / FILE, f'{head},\n "parts": [\n{rows}\n ]\n}}\n')

    @classmethod
    def load(cls, folder: Path) -> Manifest | None:
        """The manifest in a folder; None if there is none.

        Raises:
            DataError: it can't be read.
        """
        path = folder / FILE
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data["layout"] != LAYOUT:
                raise DataError(f"of layout {data['layout']}, not {LAYOUT}; {_ANEW}", path=path)
            identity = {key: data[key] for key in ("input", "model", "settings", "zhengling")}
            parts = {one["part"]: Finished(**one) for one in data["parts"]}
            return cls(identity, data["facts"], parts, data["state"] == "complete")
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"not a manifest that can be read ({error}); {_ANEW}", path=path) from error


_ANEW = "name another folder, or start anew with --overwrite"


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two identities, in words."""
    for key in (*there, *(key for key in here if key not in there)):
        old, new = there.get(key), here.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from (f"{key} {line}" for line in differences(old, new))
        elif old != new:
            yield f"{key} ({_short(old)} there, {_short(new)} now)"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:12] + "…"
