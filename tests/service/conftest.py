"""A running service, in this process or behind a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import uvicorn
from spacy.language import Language
from starlette.testclient import TestClient

from zhengling.formats.documents import DocumentLimits
from zhengling.service.app import create_app
from zhengling.service.settings import ServiceSettings

TEXT = "示例市民政局召开会议\n会议要求，各县民政局要在年底前完成困难老年人探访。"
SETTINGS = ServiceSettings(
    body_bytes=100_000,
    text_characters=2_000,
    batch_texts=5,
    queue=64,
    documents=DocumentLimits(archive_files=20, archive_bytes=1_000_000),
)


@pytest.fixture(scope="module")
def client(nlp: Language) -> Iterator[TestClient]:
    with TestClient(create_app(nlp, settings=SETTINGS)) as found:
        yield found


@pytest.fixture
def start(nlp: Language) -> Iterator[Callable[..., str]]:
    """Start a service on a port of this machine; gives its address."""
    with ExitStack() as stack:

        def run(**options: object) -> str:
            settings = options.pop("settings", SETTINGS)
            app = create_app(nlp, settings=settings, **options)  # type: ignore[arg-type]
            server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
            thread = threading.Thread(target=server.run)
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.02)
            port = server.servers[0].sockets[0].getsockname()[1]
            return f"http://127.0.0.1:{port}"

        yield run
