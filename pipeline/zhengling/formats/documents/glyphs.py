"""Characters as PDF files give them back, set right: signs of radicals, ligatures, gaps between fonts."""

from __future__ import annotations

import re
import unicodedata

# Fonts use one glyph for a character and for the sign of its radical, and files then name the sign.
# Equivalents of the block "CJK Radicals Supplement" (Unicode, EquivalentUnifiedIdeograph.txt) that are
# words of their own; those of "Kangxi Radicals" are in the compatibility mappings.
_SUPPLEMENT = dict(
    zip(
        "⺁⺎⺒⺓⺛⺝⺟⺠⺫⺬⺻⺽⻁⻃⻄⻅⻆⻉⻋⻑⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻳",
        "厂兀巳幺旡月母民罒示聿臼虎覀西见角贝车長长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
        strict=True,
    )
)
_KANGXI = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
_LIGATURES = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}
_TABLE = str.maketrans(_SUPPLEMENT | _KANGXI | _LIGATURES)
# Where the font changes from Chinese to Latin and back, the gap between glyphs is read as a space.
_GAP = re.compile(
    r"(?<=[〔〕“”‘’（）《》]) | (?=[〔〕“”‘’（）《》])|(?<=\d) (?=[年月日号条章节期])|(?<=[年月第]) (?=\d)"
)


def set_right(text: str) -> str:
    """A line of a PDF with characters in the place of signs, and without gaps around marks and numbers."""
    return _GAP.sub("", text.translate(_TABLE))
