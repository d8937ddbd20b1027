"""Manifests: the SHA-256 of every file that is read from a model's folder, checked before it is used.

A pipeline has two levels: each component's folder has a manifest of its own files, and the manifest of the
whole lists these manifests beside ``config.cfg``, ``meta.json`` and the vocabulary. So every file is hashed
once, and a component of another model is found out by its manifest. An encoder has one level. What nobody
reads (cards, pictures, files that were added) is in no manifest and may change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from zhengling.errors import ZhenglingError
from zhengling.files import check_folder, write_text

Files = dict[str, bytes]
MANIFEST = "manifest.json"
# One of them is in every model: the first in pipelines, the second in encoders.
_CONFIGURATIONS = ("config.cfg", "config.json")
_FOR_PEOPLE = (".md", ".svg")
_MEND = "fetch the model again"


def check_replaceable(folder: Path) -> None:
    """Refuse to put a model in the place of anything but a model or nothing.

    Raises:
        ZhenglingError: the path is a file or a folder with other things, or nothing can be written there.
    """
    check_folder(folder, what="a model")
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if there and not set(there) & set(_CONFIGURATIONS):
        raise ZhenglingError(f"{folder}: holds {there[0]}, which is of no model; name a new folder")


def write_manifest(folder: Path, files: Files) -> None:
    """Write the manifest of a folder, whole or not at all.

    Args:
        folder: where the files lie.
        files: by name relative to it, with ``/`` between folders.

    Raises:
        OSError: the manifest can't be written.
    """
    digests = {name: sha256(content) for name, content in files.items()}
    write_text(folder / MANIFEST, json.dumps(digests, indent=1, ensure_ascii=False) + "\n")


def read_checked(folder: Path) -> Files:
    """Read the files that a folder's manifest lists and compare them with it.

    Raises:
        ZhenglingError: a file is missing, or isn't the one that was written; the message names it.
    """
    return dict(_checked(folder, _read_manifest(folder)))


def check_model(folder: Path) -> bool:
    """Compare a model's files with its manifest; a component's own files are left to ``read_checked``.

    Returns:
        False if it has no manifest: spaCy's ``to_disk`` writes none for the whole.

    Raises:
        ZhenglingError: as for ``read_checked``; a manifest that lists nothing.
    """
    if not (folder / MANIFEST).exists():
        return False
    manifest = _read_manifest(folder)
    if not manifest:
        raise ZhenglingError(f"{folder / MANIFEST}: lists no files; {_MEND}")
    for _ in _checked(folder, manifest):
        pass
    return True


def is_model(folder: Path) -> bool:
    """Whether a folder looks like a pipeline's or an encoder's."""
    return any((folder / name).is_file() for name in _CONFIGURATIONS)


def seal(folder: Path) -> None:
    """Write the manifests of a model as its files are now.

    Raises:
        ZhenglingError: the folder is no model, or the manifest of a component is damaged.
        OSError: a file can't be read or written.
    """
    if not is_model(folder):
        raise ZhenglingError(f"{folder}: not a model, it has none of {', '.join(_CONFIGURATIONS)}")
    for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
        renew(manifest.parent)
    write_manifest(folder, {name: (folder / name).read_bytes() for name in sorted(_read_of(folder))})


def renew(folder: Path) -> None:
    """Write a manifest again over the files that it lists; nothing where there is none.

    Raises:
        ZhenglingError: the manifest is damaged.
        OSError: a file can't be read or written.
    """
    if (folder / MANIFEST).exists():
        write_manifest(folder, {name: (folder / name).read_bytes() for name in _read_manifest(folder)})


def unseal(folder: Path) -> None:
    """Take the manifest off a model that is being written over."""
    if is_model(folder):
        (folder / MANIFEST).unlink(missing_ok=True)


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def _read_of(folder: Path) -> Iterator[str]:
    """Files that somebody reads, but for those that the manifest of a component lists."""
    listed = {manifest.parent: _read_manifest(manifest.parent) for manifest in folder.glob(f"*/{MANIFEST}")}
    for path in folder.rglob("*"):
        known = path == folder / MANIFEST or path.name in listed.get(path.parent, {})
        if path.is_file() and not known and path.suffix not in _FOR_PEOPLE:
            yield path.relative_to(folder).as_posix()


def _checked(folder: Path, manifest: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    for name, expected in manifest.items():
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            raise ZhenglingError(f"{folder / name}: can't be read ({error.strerror}); {_MEND}") from error
        if sha256(content) != expected:
            raise ZhenglingError(
                f"{folder / name}: damaged or replaced, its sha256 is not the manifest's; {_MEND}"
            )
        yield name, content


def _read_manifest(folder: Path) -> dict[str, str]:
    path = folder / MANIFEST
    try:
        manifest: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ZhenglingError(f"{path}: can't be read ({error.strerror}); {_MEND}") from error
    except ValueError as error:
        raise ZhenglingError(f"{path}: not JSON; {_MEND}") from error
    if not isinstance(manifest, dict) or not all(map(_stays_inside, manifest)):
        raise ZhenglingError(f"{path}: not a manifest of files in this folder; {_MEND}")
    return manifest


def _stays_inside(name: str) -> bool:
    """Whether a name leads to a file in the folder: a manifest must not reach outside."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name
