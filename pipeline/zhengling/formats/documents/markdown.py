"""Markdown: its text without the marks, titles and dates from the front matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from zhengling.formats.documents.base import Document, facts, library, parsing
from zhengling.formats.documents.plain import decode

_FRONT_MATTER = re.compile(r"---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
_BREAKS = ("softbreak", "hardbreak")


def read(content: bytes) -> Document:
    """A Markdown file: a block a line, numbers of lists kept, blank lines between blocks."""
    source = decode(content)
    front = _FRONT_MATTER.match(source)
    parser = library("markdown_it", package="markdown-it-py").MarkdownIt("commonmark").enable("table")
    with parsing("Markdown"):
        tokens = parser.parse(source[front.end() :] if front else source)
        text = "\n".join(_lines(tokens))
    stated = dict(_keys(front[1])) if front else {}
    return Document(
        text,
        facts(
            title=stated.get("title") or _heading(tokens),
            date=stated.get("date"),
            source=stated.get("source"),
        ),
    )


def _keys(front: str) -> Iterator[tuple[str, str]]:
    for line in front.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            yield key.strip().lower(), value.strip().strip("\"'")


def _lines(tokens: Iterable[Any]) -> Iterator[str]:
    """A line for each block, with the number of its list item; cells of a row share a line."""
    number, cells = "", list[str]()
    for token in tokens:
        if token.type == "list_item_open" and token.info:
            number = f"{token.info}{token.markup} "
        elif token.type == "tr_open":
            cells = []
        elif token.type in ("td_open", "th_open"):
            cells.append("")
        elif token.type == "tr_close":
            yield "\t".join(cells)
            cells = []
        elif token.type in ("inline", "fence", "code_block", "html_block"):
            text = number + _inline(token)
            number = ""
            if cells:
                cells[-1] = text
            else:
                yield text.rstrip("\n")


def _inline(token: Any) -> str:
    if token.children is None:
        return str(token.content)
    return "".join("\n" if child.type in _BREAKS else child.content for child in token.children)


def _heading(tokens: list[Any]) -> str | None:
    """The first heading of the first level."""
    places = (
        place for place, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h1"
    )
    place = next(places, None)
    return None if place is None else _inline(tokens[place + 1])
