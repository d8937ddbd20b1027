"""What the service says when it doesn't do what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Refusal(Exception):  # noqa: N818 - most are no errors of the program
    """A request that is not served.

    Attributes:
        status: of HTTP.
        code: a word for programs.
        message: a line for people; it quotes nothing of a bulletin's text.
        headers: further headers of the answer.
    """

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"error": {"code": self.code, "message": self.message}}


def too_large(size: int, *, what: str, limit: int, name: str) -> Refusal:
    """Beyond a limit of the settings."""
    return Refusal(413, "too_large", f"{what}: {size}, more than {limit} (limit {name}); send less at a time")


def unreadable(message: str) -> Refusal:
    """A body that can't be read as what it claims to be."""
    return Refusal(400, "unreadable", message)


def unfit(message: str) -> Refusal:
    """A body that was read and doesn't hold what is needed."""
    return Refusal(422, "unfit", message)


def busy(seconds: int) -> Refusal:
    """All workers and all places in the queue are taken."""
    return Refusal(429, "busy", f"busy; try again in {seconds} s", {"Retry-After": str(seconds)})


def slow(seconds: float) -> Refusal:
    """A request that isn't there in time; the connection is closed, as its rest would hold it open."""
    message = f"the request was not complete within {seconds:g} s (limit timeout_seconds); send it faster"
    return Refusal(408, "slow", message, {"Connection": "close"})


def late(seconds: float) -> Refusal:
    """Not done in time."""
    return Refusal(504, "late", f"not done within {seconds:g} s (limit timeout_seconds); send less at a time")


def unauthorized() -> Refusal:
    """No token, or a wrong one."""
    return Refusal(
        401, "unauthorized", "send the token: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"}
    )


def fault(request_id: str) -> Refusal:
    """A fault of the service itself."""
    return Refusal(500, "fault", f"a fault of the service; look for request {request_id} in its log")
