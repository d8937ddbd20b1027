"""A worker process: one pipeline, one thread, parts until there are no more.

Imports at the top are light: the number of threads has to be set before numpy is loaded.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from typing import TYPE_CHECKING, Any

from zhengling.batch.job import Job
from zhengling.errors import ZhenglingError
from zhengling.startup import import_spacy_lightly

if TYPE_CHECKING:
    from zhengling.batch.manifest import Finished

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has its pipeline."""


@dataclass(frozen=True, slots=True)
class Read:
    """Documents that were done since the last message."""

    documents: int


@dataclass(frozen=True, slots=True)
class Done:
    """A part is written."""

    finished: Finished


@dataclass(frozen=True, slots=True)
class Stop:
    """The run can't go on."""

    reason: str


Message = Ready | Read | Done | Stop


def work(pipe: connection.Connection[Message, Any], job: Job) -> None:
    """Do parts as they come through the pipe, until it is closed or None comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    limit_threads()
    import_spacy_lightly()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work(pipe, job)
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:
        pipe.send(Stop(reason_of(error)))


def _work(pipe: connection.Connection[Message, Any], job: Job) -> None:
    from zhengling.batch.parts import Analyst, analyse_part  # noqa: PLC0415 - heavy

    analyst = Analyst.open(job)
    pipe.send(Ready())
    while (part := pipe.recv()) is not None:
        finished = analyse_part(part, analyst, progress=lambda count: pipe.send(Read(count)))
        pipe.send(Done(finished))


def limit_threads() -> None:
    """Let libraries that are loaded from now on use one thread: there is a process a core."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))


def reason_of(error: Exception) -> str:
    """What stops a run, in a line."""
    match error:
        case ZhenglingError():
            return str(error)
        case OSError():
            return f"{error.filename or 'output'}: {error.strerror or error}; finished parts are intact"
    return f"{type(error).__name__}: {error}"


def _end_with_parent() -> None:
    """Workers of a killed run must not write any more."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
