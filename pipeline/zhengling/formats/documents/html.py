"""Web pages: the main text by trafilatura, without menus and footers."""

from __future__ import annotations

import codecs
import copy
import re
from typing import Any

from zhengling.errors import DataError
from zhengling.formats.documents.base import Document, facts, library, parsing
from zhengling.formats.documents.plain import decode

_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
# Names under which pages declare a part of GB18030 and then use all of it.
_CHINESE = frozenset({"gb2312", "gbk", "gb_2312-80", "x-gbk", "hz-gb-2312"})
_HEAD = 4096


def read(content: bytes) -> Document:
    """The main text of a page, with title, date and the name of the site. Nothing is fetched.

    Raises:
        DataError: there is no text in it, or its encoding is unknown.
    """
    trafilatura = library("trafilatura", package="trafilatura")
    page = _decode(content)
    with parsing("HTML"):
        found = trafilatura.bare_extraction(
            page,
            include_comments=False,
            include_tables=True,
            favor_recall=True,
            with_metadata=True,
            config=_settings(),
        )
    if found is None or not (found.text or "").strip():
        raise DataError("no main text found in the page; save its text as .txt")
    return Document(found.text, facts(title=found.title, date=found.date, source=found.sitename))


def _settings() -> Any:
    """Trafilatura's settings for short texts: what it finds in the article counts from a line on."""
    settings = copy.deepcopy(library("trafilatura.settings", package="trafilatura").DEFAULT_CONFIG)
    settings["DEFAULT"].update({"MIN_EXTRACTED_SIZE": "25", "MIN_OUTPUT_SIZE": "1"})
    return settings


def _decode(content: bytes) -> str:
    """Decode a page by its byte order mark, by what it says of itself, or as plain text."""
    declared = _CHARSET.search(content, 0, _HEAD)
    marked = content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if declared and not marked:
        name = declared[1].decode("ascii").lower()
        try:
            return content.decode("gb18030" if name in _CHINESE else name)
        except (LookupError, UnicodeDecodeError):
            pass  # The page is wrong about itself; the bytes decide.
    return decode(content)
