"""What a kind of input is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from zhengling.batch.documents import Item
from zhengling.batch.job import BatchSettings
from zhengling.batch.ranges import Slice, Unit

# Takes the content of a file, bit by bit, into the fingerprint of the input.
Digest = Callable[[bytes], object]


class Cursor(Protocol):
    """An open file. It is kept open from part to part: some files can only be read forwards."""

    def items(self, part: Slice) -> Iterator[Item]:
        """The units of a slice."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of input.

    Attributes:
        name: its key.
        suffixes: of its files, lower case.
        scan: reads a file once, as a stream, and gives its units; content goes to the digest.
        open: opens a file (path, name in the input).
    """

    name: str
    suffixes: tuple[str, ...]
    scan: Callable[[Path, Digest, BatchSettings], Iterator[Unit]]
    open: Callable[[Path, str, BatchSettings], Cursor]


def read_through(path: Path, digest: Digest) -> None:
    """Take a file's content into the fingerprint.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest(block)
