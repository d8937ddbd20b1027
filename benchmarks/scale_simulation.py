"""A cluster that reads bulletins, as a discrete-event simulation.

Workers load the model, take parts (documents that are written together) from one queue, and lose the part
they are at when they fail; a successor loads the model anew. Times are seconds, lengths characters.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Lengths = NDArray[np.int64]


@dataclass(frozen=True)
class Service:
    """Seconds that a worker takes.

    Attributes:
        load: from its start until it can take its first part.
        document: a document, whatever its length.
        character: a character of it.
        part: a part that is written, whatever it holds.
        row: a row of it.
    """

    load: float
    document: float
    character: float
    part: float
    row: float


@dataclass(frozen=True)
class Cluster:
    """Where a job runs.

    Attributes:
        workers: processes of one core each.
        failures: of a worker in an hour of work.
        replacement: seconds until the successor of a lost worker starts.
        commit: seconds to claim a part and to make it visible in the store.
        spread: standard deviation of the logarithm of workers' speeds.
    """

    workers: int
    failures: float = 0.0
    replacement: float = 60.0
    commit: float = 0.0
    spread: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How documents become parts.

    Attributes:
        documents: a part; by ``characters`` if None.
        characters: a part, about; a document that is as long by itself is a part of its own.
        longest_first: long parts are taken first; else they are taken in the documents' order.
        split: longer documents are cut into pieces of that many characters.
    """

    documents: int | None = None
    characters: int | None = None
    longest_first: bool = False
    split: int | None = None


@dataclass(frozen=True)
class Parts:
    """Documents and characters of each part, shape ``(parts,)``, in the order in which they are taken."""

    documents: Lengths
    characters: Lengths


@dataclass(frozen=True)
class Run:
    """What a simulated job did.

    Attributes:
        workers: that were held from its start to its end.
        makespan: from its start to the last part.
        busy: worker-seconds of parts that were finished.
        lost: worker-seconds of parts that were begun and lost.
        retries: parts that were begun again.
        last: when each worker finished its last part, 0 if it had none; shape ``(workers,)``.
    """

    workers: int
    makespan: float
    busy: float
    lost: float
    retries: int
    last: Floats

    @property
    def tail(self) -> float:
        """Share of the held time in which workers had no part left to take."""
        return float(np.mean(self.makespan - self.last)) / self.makespan

    def efficiency(self, work: float) -> float:
        """Share of the held time that was needed: ``work`` is seconds of one worker that never loads."""
        return work / (self.workers * self.makespan)


def make_parts(lengths: Lengths, plan: Plan) -> Parts:
    """Group documents.

    Raises:
        ValueError: the plan says neither documents nor characters a part, or both.
    """
    if (plan.documents is None) == (plan.characters is None):
        raise ValueError("a plan says either documents or characters a part")
    if plan.split is not None:
        lengths = _split(lengths, plan.split)
    if plan.documents is not None:
        number = np.arange(len(lengths)) // plan.documents
    else:
        number = _by_characters(lengths, plan.characters or 1)
    documents = np.bincount(number)
    characters = np.bincount(number, weights=lengths).astype(np.int64)
    order = np.argsort(-characters, kind="stable") if plan.longest_first else np.arange(len(documents))
    order = order[documents[order] > 0]
    return Parts(documents[order], characters[order])


def _split(lengths: Lengths, longest: int) -> Lengths:
    """Documents as pieces of ``longest`` characters and a rest."""
    pieces = np.maximum(1, -(-lengths // longest))
    result = np.full(pieces.sum(), longest, np.int64)
    ends = np.cumsum(pieces) - 1
    result[ends] = lengths - (pieces - 1) * longest
    return result


def _by_characters(lengths: Lengths, size: int) -> Lengths:
    """The part of each document; long ones are given the numbers after those of the others."""
    alone = lengths >= size
    short = np.where(alone, 0, lengths)
    number = (np.cumsum(short) - short) // size
    number[alone] = number.max(initial=0) + 1 + np.arange(alone.sum())
    return number


def work(parts: Parts, service: Service) -> Floats:
    """Seconds of each part that any way of cutting has to spend: reading and writing its rows."""
    return parts.documents * (service.document + service.row) + parts.characters * service.character


def durations(parts: Parts, service: Service, *, commit: float = 0.0) -> Floats:
    """Seconds of each part from taking to finishing it."""
    return work(parts, service) + service.part + commit


def simulate(seconds: Floats, cluster: Cluster, *, load: float, seed: int = 0) -> Run:
    """Run a job.

    A worker fails at exponentially distributed times while it is at a part; the part goes to the end of the
    queue, and whoever is free first takes it.

    Args:
        seconds: of each part on a worker of mean speed, in the order in which they are taken.
        cluster: where it runs.
        load: seconds in which a worker gets ready.
        seed: the same seed gives the same run.
    """
    return _Job(seconds, cluster, load=load, seed=seed).run()


@dataclass(frozen=True, order=True)
class _Event:
    """A worker is free again: it got ready (no part), finished a part or lost it."""

    time: float
    worker: int
    part: int | None = field(default=None, compare=False)
    failed: bool = field(default=False, compare=False)
    took: float = field(default=0.0, compare=False)


class _Job:
    """The state of a running job: clock, queue, workers."""

    def __init__(self, seconds: Floats, cluster: Cluster, *, load: float, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.cluster, self.load = cluster, load
        # The mean is 1 whatever the spread, so that all workers together can do as much.
        drawn = np.exp(self.random.normal(0, cluster.spread, cluster.workers))
        self.speeds = drawn / drawn.mean()
        self.seconds = seconds
        self.queue = deque(range(len(seconds)))
        self.idle: list[int] = []
        self.events = [_Event(load, worker) for worker in range(cluster.workers)]
        self.busy = self.lost = 0.0
        self.retries = 0
        self.last = np.zeros(cluster.workers)

    def run(self) -> Run:
        """Go from event to event until no part is left."""
        left, now = len(self.seconds), 0.0
        heapq.heapify(self.events)
        while left:
            event = heapq.heappop(self.events)
            now = event.time
            if event.failed:
                self._lose(event)
            else:
                if event.part is not None:
                    self.busy += event.took
                    self.last[event.worker] = now
                    left -= 1
                self.idle.append(event.worker)
            while self.idle and self.queue:
                self._begin(now, self.idle.pop(), self.queue.popleft())
        return Run(self.cluster.workers, now, self.busy, self.lost, self.retries, self.last)

    def _begin(self, now: float, worker: int, part: int) -> None:
        took = float(self.seconds[part] / self.speeds[worker])
        rate = self.cluster.failures / 3600
        failure = self.random.exponential(1 / rate) if rate else np.inf
        spent = min(took, failure)
        heapq.heappush(self.events, _Event(now + spent, worker, part, failure < took, spent))

    def _lose(self, event: _Event) -> None:
        assert event.part is not None
        self.lost += event.took
        self.retries += 1
        self.queue.append(event.part)
        ready = event.time + self.cluster.replacement + self.load
        heapq.heappush(self.events, _Event(ready, event.worker))


def sample_lengths(
    lengths: list[int], count: int, *, long_share: float, longest: int, seed: int = 0
) -> Lengths:
    """Lengths of a collection: measured ones, and a share of long documents.

    Args:
        lengths: measured, drawn from with replacement.
        count: documents.
        long_share: probability of a long document.
        longest: long ones have a hundredth of it to all of it, evenly on a logarithmic scale.
        seed: the same seed gives the same lengths.
    """
    random = np.random.default_rng(seed)
    drawn = random.choice(np.asarray(lengths, np.int64), count)
    long = random.random(count) < long_share
    drawn[long] = longest * 100.0 ** (random.random(int(long.sum())) - 1)
    return drawn
