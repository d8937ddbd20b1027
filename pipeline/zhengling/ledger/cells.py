"""What may stand in a cell: no formula, no control character, no more than Excel holds."""

from __future__ import annotations

import re

# What Excel, LibreOffice and WPS take for the beginning of a formula, full-width forms too.
_FORMULA = "=+-@\t\r\n＝＋－＠"
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_PICTURES = 0x2400
LONGEST = 32_767
_CUT = "…"


def neutral(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text[:1] and text[0] in _FORMULA else text


def printable(text: str) -> str:
    """The text with pictures in place of characters that a workbook can't hold."""
    return _CONTROLS.sub(_picture, text)


def shortened(text: str, *, longest: int = LONGEST) -> str:
    """The text, cut with ``…`` where it has more than so many UTF-16 units, which is what Excel counts."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * longest:
        return text
    return units[: 2 * (longest - len(_CUT))].decode("utf-16-le", "ignore") + _CUT


def cell(text: str, *, longest: int = LONGEST) -> str:
    """A text as it may stand in a cell."""
    return shortened(neutral(printable(text)), longest=longest)


def _picture(found: re.Match[str]) -> str:
    code = ord(found[0])
    return chr(_PICTURES + code) if code < 0x20 else "\ufffd"
