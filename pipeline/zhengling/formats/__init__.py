"""Bulletins in files: one registry of formats, and reading, writing and converting by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from zhengling.errors import DataError, ZhenglingError
from zhengling.formats import brat, bulletin, conll, docbin, doccano, ents, jsonl, label_studio
from zhengling.formats.base import Context, Format, FormatOptions
from zhengling.formats.checking import check_read, check_write
from zhengling.schema import Bulletin, LabelScheme

__all__ = ["REGISTRY", "Format", "FormatOptions", "convert", "read_bulletins", "write_bulletins"]

REGISTRY: dict[str, Format] = {
    entry.name: entry
    for entry in (
        bulletin.FORMAT,
        jsonl.FORMAT,
        conll.FORMAT,
        brat.FORMAT,
        doccano.FORMAT,
        ents.FORMAT,
        label_studio.FORMAT,
        docbin.FORMAT,
    )
}

Report = Callable[[str], None]


def read_bulletins(
    path: Path,
    *,
    format: str | None = None,  # noqa: A002
    scheme: LabelScheme | None = None,
    lenient: bool = False,
    report: Report | None = None,
    options: FormatOptions | None = None,
) -> Iterator[Bulletin]:
    """Read bulletins one by one, each of them sound by ``zhengling.schema.faults``.

    Args:
        path: a file; or a folder, in formats that keep a bulletin a file.
        format: name of the format; by default the file's suffix says it.
        scheme: labels to check against; domains come in its order.
        lenient: report faults and leave out what is faulty, instead of stopping.
        report: takes one line for each fault and a count at the end; needed if lenient.
        options: what can't be read off the files.

    Returns:
        An iterator; a strict one stops with ``DataError`` at the first fault.

    Raises:
        ZhenglingError: no such file, an unknown format, lenient without report.
    """
    if not path.exists():
        raise DataError("no such file or folder", path=path)
    chosen = format_by_name(format) if format else format_by_path(path)
    if path.is_dir() and not chosen.folder:
        raise DataError(f"is a folder; the format {chosen.name} is read from a file", path=path)
    handler = _handler(lenient=lenient, report=report)
    return _read(chosen, path, handler, scheme=scheme, options=options)


def write_bulletins(
    bulletins: Iterable[Bulletin],
    path: Path,
    *,
    format: str | None = None,  # noqa: A002
    lenient: bool = False,
    report: Report | None = None,
    options: FormatOptions | None = None,
) -> int:
    """Write bulletins, all or, after an error, nothing.

    Args:
        bulletins: sound bulletins with different ids.
        path: a file; or, for formats that keep a bulletin a file, a folder, new or empty.
        format: name of the format; by default the path's suffix says it.
        lenient: report what the format can't represent, instead of stopping.
        report: takes one line for each such thing; needed if lenient.
        options: how to write.

    Returns:
        The number of bulletins written.

    Raises:
        ZhenglingError: an unknown format, a bulletin that isn't sound or can't be represented, a path that
            can't be written.
    """
    chosen = format_by_name(format) if format else format_by_path(path)
    if path.is_dir() and not (chosen.folder and _is_empty(path)):
        raise DataError("is a folder with files in it; name a new one", path=path)
    handler = _handler(lenient=lenient, report=report)
    counter = _Counter()
    try:
        context = Context(handler, options=options or FormatOptions())
        chosen.write(counter.through(check_write(bulletins)), path, context)
    except OSError as error:
        raise DataError(f"can't be written: {error.strerror or error}", path=path) from error
    handler.finish(path)
    return counter.count


def convert(  # noqa: PLR0913
    source: Path,
    target: Path,
    *,
    source_format: str | None = None,
    target_format: str | None = None,
    scheme: LabelScheme | None = None,
    lenient: bool = False,
    report: Report | None = None,
    options: FormatOptions | None = None,
) -> int:
    """Read bulletins in one format and write them in another; see ``read_bulletins`` and ``write_bulletins``.

    Returns:
        The number of bulletins written.
    """
    bulletins = read_bulletins(
        source, format=source_format, scheme=scheme, lenient=lenient, report=report, options=options
    )
    return write_bulletins(
        bulletins, target, format=target_format, lenient=lenient, report=report, options=options
    )


@dataclass(slots=True)
class _Handler:
    """Raises faults, or reports and counts them."""

    report: Report | None
    count: int = 0

    def __call__(self, error: DataError) -> None:
        if self.report is None:
            raise error
        self.count += 1
        self.report(str(error))

    def finish(self, path: Path) -> None:
        if self.report is not None and self.count:
            self.report(f"{path}: {self.count} faults in all; what they name is left out")


@dataclass(slots=True)
class _Counter:
    count: int = 0

    def through(self, bulletins: Iterable[Bulletin]) -> Iterator[Bulletin]:
        for entry in bulletins:
            self.count += 1
            yield entry


def _handler(*, lenient: bool, report: Report | None) -> _Handler:
    if lenient and report is None:
        raise ZhenglingError("lenient reading needs 'report', a function that takes what is left out")
    return _Handler(report if lenient else None)


def _read(
    chosen: Format,
    path: Path,
    handler: _Handler,
    *,
    scheme: LabelScheme | None,
    options: FormatOptions | None,
) -> Iterator[Bulletin]:
    context = Context(handler, scheme=scheme, options=options or FormatOptions())
    yield from check_read(chosen.read(path, context), context)
    handler.finish(path)


def format_by_name(name: str) -> Format:
    """The format of that name."""
    if name in REGISTRY:
        return REGISTRY[name]
    near = get_close_matches(name, REGISTRY, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ZhenglingError(f"unknown format {name!r}, there are {', '.join(REGISTRY)}{hint}")


def format_by_path(path: Path) -> Format:
    """The format whose files end like this one, or like those in the folder."""
    files = list(path.iterdir()) if path.is_dir() else [path]
    endings = {_ending(file.name.lower()) for file in files}
    found = [
        entry
        for entry in REGISTRY.values()
        if endings.intersection(entry.suffixes) and (entry.folder or not path.is_dir())
    ]
    if len(found) == 1:
        return found[0]
    if path.is_dir() and not found:
        kept = ", ".join(entry.name for entry in REGISTRY.values() if entry.folder)
        raise DataError(f"a folder with no file in the formats {kept}; name the format, or a file", path=path)
    reason = "the names of its files fit several formats" if found else "its name fits no format"
    raise DataError(f"{reason}; name one of {', '.join(REGISTRY)}", path=path)


def _ending(name: str) -> str:
    """The longest suffix of a format that a file's name ends with; empty if there is none."""
    suffixes = (suffix for entry in REGISTRY.values() for suffix in entry.suffixes)
    return max((suffix for suffix in suffixes if name.endswith(suffix)), key=len, default="")


def _is_empty(path: Path) -> bool:
    return next(path.iterdir(), None) is None
