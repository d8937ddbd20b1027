"""The command, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tests.conftest import REPOSITORY, Outcome
from tests.service.conftest import TEXT

from zhengling.service.settings import ServiceSettings

Start = Callable[..., tuple["subprocess.Popen[bytes]", str]]


@pytest.fixture
def command() -> Iterator[Start]:
    started = list[subprocess.Popen[bytes]]()

    def run(*arguments: str, **environment: str) -> tuple[subprocess.Popen[bytes], str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        sources = os.pathsep.join(str(REPOSITORY / name) for name in ("pipeline", "training"))
        process = subprocess.Popen(
            [sys.executable, "-m", "zhengling", "serve", "--port", str(port), *arguments],
            env=os.environ | {"PYTHONPATH": sources, "OMP_NUM_THREADS": "1"} | environment,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        address = f"http://127.0.0.1:{port}"
        while process.poll() is None:
            try:
                httpx.get(f"{address}/healthz", timeout=60)
            except httpx.HTTPError:
                time.sleep(0.1)
            else:
                break
        return process, address

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_what_was_begun_is_finished_when_it_is_stopped(command: Start) -> None:
    process, address = command(ZHENGLING_TOKEN="secret")
    headers = {"Authorization": "Bearer secret"}
    assert httpx.get(f"{address}/v1/schema", timeout=60).status_code == 401
    with ThreadPoolExecutor() as pool:
        body = {"text": TEXT * 20}
        answer = pool.submit(httpx.post, f"{address}/v1/analyze", json=body, headers=headers, timeout=300)
        while "places_taken 1" not in httpx.get(f"{address}/metrics", headers=headers, timeout=60).text:
            assert not answer.done(), "too quick to be stopped under way"
        process.send_signal(signal.SIGTERM)
        assert answer.result().json()["text"] == TEXT * 20
    _, logged = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGTERM)
    entries = [json.loads(line) for line in logged.decode().splitlines()]
    assert [entry["status"] for entry in entries if entry["path"] == "/v1/analyze"] == [200]
    assert "示例" not in logged.decode()


def test_a_body_that_never_ends_is_given_up(start: Callable[..., str]) -> None:
    """It was waited for without end, whatever ``timeout_seconds`` said."""
    address = httpx.URL(start(settings=ServiceSettings(timeout_seconds=0.2)))
    head = "POST /v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Type: {}\r\nContent-Length: 999\r\n\r\n"
    for kind, begun in (("application/json", '{"text"'), ("multipart/form-data; boundary=b", "--b\r\n")):
        with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
            connection.sendall((head.format(kind) + begun).encode())
            answer = b"".join(iter(lambda: connection.recv(4096), b""))  # until the service closes it
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"slow"' in answer


def test_faults_of_the_command(cli: Callable[..., Outcome], tmp_path: Path) -> None:
    settings = tmp_path / "s.json"
    settings.write_text('{"quue": 1}')
    for arguments, says in (
        (("--settings", settings), "unknown key 'quue'"),
        (("--model", "none"), "no such model"),
    ):
        outcome = cli("serve", *arguments)
        assert outcome.code == 2
        assert outcome.err.startswith("error: ")
        assert says in outcome.err
        assert outcome.err.count("\n") == 1
