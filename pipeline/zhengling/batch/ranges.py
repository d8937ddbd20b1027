"""Ranges of an input: slices of files, and parts made of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """What a plan counts: a line, a row or a file.

    Attributes:
        row: line or row in its file, from 1.
        offset: its first byte, after decompression, in files that are read by bytes.
    """

    row: int = 1
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """Neighbouring units of a file.

    Attributes:
        file: its name, from the folder of the input.
        first: the first of them.
        count: how many.
        size: of the file when it was planned, in bytes.
        changed: when it was changed last before that, in ns.
    """

    file: str
    first: Unit
    count: int
    size: int
    changed: int


@dataclass(frozen=True, slots=True)
class Part:
    """The unit of work: a planned range of documents.

    Attributes:
        number: from 0.
        slices: where they are.
    """

    number: int
    slices: tuple[Slice, ...]

    @property
    def count(self) -> int:
        """Units in it."""
        return sum(one.count for one in self.slices)

    def to_json(self) -> str:
        """The part on one line; file names that are not Unicode are kept as they are."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Part:
        """What ``to_json`` gave."""
        data = json.loads(line)
        slices = (Slice(**(one | {"first": Unit(**one["first"])})) for one in data["slices"])
        return cls(data["number"], tuple(slices))
