"""One HTML file for reading annotated bulletins: no server, no network, legible without JavaScript."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from zhengling.report.colours import legible, mix
from zhengling.report.view import TagSet, entity_chip, styles_of, tag_set, view
from zhengling.report.wording import Language, words
from zhengling.schema import Bulletin, LabelScheme


@dataclass(frozen=True, slots=True)
class _Theme:
    """Backgrounds of page and text, and the share of its colour in a label's tint."""

    paper: str
    sheet: str
    share: float


THEMES = {
    "light": _Theme(paper="#f6f4ef", sheet="#ffffff", share=0.10),
    "dark": _Theme(paper="#131518", sheet="#1c1e22", share=0.24),
}

# Past so many bulletins the page opens with all of them folded.
_OPEN_LIMIT = 5


def render_page(
    bulletins: Iterable[Bulletin],
    *,
    scheme: LabelScheme,
    language: Language = "zh",
    title: str | None = None,
) -> str:
    """Lay bulletins out as one self-contained HTML page.

    Args:
        bulletins: annotated by the scheme, gold or predicted; any number.
        scheme: names, order and colours of the labels. What belongs to functions or domains is
            left out where there are none. Its first function is the one that stands out.
        language: of headings and label names; the bulletins stay as they are.
        title: of the page; by default the bulletin's own if there is only one.

    Returns:
        The HTML text. It makes no request: styles and script are inline and pinned by their hashes.

    Raises:
        DataError: spans of a bulletin overlap, are out of order or out of range.
        ZhenglingError: a label's colour is not ``#rrggbb``, or the language is unknown.
    """
    furniture = words(language)
    templates = page_templates()
    content = _content(bulletins, scheme=scheme, language=language)
    views, tags = content["views"], content["tags"]
    style, script = _style(templates, tags=tags), templates.get_template("page.js").render()
    # Safe to embed unescaped: our own templates, filled with checked colours only.
    return templates.get_template("page.html.j2").render(
        content,
        style=Markup(style),
        script=Markup(script),
        policy=content_policy(style=style, script=script),
        title=title or (views[0].title if len(views) == 1 else furniture["page"]),
    )


def render_content(bulletins: Iterable[Bulletin], *, scheme: LabelScheme, language: Language = "zh") -> str:
    """What stands between head and foot of the page, for a page that has ``scheme_style`` and ``page.js``.

    Args, raises: see ``render_page``.
    """
    content = _content(bulletins, scheme=scheme, language=language)
    return page_templates().get_template("content.html.j2").render(content, title=None)


def scheme_style(scheme: LabelScheme) -> str:
    """The style sheet with the colours of all labels of a scheme.

    Raises:
        ZhenglingError: a label's colour is not ``#rrggbb``.
    """
    lead = next((style for _, style in styles_of(scheme.functions[:1], prefix="f")), None)
    groups = (("e", scheme.entities), ("d", scheme.domains), ("f", scheme.functions))
    shown = [
        (style, label.colour)
        for prefix, labels in groups
        for label, style in styles_of(labels, prefix=prefix)
    ]
    return _render_style(page_templates(), shown, lead=lead)


def _content(bulletins: Iterable[Bulletin], *, scheme: LabelScheme, language: Language) -> dict[str, Any]:
    """What the templates need to lay bulletins out."""
    bulletins = tuple(bulletins)
    tags = tag_set(bulletins, scheme=scheme, language=language)
    views = tuple(
        view(bulletin, number=number, tags=tags, scheme=scheme)
        for number, bulletin in enumerate(bulletins, start=1)
    )
    return {
        "words": words(language),
        "views": views,
        "tags": tags,
        "entity_chip": functools.partial(entity_chip, tags=tags),
        "unfolded": len(views) <= _OPEN_LIMIT,
    }


@functools.cache
def page_templates(*packages: str) -> Environment:
    """Templates of pages: those of the packages, then those of this one."""
    templates = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in (*packages, "zhengling.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["verbatim"] = verbatim
    return templates


def verbatim(text: str) -> Markup:
    """Escape a text so that a browser gives back each character.

    A bare carriage return would be read as a line feed; NUL has no form in HTML and gets its picture.
    """
    return Markup(escape(text).replace("\r", Markup("&#13;")).replace("\0", "␀"))


def _style(templates: Environment, *, tags: TagSet) -> str:
    # A sentence bears its function and its domains and has the colour of the function: last rule wins.
    shown = [*tags.entities.values(), *tags.domains.values(), *tags.functions.values()]
    colours = [(tag.style, tag.label.colour) for tag in shown]
    return _render_style(templates, colours, lead=tags.lead.style if tags.lead else None)


def _render_style(templates: Environment, shown: list[tuple[str, str]], *, lead: str | None) -> str:
    return templates.get_template("page.css.j2").render(palettes=palettes_of(shown), themes=THEMES, lead=lead)


def palettes_of(styles: Iterable[tuple[str, str]]) -> dict[str, list[Mapping[str, str]]]:
    """Ink and tint of styles by theme, for the style sheet.

    Args:
        styles: names of classes with their colours, ``#rrggbb``.

    Raises:
        ZhenglingError: a colour is of another form.
    """
    shown = tuple(styles)
    return {
        name: [_colours(style, colour, theme=theme) for style, colour in shown]
        for name, theme in THEMES.items()
    }


def _colours(style: str, colour: str, *, theme: _Theme) -> Mapping[str, str]:
    tint = mix(theme.sheet, colour, share=theme.share)
    ink = legible(colour, backgrounds=(tint, theme.sheet, theme.paper))
    return {"style": style, "ink": ink, "tint": tint}


def content_policy(*, style: str, script: str) -> str:
    """A content security policy under which this page's own style and script run and nothing else loads."""
    return (
        f"default-src 'none'; style-src {_pin(style)}; script-src {_pin(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _pin(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
