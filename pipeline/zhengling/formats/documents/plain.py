"""Plain text in the encodings that Chinese offices use."""

from __future__ import annotations

import codecs

from zhengling.errors import DataError
from zhengling.formats.documents.base import Document

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PLAIN_CONTROLS = frozenset("\t\n\r\v\f\x1a\x1b\x85")


def read(content: bytes) -> Document:
    """A text file, its line ends unchanged."""
    return Document(decode(content))


def decode(content: bytes) -> str:
    """Decode bytes: a byte order mark decides, else UTF-8, else GB18030.

    Args:
        content: the bytes; a byte order mark is no part of the text.

    Raises:
        DataError: it is binary or in another encoding.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decode(content[len(mark) :] if encoding == "utf-8" else content, encoding)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_cut_off(content, error):
            raise DataError("UTF-8 that ends in the middle of a character; is the file whole?") from error
        text = _decode(content, "gb18030", first=error)
    strange = next((c for c in text if c < " " and c not in _PLAIN_CONTROLS), None)
    if strange is not None:
        offset = text.index(strange)
        raise DataError(f"binary: control character U+{ord(strange):04X} at offset {offset}")
    return text


def _is_cut_off(content: bytes, error: UnicodeDecodeError) -> bool:
    """Whether all is UTF-8, and not just ASCII, up to a last character of which bytes are missing."""
    return error.reason == "unexpected end of data" and not content[: error.start].isascii()


def _decode(content: bytes, encoding: str, *, first: UnicodeDecodeError | None = None) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        shown = first or error
        raise DataError(f"not text in UTF-8 or GB18030 (byte {shown.start}); convert it to UTF-8") from error
