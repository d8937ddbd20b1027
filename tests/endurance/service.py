"""The service under bad manners: many clients, requests malformed or too large, one very slow.

    python -m tests.endurance.service --clients 64 --seconds 300

One request in ten is malformed, one in twenty too large; the slow client sends a byte a second. Every good
answer is compared with what the service said when nobody else asked. Exit status: 0 all well; 1 a 5xx, a
wrong answer, a bad request that was not refused as it should be, a slow client that may stay, or memory that
grew by 50 MB.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated, Any

import httpx
import typer
from benchmarks.service import ALLOWED_GROWTH, memory, server

from zhengling.formats import read_bulletins

DATA = Path(__file__).parents[2] / "corpus" / "dev"
ANALYZE = "/v1/analyze"
# Smaller than usual, so that what is too large is quickly sent and what is too slow soon given up.
SETTINGS = {
    "body_bytes": 200_000,
    "text_characters": 20_000,
    "timeout_seconds": 30,
    "queue": 16,
    "workers": 2,
}
JSON = {"Content-Type": "application/json"}
Request = tuple[bytes, Mapping[str, str], frozenset[int]]


def _request(body: object, *statuses: int) -> Request:
    return json.dumps(body).encode(), JSON, frozenset(statuses)


# Body, headers, and the statuses that are right.
MALFORMED: Sequence[Request] = (
    (b"{", JSON, frozenset({400})),
    (b"", JSON, frozenset({400})),
    (b'{"text": "\xff\xfe"}', JSON, frozenset({400})),
    (b'{"text": "\\ud800"}', JSON, frozenset({400})),
    (b'{"text": "a", "text": "b"}', JSON, frozenset({400})),
    (b"[" * 5000, JSON, frozenset({400})),
    (b"x", {"Content-Type": "application/xml"}, frozenset({415})),
    (b"x", {"Content-Type": "multipart/form-data"}, frozenset({400})),
    (b"x", {"Content-Type": "multipart/form-data; boundary=b"}, frozenset({400, 422})),
    _request({"text": 1}, 422),
    _request({"texts": "a"}, 422),
    _request(["a"], 422),
    _request({"text": ""}, 422),
    _request({"text": " \n"}, 422, 429),
)
OVERSIZED: Sequence[Request] = (
    _request({"text": "民" * (SETTINGS["text_characters"] + 1)}, 413, 429),
    _request({"text": "a" * SETTINGS["body_bytes"]}, 413),
)


@dataclass
class Tally:
    """What the clients saw.

    Attributes:
        statuses: answers by status; 0 for none.
        faults: what should not be, in words.
        seconds: times to the good answers.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


async def _client(
    http: httpx.AsyncClient, expected: Mapping[str, Any], tally: Tally, *, end: float, seed: int
) -> None:
    random, texts = Random(seed), list(expected)
    while time.monotonic() < end:
        text, chance = random.choice(texts), random.random()
        kind = (
            MALFORMED
            if chance < 0.10
            else OVERSIZED
            if chance < 0.15
            else [_request({"text": text}, 200, 429)]
        )
        body, headers, right = random.choice(kind)
        begun = time.monotonic()
        try:
            answer = await http.post(ANALYZE, content=body, headers=headers)
        except httpx.HTTPError as error:
            tally.statuses[0] += 1
            tally.faults.append(f"no answer: {type(error).__name__}")
            continue
        tally.statuses[answer.status_code] += 1
        if answer.status_code not in right:
            tally.faults.append(f"{answer.status_code} to {body[:60]!r}, expected {sorted(right)}")
        elif answer.status_code == 200:
            tally.seconds.append(time.monotonic() - begun)
            if answer.json() != expected[text]:
                tally.faults.append(f"another answer than alone to {text[:30]!r}")
        elif answer.status_code == 429:
            await asyncio.sleep(float(answer.headers["retry-after"]) * random.random())


async def _slow_client(address: str, *, pause: float) -> str:
    """Send a byte of a body from time to time, until the service has enough; the first line of its answer."""
    url = httpx.URL(address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = (
        f"POST {ANALYZE} HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        "Content-Length: 5000",
        "",
    )
    writer.write("".join(f"{line}\r\n" for line in head).encode())
    answer = asyncio.create_task(reader.read())  # to the end: the connection must be closed
    while not answer.done():
        writer.write(b" ")
        await asyncio.wait([answer], timeout=pause)
    writer.close()
    return (await answer).split(b"\r\n")[0].decode()


async def _load(
    address: str, expected: Mapping[str, Any], *, clients: int, seconds: float, pause: float | None
) -> Tally:
    tally, end = Tally(), time.monotonic() + seconds
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=limits) as http:
        slow = None if pause is None else asyncio.create_task(_slow_client(address, pause=pause))
        await asyncio.gather(*(_client(http, expected, tally, end=end, seed=n) for n in range(clients)))
        said = await slow if slow else ""
    if slow and " 408 " not in said:
        tally.faults.append(f"the slow client was told {said!r}")
    return tally


def _alone(address: str, text: str) -> Any:
    return httpx.post(address + ANALYZE, json={"text": text}, timeout=300).json()


def run(
    *,
    clients: int,
    seconds: float,
    warm_up: float = 0.0,
    pause: float | None = 1.0,
    changes: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Put bad manners on a service.

    Args:
        clients: that ask at the same time.
        seconds: how long they go on asking.
        warm_up: seconds of the same load before memory is measured.
        pause: of the slow client between bytes, seconds; None for no such client.
        changes: of ``SETTINGS``.
    """
    texts = [bulletin.text[:500] for bulletin in read_bulletins(DATA)][:20]
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "settings.json"
        settings.write_text(json.dumps({**SETTINGS, **(changes or {})}), encoding="utf-8")
        with server(settings) as address:
            expected = {text: _alone(address, text) for text in texts}
            asyncio.run(_load(address, expected, clients=clients, seconds=warm_up, pause=None))
            before = memory(address)
            tally = asyncio.run(_load(address, expected, clients=clients, seconds=seconds, pause=pause))
            growth = memory(address) - before
    times = sorted(tally.seconds)
    at = {
        f"p{share}_seconds": round(times[share * (len(times) - 1) // 100], 3) for share in (50, 99) if times
    }
    return {
        "answers": {str(status): count for status, count in sorted(tally.statuses.items())},
        **at,
        "growth_mb": round(growth / 1e6, 1),
        "faults": tally.faults,
    }


def main(
    clients: Annotated[int, typer.Option(min=1)] = 64,
    seconds: Annotated[float, typer.Option(min=1)] = 300,
    warm_up: Annotated[float, typer.Option(help="Seconds of the same load before memory is measured.")] = 30,
) -> None:
    """Put bad manners on a service and print what came of it."""
    found = run(clients=clients, seconds=seconds, warm_up=warm_up)
    print(
        json.dumps({**found, "faults": found["faults"][:10], "fault_count": len(found["faults"])}, indent=1)
    )
    if found["faults"] or found["growth_mb"] > ALLOWED_GROWTH / 1e6:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
