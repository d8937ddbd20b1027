"""Plain text in the encodings that Chinese offices use."""

from __future__ import annotations

import codecs
import unicodedata

from zhengling.errors import DataError
from zhengling.formats.documents.base import Document

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Shares of frequent characters: running text has nine of ten, text in the wrong encoding three.
_RARE, _USUAL = 0.5, 0.8
_RTF = b"{\\rtf"
_PLAIN_CONTROLS = frozenset("\t\n\r\v\f\x1a\x1b\x85")


def read(content: bytes) -> Document:
    """A text file, its line ends unchanged."""
    return Document(decode(content))


def decode(content: bytes) -> str:
    """Decode bytes: a byte order mark decides, else UTF-8, else GB18030.

    Args:
        content: the bytes; a byte order mark is no part of the text.

    Raises:
        DataError: it is binary, RTF, or in another encoding.
    """
    if content.startswith(_RTF):
        raise DataError("RTF, not plain text; save it as .docx")
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decode(content[len(mark) :] if encoding == "utf-8" else content, encoding)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        if _is_cut_off(content, error):
            raise DataError("UTF-8 that ends in the middle of a character; is the file whole?") from error
        text = _decode(content, "gb18030", first=error)
        if _is_big5(content, text):
            raise DataError("text in Big5, not in UTF-8 or GB18030; convert it to UTF-8") from error
    strange = next((c for c in text if c < " " and c not in _PLAIN_CONTROLS), None)
    if strange is not None:
        offset = text.index(strange)
        raise DataError(f"binary: control character U+{ord(strange):04X} at offset {offset}")
    return text


def _is_big5(content: bytes, as_gb18030: str) -> bool:
    """Whether frequent characters are what Big5 makes of it, and not what GB18030 does.

    Nearly any text in Big5 can be decoded as GB18030, to rare characters. Both standards have the frequent
    ones in front: GB 2312 in rows up to 0xD7, Big5 in rows up to 0xC6.
    """
    try:
        as_big5 = content.decode("big5")
    except UnicodeDecodeError:
        return False
    rare = _frequent(as_gb18030, "gb2312", last=0xD7) < _RARE
    return rare and _frequent(as_big5, "big5", last=0xC6) > _USUAL


def _frequent(text: str, encoding: str, *, last: int) -> float:
    """The share of Chinese characters that are in the first rows of a standard, 0 if there are none.

    Characters of private use count as Chinese: GB18030 has a place for them, and no text has any.
    """
    characters = [c for c in text if c >= "\u3400" and (c.isalpha() or unicodedata.category(c) == "Co")]
    rows = [c.encode(encoding, "ignore")[:1] for c in characters]
    return sum(b"" < row <= bytes([last]) for row in rows) / max(1, len(characters))


def _is_cut_off(content: bytes, error: UnicodeDecodeError) -> bool:
    """Whether all is UTF-8, and not just ASCII, up to a last character of which bytes are missing."""
    return error.reason == "unexpected end of data" and not content[: error.start].isascii()


def _decode(content: bytes, encoding: str, *, first: UnicodeDecodeError | None = None) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        shown = first or error
        raise DataError(f"not text in UTF-8 or GB18030 (byte {shown.start}); convert it to UTF-8") from error
