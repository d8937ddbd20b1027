"""What a browser gets: the page, its style and scripts, and the API's description; all from here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse

from zhengling.report.page import page_templates, scheme_style
from zhengling.report.wording import Language, words
from zhengling.schema import LabelScheme
from zhengling.service.wording import service_words

ASSETS = ("/assets/page.css", "/assets/page.js", "/assets/app.js")


def add_routes(app: FastAPI, *, scheme: LabelScheme) -> None:
    """Add the routes that serve no data."""
    templates = page_templates("zhengling.service")
    style = scheme_style(scheme) + templates.get_template("app.css").render()
    scripts = {name: templates.get_template(name).render() for name in ("page.js", "app.js")}

    @app.get("/", include_in_schema=False)
    async def page(language: Annotated[Language, Query()] = "zh") -> Response:
        said = {**words(language), **service_words(language)}
        return HTMLResponse(templates.get_template("app.html.j2").render(words=said, language=language))

    @app.get("/assets/page.css", include_in_schema=False)
    async def page_style() -> Response:
        return Response(style, media_type="text/css")

    @app.get("/assets/page.js", include_in_schema=False)
    async def page_script() -> Response:
        return Response(scripts["page.js"], media_type="text/javascript")

    @app.get("/assets/app.js", include_in_schema=False)
    async def app_script() -> Response:
        return Response(scripts["app.js"], media_type="text/javascript")

    @app.get("/docs", include_in_schema=False)
    async def description(request: Request) -> Response:
        api = app.openapi()
        return HTMLResponse(templates.get_template("docs.html.j2").render(api=api, routes=_routes(api)))


def _routes(api: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"method": method.upper(), "path": path, **route}
        for path, methods in api["paths"].items()
        for method, route in methods.items()
    ]
