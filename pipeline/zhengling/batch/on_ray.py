"""The engine of many machines: Ray Data hands parts to actors, each with one pipeline.

What travels through Ray is the place of a part in the plan, and what was finished; documents don't. Input and
output have to be on storage that all machines see under the same path.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from zhengling.batch.job import Job, Progress
from zhengling.batch.manifest import Finished
from zhengling.batch.ranges import Part
from zhengling.batch.worker import limit_threads, reason_of
from zhengling.errors import ZhenglingError
from zhengling.loading import find_model


@dataclass(frozen=True, slots=True)
class RayOptions:
    """How Ray is used.

    Attributes:
        address: of a cluster that runs; None starts one on this machine, which is stopped at the end.
        workers: actors.
        gpus: GPUs that Ray reserves for an actor.
    """

    workers: int
    address: str | None = None
    gpus: float = 0.0


def run_on_ray(
    parts: Iterable[Part], job: Job, *, options: RayOptions, progress: Progress
) -> Generator[Finished]:
    """Do parts in an actor pool; Ray restarts actors that die and gives their parts out again.

    Args:
        parts: those to be done.
        job: the run; its paths are the same on all machines.
        options: cluster, actors.
        progress: is told of documents that are done.

    Raises:
        ZhenglingError: the run can't go on.
    """
    rows = [{"part": part.to_json()} for part in parts]
    if not rows:
        return
    workers = min(options.workers, len(rows))
    with _cluster(options) as data:
        results = data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            Worker,
            batch_size=1,
            fn_constructor_kwargs={"job": _absolute(job)},
            # One is enough to go on with: a cluster may have fewer cores free than were asked for.
            compute=data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
            num_cpus=1,
            num_gpus=options.gpus or None,
        )
        for row in results.iter_rows():
            outcome = json.loads(row["outcome"])
            if "stop" in outcome:
                raise ZhenglingError(outcome["stop"])
            finished = Finished(**outcome)
            progress(finished.units)
            yield finished


class Worker:
    """An actor: a class, as Ray asks for one that keeps its pipeline between calls."""

    def __init__(self, job: Job) -> None:
        limit_threads()
        from zhengling.batch.parts import Analyst  # noqa: PLC0415 - heavy

        self._stop = ""
        try:
            self._analyst = Analyst.open(job)
        except Exception as error:  # raised here, Ray would start actors again and again
            self._stop = reason_of(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Do the parts of a batch."""
        return {"outcome": [self._outcome(str(part)) for part in batch["part"]]}

    def _outcome(self, part: str) -> str:
        from zhengling.batch.parts import analyse_part  # noqa: PLC0415 - heavy

        if self._stop:
            return json.dumps({"stop": self._stop})
        try:
            return json.dumps(asdict(analyse_part(Part.from_json(part), self._analyst)))
        except Exception as error:
            return json.dumps({"stop": reason_of(error)})


def _absolute(job: Job) -> Job:
    """The job with paths that hold in any working folder."""
    model = find_model(job.model)
    return replace(
        job,
        root=job.root.absolute(),
        output=job.output.absolute(),
        model=str(model.absolute() if isinstance(model, Path) else model),
        rules=job.rules.absolute() if job.rules else None,
    )


@contextmanager
def _cluster(options: RayOptions) -> Iterator[Any]:
    """Ray Data, connected; silent, and without a word to the network."""
    os.environ.update(_ENVIRONMENT)
    import ray  # noqa: PLC0415 - an extra
    import ray.data  # noqa: PLC0415

    own: dict[str, Any] = {} if options.address else _OWN | {"num_cpus": options.workers}
    try:
        ray.init(address=options.address or "local", log_to_driver=False, logging_level=logging.ERROR, **own)
    except Exception as error:  # what Ray raises here has no base in common
        raise ZhenglingError(f"no Ray at {options.address or 'this machine'}: {_line(error)}") from error
    try:
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        ray.data.DataContext.get_current().enable_progress_bars = False
        yield ray.data
    except ray.exceptions.RayError as error:
        raise ZhenglingError(f"Ray: {_line(error)}; finished parts are intact") from error
    finally:
        ray.shutdown()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


# Ray's workers are by default so nice that anything else that runs starves them.
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
_OWN = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
