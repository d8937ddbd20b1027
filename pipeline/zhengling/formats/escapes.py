r"""Backslash escapes, one set for all line-based formats.

``\n`` ``\r`` ``\t`` line feed, carriage return, tab; ``\s`` space; ``\uXXXX`` and ``\UXXXXXXXX`` any
character by its code; a backslash before a sign that is neither letter nor digit stands for that sign
(``\\``, ``\[``).
"""

from __future__ import annotations

import re
import unicodedata

from zhengling.errors import DataError

_NAMED = {"\n": "n", "\r": "r", "\t": "t", " ": "s"}
_BY_NAME = {name: character for character, name in _NAMED.items()}
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))", re.DOTALL)
_BREAKING = ("Cc", "Zl", "Zp")


def escape(text: str, *, special: str = "", coded: str = "", spaces: bool = True) -> list[str]:
    """The text's characters, each escaped where needed.

    Backslashes, control characters and line separators always are.

    Args:
        text: any text.
        special: further characters to escape.
        coded: further characters to write as codes, for signs that readers look for before they unescape.
        spaces: escape all white space; otherwise only at either end, for lines that are read stripped.

    Returns:
        One string for each character.
    """
    escaped = list(text)
    last = len(text) - 1
    for index, character in enumerate(text):
        if character in coded:
            escaped[index] = _code(character)
        elif character in special or _needs_escape(character, spaces=spaces or index in (0, last)):
            escaped[index] = _escape_character(character)
    return escaped


def unescape(text: str) -> str:
    """Undo ``escape``.

    Raises:
        DataError: an unknown escape, or a code that is no character.
    """
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _escape_character(character: str) -> str:
    if character in _NAMED:
        return "\\" + _NAMED[character]
    return "\\" + character if _is_sign(character) else _code(character)


def _code(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _needs_escape(character: str, *, spaces: bool) -> bool:
    if character == "\\" or unicodedata.category(character) in _BREAKING:
        return True
    return spaces and character.isspace()


def _is_sign(character: str) -> bool:
    return character.isprintable() and not character.isalnum() and not character.isspace()


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        return _by_code(int(code, 16), match[0])
    character = match[3]
    if character in _BY_NAME:
        return _BY_NAME[character]
    if character and _is_sign(character):
        return character
    raise DataError(f"unknown escape {match[0]!r}; a backslash itself is written \\\\")


def _by_code(code: int, escaped: str) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise DataError(f"{escaped} is no character")
    return chr(code)
