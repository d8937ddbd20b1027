"""The engine of one machine: worker processes, a part each at a time."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from zhengling.batch.job import Job, Progress, Say
from zhengling.batch.manifest import Finished
from zhengling.batch.ranges import Part
from zhengling.batch.worker import Done, Message, Read, Ready, Stop, work
from zhengling.errors import ZhenglingError


def run_local(
    parts: Iterable[Part], job: Job, *, processes: int, say: Say, progress: Progress
) -> Generator[Finished]:
    """Do parts in worker processes; a part whose worker dies is done again by another.

    Args:
        parts: taken one by one, when a worker is free.
        job: the run.
        processes: workers.
        say: is told of workers that died.
        progress: is told of documents that are done; fewer than none when a part is done again.

    Raises:
        ZhenglingError: the run can't go on.
    """
    pool = _Pool(iter(parts), job, say, progress)
    try:
        yield from pool.run(processes)
    finally:
        pool.stop()


@dataclass(slots=True)
class _Worker:
    """A process with the part that it does or, until it is ready, is to do."""

    process: SpawnProcess
    pipe: Connection[Any, Message]
    part: Part
    ready: bool = False
    documents: int = 0


class _Pool:
    def __init__(self, parts: Iterator[Part], job: Job, say: Say, progress: Progress) -> None:
        self._parts, self._again = parts, deque[Part]()
        self._job, self._say, self._progress = job, say, progress
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[object, _Worker] = {}  # by pipe
        self._failed_starts = 0

    def run(self, processes: int) -> Iterator[Finished]:
        while len(self._workers) < processes and self._hire():
            pass
        while self._workers:
            for pipe in wait([worker.pipe for worker in self._workers.values()]):
                finished = self._hear(self._workers[pipe])
                if finished is not None:
                    yield finished

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.process.terminate()
        for worker in self._workers.values():
            worker.process.join()
            worker.pipe.close()
        self._workers = {}

    def _next(self) -> Part | None:
        return self._again.popleft() if self._again else next(self._parts, None)

    def _hire(self) -> bool:
        """Start a worker, if there is a part for it."""
        part = self._next()
        if part is None:
            return False
        here, there = self._context.Pipe()
        process = self._context.Process(target=work, args=(there, self._job), daemon=True)
        process.start()
        there.close()  # else the end of the worker doesn't show
        self._workers[here] = _Worker(process, here, part)
        return True

    def _hear(self, worker: _Worker) -> Finished | None:
        try:
            message = worker.pipe.recv()
        except (EOFError, ConnectionError):
            self._died(worker)
            return None
        match message:
            case Ready():
                worker.ready, self._failed_starts = True, 0
                self._send(worker, worker.part)
            case Read(documents):
                worker.documents += documents
                self._progress(documents)
            case Done(finished):
                self._give(worker)
                return finished
            case Stop(reason):
                raise ZhenglingError(reason)
        return None

    def _give(self, worker: _Worker) -> None:
        """The next part, or the end."""
        part = self._next()
        self._send(worker, part)
        if part is None:
            self._dismiss(worker)
        else:
            worker.part, worker.documents = part, 0

    def _send(self, worker: _Worker, part: Part | None) -> None:
        with suppress(ConnectionError):  # dead already, which the next wait tells
            worker.pipe.send(part)

    def _died(self, worker: _Worker) -> None:
        self._dismiss(worker)
        status = worker.process.exitcode
        if not worker.ready:
            self._failed_starts += 1
        if self._failed_starts >= self._job.settings.deaths:
            raise ZhenglingError(
                f"{self._failed_starts} workers in a row ended with status {status} before they had read "
                "anything; is memory short? Try fewer --processes"
            )
        self._progress(-worker.documents)
        self._say(f"a worker ended with status {status}; part {worker.part.number} is done again")
        self._again.append(worker.part)
        self._hire()

    def _dismiss(self, worker: _Worker) -> None:
        del self._workers[worker.pipe]
        worker.pipe.close()
        worker.process.join()
