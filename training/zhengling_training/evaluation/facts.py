"""What was measured: model, data, machine, versions, speed and memory; what makes a figure credible."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from zhengling import __version__
from zhengling.errors import DataError
from zhengling.schema import Bulletin

Result = TypeVar("Result")

_PACKAGES = ("spacy", "numpy", "onnxruntime", "safetensors")
# Written after the model, the figures of a report among them.
CARD = ("README.md", "meta.json")
_PROCESSORS = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Which pipeline: its name, its version, where it is, and the SHA-256 of its files without its card."""

    name: str
    version: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DataFacts:
    """Which bulletins: where they are, the SHA-256 of their files, and how much they hold."""

    path: str
    sha256: str
    bulletins: int
    characters: int
    sentences: int
    entities: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Where it ran: processor, its cores as the system counts them, memory in bytes where known, system."""

    processor: str
    cores: int
    memory: int | None
    system: str


@dataclass(frozen=True, slots=True)
class Run:
    """How the analysis went.

    Attributes:
        characters: that were analysed.
        seconds: by the clock.
        cpu_seconds: of all threads of the process.
        peak_memory: largest resident set of the process until then, in bytes; None where the system doesn't
        say. threads: of the network, as asked for; None for the default.
    """

    characters: int
    seconds: float
    cpu_seconds: float
    peak_memory: int | None
    threads: int | None

    @property
    def characters_per_second(self) -> float | None:
        """Speed by the clock."""
        return self.characters / self.seconds if self.seconds else None

    @property
    def characters_per_cpu_second(self) -> float | None:
        """Speed by what it costs."""
        return self.characters / self.cpu_seconds if self.cpu_seconds else None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return asdict(self) | {
            "characters_per_second": self.characters_per_second,
            "characters_per_cpu_second": self.characters_per_cpu_second,
        }


@dataclass(frozen=True, slots=True)
class Facts:
    """What was measured, and how.

    Attributes:
        model: the pipeline.
        data: the gold bulletins.
        training: the bulletins whose strings count as seen; None if none were named.
        command: the command line.
        date: of the run, ISO 8601 with its zone.
        machine: where it ran.
        versions: of Python and packages.
        run: speed and memory.
    """

    model: ModelFacts
    data: DataFacts
    training: tuple[DataFacts, ...] | None
    command: str
    date: str
    machine: Machine
    versions: Mapping[str, str]
    run: Run

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "model": asdict(self.model),
            "data": asdict(self.data),
            "training": None if self.training is None else [asdict(facts) for facts in self.training],
            "command": self.command,
            "date": self.date,
            "machine": asdict(self.machine),
            "versions": dict(self.versions),
            "run": self.run.to_dict(),
        }


def timed(analyse: Callable[[], Result], *, characters: int, threads: int | None) -> tuple[Result, Run]:
    """Do something and measure it."""
    clock, cpu = time.perf_counter(), time.process_time()
    result = analyse()
    seconds, cpu_seconds = time.perf_counter() - clock, time.process_time() - cpu
    return result, Run(characters, seconds, cpu_seconds, peak_memory(), threads)


def peak_memory() -> int | None:
    """The largest resident set of this process so far, in bytes."""
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - not on every system

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def data_facts(path: Path, bulletins: Sequence[Bulletin]) -> DataFacts:
    """The facts of bulletins that were read from a file or folder."""
    return DataFacts(
        path=str(path),
        sha256=digest(path),
        bulletins=len(bulletins),
        characters=sum(len(bulletin.text) for bulletin in bulletins),
        sentences=sum(len(bulletin.sentences) for bulletin in bulletins),
        entities=sum(len(bulletin.entities) for bulletin in bulletins),
    )


def digest(path: Path, *, leave_out: Iterable[str] = ()) -> str:
    """SHA-256 of a file; of a folder that of its files' names and digests, in order, hidden ones left out.

    Args:
        path: file or folder.
        leave_out: names of files at the top of the folder.

    Raises:
        DataError: a file can't be read.
    """
    if path.is_file():
        return _file_digest(path)
    total = hashlib.sha256()
    for file in _files(path, set(leave_out)):
        total.update(f"{file.relative_to(path).as_posix()}\0{_file_digest(file)}\n".encode())
    return total.hexdigest()


def machine() -> Machine:
    """The machine that this runs on."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory=_memory(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
    )


def versions() -> dict[str, str]:
    """Versions of Python, of zhengling and of what it stands on."""
    found = {"python": platform.python_version(), "zhengling": __version__}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def now() -> str:
    """Date and time, to the second, with the zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _files(folder: Path, leave_out: set[str]) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        hidden = any(part.startswith((".", "__pycache__")) for part in parts)
        if file.is_file() and not hidden and not (len(parts) == 1 and parts[0] in leave_out):
            yield file


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror or error}", path=path) from error


def _processor() -> str:
    if _PROCESSORS.is_file():
        for line in _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    names = getattr(os, "sysconf_names", {})
    if "SC_PAGE_SIZE" not in names or "SC_PHYS_PAGES" not in names:
        return None
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
