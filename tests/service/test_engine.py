from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from spacy.language import Language

from zhengling.analysis import analyse
from zhengling.inputs import Source
from zhengling.service.engine import Engine, Stop
from zhengling.service.refusals import Refusal
from zhengling.service.settings import ServiceSettings

TEXT = "示例市民政局召开会议。会议要求，各县民政局要在年底前完成困难老年人探访。"


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Work waits for it; opened at the end of a test whatever happens."""
    event = threading.Event()
    yield event
    event.set()


def test_what_finds_no_place_is_refused_at_once(nlp: Language, gate: threading.Event) -> None:
    async def main() -> None:
        engine = Engine(nlp, settings=ServiceSettings(workers=1, queue=1, retry_seconds=7))
        held = [asyncio.create_task(engine.run(lambda _: gate.wait())) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal) as caught:
            await engine.run(lambda _: True)
        assert caught.value.status == 429
        assert caught.value.headers == {"Retry-After": "7"}
        gate.set()
        assert await asyncio.gather(*held) == [True, True]
        await asyncio.sleep(0)
        assert engine.taken == 0
        assert await engine.run(lambda _: 5) == 5
        engine.close()

    asyncio.run(main())


def test_what_takes_too_long_is_given_up_and_keeps_its_place_till_it_ends(
    nlp: Language, gate: threading.Event
) -> None:
    async def main() -> None:
        engine = Engine(nlp, settings=ServiceSettings(workers=1, queue=0, timeout_seconds=0.05))
        stopped = threading.Event()

        def work(stop: Stop) -> None:
            gate.wait()
            try:
                stop.check()
            finally:
                stopped.set()

        with pytest.raises(Refusal) as caught:
            await engine.run(work)
        assert caught.value.status == 504
        with pytest.raises(Refusal) as caught:
            await engine.run(lambda _: True)
        assert caught.value.status == 429
        gate.set()
        assert await asyncio.to_thread(stopped.wait, 30)
        while engine.taken:
            await asyncio.sleep(0.01)
        assert await engine.run(lambda _: True)
        engine.close()

    asyncio.run(main())


def test_a_fault_frees_its_place(nlp: Language) -> None:
    async def main() -> None:
        engine = Engine(nlp, settings=ServiceSettings(queue=0))
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await engine.run(lambda _: 1 // 0)
            await asyncio.sleep(0.01)
        assert engine.taken == 0
        engine.close()

    asyncio.run(main())


def test_threads_that_share_a_model_find_the_same(nlp: Language) -> None:
    sources = [Source(f"{n}", "", TEXT[n:] + chr(0x4E00 + n)) for n in range(12)]
    expected = [bulletin for source in sources for bulletin in analyse(nlp, [source])]

    async def main() -> None:
        engine = Engine(nlp, settings=ServiceSettings(workers=4))
        works = [lambda stop, s=source: list(engine.analyse([s], stop=stop)) for source in sources]
        found = await asyncio.gather(*(engine.run(work) for work in works))
        assert [bulletin for one in found for bulletin in one] == expected
        engine.close()

    asyncio.run(main())
