"""How components are stored: a few named files, in a folder or in one byte string, checked when read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Self

import srsly

from zhengling.manifest import Files, check_model, is_model, read_checked, unseal, write_manifest


class Stored(ABC):
    """spaCy's four serialisation methods over two of the component's own.

    A base class because spaCy looks for exactly these methods on every component.
    """

    @abstractmethod
    def files(self) -> Files:
        """The component's state as named files."""

    @abstractmethod
    def take(self, files: Files) -> None:
        """Restore the state from the files that ``files`` gave."""

    def to_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> None:
        """Write the files and a manifest with their sha256.

        A manifest of the pipeline around them would be that of older files, so it is taken away.
        """
        folder = Path(path)
        unseal(folder.parent)
        folder.mkdir(parents=True, exist_ok=True)
        files = self.files()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        write_manifest(folder, files)

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> Self:
        """Read the files; those of the pipeline around them, as spaCy checks none, must be sound too.

        Raises:
            ZhenglingError: a file is missing or is not the one that was written.
        """
        folder = Path(path)
        if is_model(folder.parent):
            check_model(folder.parent)
        self.take(read_checked(folder))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """All files in one byte string."""
        packed: bytes = srsly.msgpack_dumps(self.files())
        return packed

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Read what ``to_bytes`` gave."""
        self.take(srsly.msgpack_loads(data))
        return self
