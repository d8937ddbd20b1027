"""What a worker is about to do, in a file that outlives it, so that the next one knows what killed it."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Self

from zhengling.errors import ZhenglingError

_ATTEMPT = "attempt"


@dataclass(frozen=True, slots=True)
class Trail:
    """The steps of a part, and how often a worker died at each.

    A file of lines: ``attempt PID``, then the steps that were begun. An attempt that isn't the last one
    ended at its last step.

    Attributes:
        path: the file; it is removed when the part is done.
        handle: its descriptor.
        deaths: by step.
        most: deaths at a step after which it isn't tried again.
    """

    path: Path
    handle: int
    deaths: Counter[str]
    most: int

    @classmethod
    def open(cls, path: Path, *, most: int) -> Self:
        """Begin an attempt."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        lines = path.read_text(encoding="utf-8").splitlines()
        trail = cls(path, handle, _deaths(lines), most)
        trail.begin(f"{_ATTEMPT} {os.getpid()}")
        return trail

    def begin(self, step: str) -> None:
        """Note a step before it is done; the system keeps the note when the process is killed."""
        os.write(self.handle, f"{step}\n".encode())

    def is_deadly(self, step: str) -> bool:
        """Whether so many workers died at a step that it isn't to be tried again."""
        return self.deaths[step] >= self.most

    def must(self, step: str, *, what: str) -> None:
        """Note a step that can't be left out.

        Raises:
            ZhenglingError: too many workers died at it.
        """
        if self.is_deadly(step):
            raise ZhenglingError(
                f"{self.most} workers died while {what}; finished parts are intact. Is memory short? "
                "Try fewer --processes"
            )
        self.begin(step)

    def close(self, *, done: bool) -> None:
        """End the attempt."""
        os.close(self.handle)
        if done:
            self.path.unlink(missing_ok=True)


def _deaths(lines: list[str]) -> Counter[str]:
    deaths: Counter[str] = Counter()
    for line, following in pairwise([*lines, _ATTEMPT]):
        if following.startswith(_ATTEMPT):
            deaths[line] += 1
    return deaths
