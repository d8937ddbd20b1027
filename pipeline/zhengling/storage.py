"""How components are stored: a few named files, in a folder or in one byte string, checked when read."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import srsly

from zhengling.errors import ZhenglingError

Files = dict[str, bytes]
MANIFEST = "manifest.json"


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
        """Write the files and a manifest with their sha256."""
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        files = self.files()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        manifest = {name: sha256(content) for name, content in files.items()}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")

    def from_disk(self, path: Path | str, *, exclude: Iterable[str] = ()) -> Self:
        """Read the files.

        Raises:
            ZhenglingError: a file is missing or is not the one that was written.
        """
        self.take(read_checked(Path(path)))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """All files in one byte string."""
        packed: bytes = srsly.msgpack_dumps(self.files())
        return packed

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Self:
        """Read what ``to_bytes`` gave."""
        self.take(srsly.msgpack_loads(data))
        return self


def read_checked(folder: Path) -> Files:
    """Read the files of a component's folder and compare them with its manifest.

    Raises:
        ZhenglingError: the message names the file.
    """
    manifest = _read_manifest(folder)
    files = {}
    for name, expected in manifest.items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise ZhenglingError(f"{folder / name}: can't be read ({error.strerror}); {_MEND}") from error
        if sha256(content) != expected:
            raise ZhenglingError(
                f"{folder / name}: damaged or replaced, its sha256 is not the manifest's; {_MEND}"
            )
        files[name] = content
    return files


_MEND = "fetch the model again"


def _read_manifest(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST
    try:
        manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ZhenglingError(f"{path}: can't be read ({error.strerror}); {_MEND}") from error
    except ValueError as error:
        raise ZhenglingError(f"{path}: not JSON; {_MEND}") from error
    # Plain file names only: a manifest must not reach outside its folder.
    if not isinstance(manifest, dict) or any(Path(name).name != name for name in manifest):
        raise ZhenglingError(f"{path}: not a manifest of files in this folder; {_MEND}")
    return manifest


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()
