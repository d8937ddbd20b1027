"""Around the application: the token, headers, a log line and a count a request, no traceback outside."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import time
import traceback
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhengling.service import refusals
from zhengling.service.metrics import Metrics

LOGGER = logging.getLogger("zhengling.service")
REQUEST_ID = "zhengling.request"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """ASGI middleware, the outermost.

    Attributes:
        app: the application.
        metrics: where requests are counted.
        paths: the known paths; all others are counted as one, so that their number stays bounded.
        open_paths: those that need no token.
        token: None for a service that is open to all who reach it.
    """

    app: ASGIApp
    metrics: Metrics
    paths: Collection[str]
    open_paths: Collection[str]
    token: str | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or pass on what is none."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, request_id = time.perf_counter(), uuid.uuid4().hex[:16]
        scope[REQUEST_ID] = request_id
        answer = _Answer(send, request_id)
        try:
            if self._allowed(scope):
                await self.app(scope, receive, answer.send)
            else:
                await _refuse(refusals.unauthorized(), scope, receive, answer)
        except Exception as error:
            # The message of an exception may quote a bulletin, so the log gets its kind and place only.
            LOGGER.error(json.dumps({"event": "fault", "request": request_id, "fault": _trace(error)}))
            if not answer.status:
                await _refuse(refusals.fault(request_id), scope, receive, answer)
            elif not answer.complete:
                raise ConnectionError("the answer was broken off") from None
        finally:
            self._note(scope, answer, seconds=time.perf_counter() - begun)

    def _allowed(self, scope: Scope) -> bool:
        if self.token is None or scope["path"] in self.open_paths:
            return True
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        # Digests are of one length, so that the time taken tells nothing about the token's.
        right = hmac.compare_digest(_digest(given.strip()), _digest(self.token))
        return right and scheme.lower() == "bearer"

    def _note(self, scope: Scope, answer: _Answer, *, seconds: float) -> None:
        path = scope["path"] if scope["path"] in self.paths else "other"
        method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST") else "other"
        self.metrics.requests.labels(method, path, str(answer.status)).inc()
        self.metrics.seconds.labels(path).observe(seconds)
        entry = {
            "event": "request",
            "request": answer.request_id,
            "method": method,
            "path": path,
            "status": answer.status,
            "milliseconds": round(1000 * seconds, 1),
            "bytes": answer.size,
        }
        LOGGER.info(json.dumps(entry))


class _Answer:
    """Adds headers to an answer and remembers its status and size."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0
        self.size = 0
        self.complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in {**_HEADERS, "x-request-id": self.request_id}.items():
                headers.setdefault(name, value)
        self.size += len(message.get("body", b""))
        await self._send(message)
        self.complete = message["type"] == "http.response.body" and not message.get("more_body", False)


async def _refuse(refusal: refusals.Refusal, scope: Scope, receive: Receive, answer: _Answer) -> None:
    response = JSONResponse(refusal.to_dict(), refusal.status, headers=dict(refusal.headers))
    await response(scope, receive, answer.send)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _trace(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"
