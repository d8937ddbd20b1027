"""Analysed bulletins to the terminal, to standard output or to a file."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from zhengling.errors import ZhenglingError
from zhengling.extras import need
from zhengling.files import atomic_file, write_text
from zhengling.formats import REGISTRY, write_bulletins
from zhengling.report.page import render_page
from zhengling.report.terminal import print_summary
from zhengling.report.wording import Language
from zhengling.schema import Bulletin, LabelScheme

# Not among the writers: what a database holds already isn't analysed again (``zhengling.store.resuming``).
DATABASE = "duckdb"
_PARQUET = "parquet"

Writer = Callable[[Iterable[Bulletin], LabelScheme, Language, Path | None], None]


def write_analysis(
    bulletins: Iterable[Bulletin],
    *,
    scheme: LabelScheme,
    format_name: str,
    language: Language,
    output: Path | None,
) -> None:
    """Write analysed bulletins.

    Args:
        bulletins: consumed one by one where the format allows it.
        scheme: the labels.
        format_name: a key of ``WRITERS``.
        language: ``zh`` or ``en``, of what people read.
        output: a file, written whole or not at all; None for standard output.

    Raises:
        ZhenglingError: unknown format, or a format that can't go to standard output.
    """
    check_format(format_name, output)
    WRITERS[format_name](bulletins, scheme, language, output)


def check_format(format_name: str, output: Path | None) -> None:
    """Check that a format can be written, before anything is analysed.

    Raises:
        ZhenglingError: unknown format, one that can't go to standard output, or its libraries are missing.
    """
    if format_name not in (*WRITERS, DATABASE):
        raise ZhenglingError(f"unknown format {format_name!r}, there are {', '.join((*WRITERS, DATABASE))}")
    if format_name in (DATABASE, _PARQUET):
        if output is None:
            raise ZhenglingError(f"the format {format_name} needs --output FILE")
        need("duckdb", "pyarrow", extra="store", what=f"the format {format_name}")


def _table(
    bulletins: Iterable[Bulletin], scheme: LabelScheme, language: Language, output: Path | None
) -> None:
    if output is None:
        console = Console()
        for bulletin in bulletins:
            print_summary(bulletin, scheme=scheme, console=console, language=language)
        return
    with atomic_file(output) as temporary, temporary.open("w", encoding="utf-8") as stream:
        console = Console(file=stream, width=120)
        for bulletin in bulletins:
            print_summary(bulletin, scheme=scheme, console=console, language=language)


def _jsonl(
    bulletins: Iterable[Bulletin], scheme: LabelScheme, language: Language, output: Path | None
) -> None:
    lines = (json.dumps(bulletin.to_dict(), ensure_ascii=False) + "\n" for bulletin in bulletins)
    if output is None:
        for line in lines:
            sys.stdout.buffer.write(line.encode("utf-8"))
            sys.stdout.buffer.flush()
        return
    with atomic_file(output) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(lines)


def _html(
    bulletins: Iterable[Bulletin], scheme: LabelScheme, language: Language, output: Path | None
) -> None:
    page = render_page(bulletins, scheme=scheme, language=language)
    if output is None:
        sys.stdout.buffer.write(page.encode("utf-8"))
    else:
        write_text(output, page)


def _parquet(
    bulletins: Iterable[Bulletin], scheme: LabelScheme, language: Language, output: Path | None
) -> None:
    from zhengling.store.parquet import write_parquet  # noqa: PLC0415 - needs an extra

    if output is not None:
        write_parquet(bulletins, output)


def _registered(name: str) -> Writer:
    """A writer for a format of ``zhengling.formats``."""

    def write(
        bulletins: Iterable[Bulletin], scheme: LabelScheme, language: Language, output: Path | None
    ) -> None:
        if output is not None:
            write_bulletins(bulletins, output, format=name)
            return
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"analysis.{name}"
            write_bulletins(
                _only_one(bulletins, name) if REGISTRY[name].folder else bulletins, path, format=name
            )
            with path.open("rb") as stream:
                shutil.copyfileobj(stream, sys.stdout.buffer)

    return write


def _only_one(bulletins: Iterable[Bulletin], name: str) -> Iterator[Bulletin]:
    """The bulletins, as long as there is one."""
    for number, bulletin in enumerate(bulletins):
        if number:
            raise ZhenglingError(f"several bulletins in the form {name!r} need --output FOLDER")
        yield bulletin


WRITERS: Mapping[str, Writer] = {
    "table": _table,
    "jsonl": _jsonl,
    "html": _html,
    "conll": _registered("conll"),
    "bulletin": _registered("bulletin"),
    _PARQUET: _parquet,
}
