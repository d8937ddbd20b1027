"""The application: routes, and what each does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from spacy.language import Language as Pipeline
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from zhengling import __version__
from zhengling.errors import DataError
from zhengling.inputs import Source
from zhengling.loading import scheme_of
from zhengling.report.page import render_content
from zhengling.report.wording import Language, label_text
from zhengling.schema import Bulletin
from zhengling.service import answers, ledger, refusals, requests, web
from zhengling.service.engine import Engine, Stop
from zhengling.service.guard import REQUEST_ID, Guard
from zhengling.service.metrics import Metrics
from zhengling.service.requests import AnalysedBody, BatchBody, Inputs, TextBody
from zhengling.service.settings import ServiceSettings

# What a browser fetches before anybody could enter a token; none of it depends on a text.
OPEN_PATHS = ("/", "/docs", "/healthz", "/openapi.json", *web.ASSETS)

Render = Callable[[list[Bulletin], list[DataError]], bytes]


def create_app(
    nlp: Pipeline, *, settings: ServiceSettings | None = None, token: str | None = None
) -> ASGIApp:
    """The service as an ASGI application.

    Args:
        nlp: the pipeline, shared by all workers.
        settings: limits.
        token: what clients must send as bearer token; None lets all in who reach the address.
    """
    chosen = settings or ServiceSettings()
    service = _Service(nlp, settings=chosen)
    app = FastAPI(
        title="zhengling",
        version=__version__,
        description="Reads Chinese government bulletins: entities, directives, service domains.",
        docs_url=None,
        redoc_url=None,
        lifespan=service.lifespan,
    )
    app.add_exception_handler(refusals.Refusal, _answer_refusal)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_query)
    app.add_exception_handler(Exception, _answer_fault)
    _add_routes(app, service)
    web.add_routes(app, scheme=service.scheme)
    paths = {getattr(route, "path", "") for route in app.routes}
    return Guard(app, metrics=service.metrics, paths=paths, open_paths=OPEN_PATHS, token=token)


class _Service:
    """What the routes share."""

    def __init__(self, nlp: Pipeline, *, settings: ServiceSettings) -> None:
        self.settings = settings
        self.engine = Engine(nlp, settings=settings)
        self.metrics = Metrics()
        self.metrics.taken.set_function(lambda: self.engine.taken)
        self.scheme = scheme_of(nlp)
        self.model = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"

    @asynccontextmanager
    async def lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        """When the server stops, wait for the threads."""
        yield
        self.engine.close()

    async def analyse(
        self, request: Request, *, body: type[TextBody] | type[BatchBody], render: Render
    ) -> bytes:
        """Analyse what a request holds, and render it in the same thread.

        Raises:
            Refusal: see ``requests`` and ``engine``.
        """
        inputs = await requests.read_inputs(request, body=body, settings=self.settings)
        return await self.engine.run(lambda stop: self._work(inputs, render, stop))

    def schema(self) -> dict[str, Any]:
        """Labels and limits."""
        return {
            "version": __version__,
            "model": self.model,
            "labels": self.scheme.to_dict(),
            "limits": {
                name: getattr(self.settings, name)
                for name in ("body_bytes", "text_characters", "batch_texts", "timeout_seconds")
            },
        }

    def _work(self, inputs: Inputs, render: Render, stop: Stop) -> bytes:
        faults = list[DataError]()
        bulletins = list(self.engine.analyse(self._good(inputs, faults), stop=stop))
        self.metrics.bulletins.inc(len(bulletins))
        self.metrics.characters.inc(sum(len(bulletin.text) for bulletin in bulletins))
        return render(bulletins, faults)

    def _good(self, inputs: Inputs, faults: list[DataError]) -> Iterator[Source]:
        for source in requests.sources_of(inputs, settings=self.settings):
            if isinstance(source, DataError):
                faults.append(source)
            else:
                yield source


def _add_routes(app: FastAPI, service: _Service) -> None:
    @app.post("/v1/analyze", **answers.describe(TextBody, answers.BULLETIN))
    async def analyze(request: Request) -> Response:
        """Analyse one bulletin: a text, or a file of a form."""
        return _json(await service.analyse(request, body=TextBody, render=_one))

    @app.post("/v1/analyze/batch", **answers.describe(BatchBody, answers.BATCH))
    async def analyze_batch(request: Request) -> Response:
        """Analyse several bulletins; those that can't be read are named among the errors."""
        return _json(await service.analyse(request, body=BatchBody, render=_many))

    @app.post("/v1/ledger", **answers.describe(AnalysedBody, answers.BATCH, sheet=ledger.SHEETS))
    async def ledger_file(
        request: Request,
        form: Annotated[ledger.Form, Query(alias="format")] = "xlsx",
        language: Annotated[Language, Query()] = "zh",
    ) -> Response:
        """Make a task ledger of bulletins as /v1/analyze or /v1/analyze/batch gave them."""
        content = await requests.read_json(request, settings=service.settings)
        made = await service.engine.run(
            lambda _: ledger.make(content, form=form, scheme=service.scheme, language=language)
        )
        return Response(made, media_type=ledger.SHEETS[form], headers=ledger.headers(form))

    @app.post("/page", include_in_schema=False)
    async def page(request: Request, language: Annotated[Language, Query()] = "zh") -> Response:
        def render(bulletins: list[Bulletin], faults: list[DataError]) -> bytes:
            html = render_content(bulletins, scheme=service.scheme, language=language)
            names = {
                name: label_text(label, language=language) for name, label in service.scheme.labels.items()
            }
            return _dump({**_batch(bulletins, faults), "labels": names, "html": html if bulletins else ""})

        return _json(await service.analyse(request, body=TextBody, render=render))

    @app.get("/v1/schema", responses=answers.described(answers.SCHEMA))
    async def schema() -> Response:
        """Labels with their Chinese names and colours, and the limits of this service."""
        return JSONResponse(service.schema())

    @app.get("/healthz", responses=answers.described(answers.HEALTH))
    async def healthz() -> Response:
        """Whether the service is up, and with which model."""
        return JSONResponse({"status": "ok", "version": __version__, "model": service.model})

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Counts and times in Prometheus' form."""
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _one(bulletins: list[Bulletin], faults: list[DataError]) -> bytes:
    """The one bulletin of a request.

    Raises:
        Refusal: it can't be read, or there are several.
    """
    if faults:
        raise refusals.unfit(str(faults[0]))
    if len(bulletins) != 1:
        raise refusals.unfit(f"{len(bulletins)} bulletins; send several to /v1/analyze/batch")
    return _dump(bulletins[0].to_dict())


def _many(bulletins: list[Bulletin], faults: list[DataError]) -> bytes:
    return _dump(_batch(bulletins, faults))


def _batch(bulletins: list[Bulletin], faults: list[DataError]) -> dict[str, Any]:
    return {
        "bulletins": [bulletin.to_dict() for bulletin in bulletins],
        "errors": [{"place": fault.path or "", "message": fault.message} for fault in faults],
    }


def _dump(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8")


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


async def _answer_refusal(_: Request, error: Exception) -> Response:
    """A refusal as JSON; of other kinds come only what the handlers below make of them."""
    if not isinstance(error, refusals.Refusal):
        raise error
    return JSONResponse(error.to_dict(), error.status, headers=dict(error.headers))


async def _answer_http(request: Request, error: Exception) -> Response:
    """404, 405 and the like in the same form."""
    if not isinstance(error, HTTPException):
        raise error
    refusal = refusals.Refusal(error.status_code, "http", str(error.detail), error.headers or {})
    return await _answer_refusal(request, refusal)


async def _answer_query(request: Request, error: Exception) -> Response:
    """Bodies are checked elsewhere, so what FastAPI finds is in the query."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    said = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in found)
    return await _answer_refusal(request, refusals.unfit(said))


async def _answer_fault(request: Request, _: Exception) -> Response:
    return await _answer_refusal(request, refusals.fault(request.scope[REQUEST_ID]))
