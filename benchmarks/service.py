"""Load on the service, over loopback: many clients for a while; no error but 429, and no growth.

    python benchmarks/service.py
    python benchmarks/service.py --clients 32 --seconds 60 --settings configs/service.json

A server is started for it and stopped after it. Each client sends bulletins of ``corpus/dev`` one after the
other, and after a 429 waits as long as it was told. Exit status: 0 all well, 1 an error or too much growth.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import typer

from zhengling.formats import read_bulletins

ROOT = Path(__file__).parents[1]
ALLOWED_GROWTH = 50_000_000  # bytes
GOOD = (200, 429)


@dataclass
class Tally:
    """What the clients saw.

    Attributes:
        statuses: answers by status; 0 for none.
        seconds: times to the good answers.
        characters: in the good answers.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    characters: int = 0


def main(
    clients: Annotated[int, typer.Option(min=1)] = 32,
    seconds: Annotated[float, typer.Option(min=1)] = 60,
    warm_up: Annotated[float, typer.Option(help="Seconds of the same load before memory is measured.")] = 20,
    settings: Annotated[Path, typer.Option(help="Of the server.")] = ROOT / "configs" / "service.json",
    data: Annotated[Path, typer.Option(help="Bulletins to send.")] = ROOT / "corpus" / "dev",
) -> None:
    """Put load on a service and print what came of it."""
    texts = [bulletin.text for bulletin in read_bulletins(data)]
    with server(settings) as address:
        asyncio.run(_load(address, texts, clients=clients, seconds=warm_up))
        before = memory(address)
        begun = time.perf_counter()
        tally = asyncio.run(_load(address, texts, clients=clients, seconds=seconds))
        elapsed = time.perf_counter() - begun
        growth = memory(address) - before
    result = _summary(tally, elapsed=elapsed) | {"memory_mb": before / 1e6, "growth_mb": growth / 1e6}
    print(json.dumps({key: _short(value) for key, value in result.items()}, indent=1))
    if any(status not in GOOD for status in tally.statuses) or growth > ALLOWED_GROWTH:
        raise typer.Exit(1)


def _summary(tally: Tally, *, elapsed: float) -> dict[str, object]:
    times = sorted(tally.seconds)
    return {
        "answers": {str(status): count for status, count in sorted(tally.statuses.items())},
        "answers_a_second": len(times) / elapsed,
        "characters_a_second": tally.characters / elapsed,
        "p50_seconds": statistics.median(times) if times else None,
        "p95_seconds": times[int(0.95 * (len(times) - 1))] if times else None,
    }


def _short(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


async def _load(address: str, texts: list[str], *, clients: int, seconds: float) -> Tally:
    tally, end = Tally(), time.perf_counter() + seconds
    async with httpx.AsyncClient(
        base_url=address, timeout=300, limits=httpx.Limits(max_connections=clients)
    ) as http:
        await asyncio.gather(
            *(_client(http, texts[n % len(texts) :] + texts, tally, end) for n in range(clients))
        )
    return tally


async def _client(http: httpx.AsyncClient, texts: list[str], tally: Tally, end: float) -> None:
    for text in itertools.cycle(texts):
        if time.perf_counter() >= end:
            return
        begun = time.perf_counter()
        try:
            response = await http.post("/v1/analyze", json={"text": text})
        except httpx.HTTPError:
            tally.statuses[0] += 1
            continue
        tally.statuses[response.status_code] += 1
        if response.status_code == 429:
            await asyncio.sleep(float(response.headers["retry-after"]))
        elif response.status_code == 200:
            tally.seconds.append(time.perf_counter() - begun)
            tally.characters += len(response.json()["text"])


def memory(address: str) -> float:
    """Resident bytes of the server."""
    found = re.search(
        r"^process_resident_memory_bytes (\S+)$", httpx.get(f"{address}/metrics").text, re.MULTILINE
    )
    if found is None:
        raise typer.BadParameter("the server's metrics don't tell its memory; this needs Linux")
    return float(found[1])


@contextmanager
def server(settings: Path) -> Iterator[str]:
    """A service of its own process; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "zhengling", "serve", "--port", str(port), "--settings", str(settings)]
    with subprocess.Popen(command, env=os.environ, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(address, process)
            yield address
        finally:
            process.terminate()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            httpx.get(f"{address}/healthz")
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise typer.BadParameter(f"the server ended with status {process.returncode}")


if __name__ == "__main__":
    typer.run(main)
