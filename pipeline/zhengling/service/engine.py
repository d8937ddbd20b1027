"""One model, some threads, a bounded queue."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TypeVar

from spacy.language import Language

from zhengling.analysis import analyse
from zhengling.inputs import Source
from zhengling.schema import Bulletin
from zhengling.service import refusals
from zhengling.service.settings import ServiceSettings

Result = TypeVar("Result")


class Stop:
    """Tells work in a thread that nobody waits for it any more."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask the work to end."""
        self._event.set()

    def check(self) -> None:
        """End the work if it was asked to.

        Raises:
            CancelledError: it was.
        """
        if self._event.is_set():
            raise CancelledError


class Engine:
    """Runs work in threads; what finds no place is refused, what takes too long is given up.

    Args:
        nlp: the pipeline that all threads share.
        settings: number of workers, length of the queue, timeout.
    """

    def __init__(self, nlp: Language, *, settings: ServiceSettings) -> None:
        self.nlp = nlp
        self.settings = settings
        self.taken = 0
        self._pool = _pool(settings)

    async def run(self, work: Callable[[Stop], Result]) -> Result:
        """Do work in a thread; from the event loop only.

        Work that is given up keeps its place until its thread has noticed, so that the threads are never
        promised twice.

        Raises:
            Refusal: no place is left, or the work isn't done in time.
        """
        settings, loop = self.settings, asyncio.get_running_loop()
        if self.taken >= settings.workers + settings.queue:
            raise refusals.busy(settings.retry_seconds)
        self.taken += 1
        stop = Stop()
        future = self._pool.submit(_unless_stopped, work, stop)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._release))
        try:
            return await asyncio.wait_for(
                asyncio.shield(asyncio.wrap_future(future)), timeout=settings.timeout_seconds
            )
        except TimeoutError:
            stop.set()
            raise refusals.late(settings.timeout_seconds) from None

    def analyse(self, sources: Iterable[Source], *, stop: Stop) -> Iterator[Bulletin]:
        """Analyse texts one by one, in a thread; ends early when nobody waits.

        Raises:
            CancelledError: it was stopped.
        """
        for source in sources:
            stop.check()
            yield from analyse(self.nlp, [source])

    def close(self) -> None:
        """Wait for what was begun; the engine can be used again."""
        ended, self._pool = self._pool, _pool(self.settings)
        ended.shutdown(wait=True)

    def _release(self) -> None:
        self.taken -= 1


def _pool(settings: ServiceSettings) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.workers, thread_name_prefix="zhengling")


def _unless_stopped(work: Callable[[Stop], Result], stop: Stop) -> Result:
    stop.check()
    return work(stop)
