"""Raw text to sentences, without changing a character (annotation guidelines, section 3).

A sentence ends after a terminal mark with its closing quotes and brackets, and at the end of a title,
heading, caption, signature or source line. Whether a line break ends one is decided by what stands
before and behind it, because bulletins break lines (and pages) inside running sentences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from zhengling.errors import ZhenglingError

TERMINALS = "。！？…!?"
CLOSERS = "”’」』）)》】〕]\"'"

# A terminal run with its closers. A mark of exclamation or question inside a quotation does not
# end the sentence when the clause runs on behind the quotation.
_END = re.compile(rf"[{TERMINALS}]+[{re.escape(CLOSERS)}]*")
_RUNS_ON = re.compile(r"\s*[,，、;；:：。.的等之]")
_BREAK = re.compile(r"[ \t\u3000]*[\r\n\x0b\x0c\x85\u2028\u2029]\s*")

# Beginnings of lines that are never the rest of a sentence.
_FRESH_LINE = re.compile(
    r"[一二三四五六七八九十百]+[、.．]|[（(][一二三四五六七八九十\d]+[)）]|第[一二三四五六七八九十百零〇\d]+[条章节款]"
    r"|\d{1,2}[.．、](?!\d)|[①-⑳⑴-⒇]|[【▲●■◆★▍·—]|附件|附[:：]|来源|图为|抄送|联系|电话|问[:：]|答[:：]"
    r"|[（(](?:来源|据|记者|通讯员|责任编辑|编辑|摄影|供稿)"
)
# Lines that stand for themselves: contacts, captions, a remark in brackets, a short numbered heading.
_FURNITURE = re.compile(
    r"(?:[（(]?(?:联系|咨询|监督|附件|地址|电话|来源|抄送)|[▲【]|图[①-⑳:：]|下图|上图)|[（(][^（）()]*[)）]$"
    r"|(?:[一二三四五六七八九十]+[、.．\s]|[（(][一二三四五六七八九十\d]+[)）]|做法.|例\d|案例.).{0,16}$"
)
# A line that is nothing but a date: the line before it is a signature.
_DATE_LINE = re.compile(r"[\d０-９○〇零一二三四五六七八九十]{4}年[^\n]{2,8}日\s*(?:[\r\n]|$)")
# Ends of fragments after which a sentence goes on whatever follows, and those after which it does
# unless a line begins that is never the rest of one.
_OPEN_END = re.compile(r"[,，、;；（(《“‘「『〔【]$")
_UNFINISHED = re.compile(r"[—和与及或把将在于由向的]$")
_GOES_ON = re.compile(rf"[,，、;；:：。.！？!?%％{re.escape(CLOSERS)}]")
_PAIRS = (("《", "》"), ("（", "）"), ("(", ")"), ("〔", "〕"))
_QUOTES = (("“", "”"), ("‘", "’"), ("「", "」"), ("『", "』"), ("【", "】"), ("〈", "〉"))
_CLOSING = {right: left for left, right in (*_PAIRS, *_QUOTES)}
_HALF = re.compile(f"[{''.join(f'{left}{right}' for right, left in _CLOSING.items())}]")
_COMMA = re.compile(r"[,，;；]")


def check_text(text: str) -> None:
    """Refuse what no file can hold.

    Raises:
        ZhenglingError: the text holds a lone surrogate; the message gives its offset.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ZhenglingError(
            f"offset {error.start}: lone surrogate U+{ord(text[error.start]):04X}; "
            "the text was decoded wrongly, read it again with the right encoding"
        ) from error


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Sentence spans ``(start, end)``: sorted, without white space at their borders, covering all else."""
    spans = []
    start = 0
    for end in [*_boundaries(text), len(text)]:
        span = _trim(text, start, end)
        if span is not None:
            spans.append(span)
        start = end
    return spans


def _boundaries(text: str) -> Iterator[int]:
    """Offsets at which a sentence ends, increasing."""
    start = 0
    for match in re.finditer(rf"{_END.pattern}|{_BREAK.pattern}", text):
        if match.start() < start:
            continue
        is_break = text[match.start()] not in TERMINALS
        ends = _line_ends(text, start, match) if is_break else _mark_ends(text, match)
        if ends:
            yield match.end()
            start = match.end()


def _mark_ends(text: str, match: re.Match[str]) -> bool:
    """Whether a terminal mark ends the sentence."""
    quoted = text[match.end() - 1] in CLOSERS
    return not (quoted and _RUNS_ON.match(text, match.end()))


def _line_ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether a line break ends the sentence that began at ``start``."""
    span = _trim(text, start, match.start())
    if span is None or match.end() == len(text):
        return True
    fragment = text[slice(*span)]
    if _OPEN_END.search(fragment):
        return False
    if _FRESH_LINE.match(text, match.end()) or fragment.endswith((":", "：")):
        return True
    if _UNFINISHED.search(fragment) or _GOES_ON.match(text, match.end()) or _open(fragment):
        return False
    return _stands_alone(text, span[0], fragment) or bool(_DATE_LINE.match(text, match.end()))


def _stands_alone(text: str, first: int, fragment: str) -> bool:
    """Whether a line without a terminal mark is a heading, a caption or the like, and no broken sentence."""
    if first == len(text) - len(text.lstrip()) or _FURNITURE.match(fragment):
        return True
    return _begins_line(text, first) and not _COMMA.search(fragment)


def _begins_line(text: str, offset: int) -> bool:
    """Whether only white space stands between the offset and the line break before it."""
    before = text[:offset].rstrip(" \t\u3000")[-1:]
    return before == "" or before in "\r\n\x0b\x0c\x85\u2028\u2029"


def bracket_pairs(text: str) -> list[tuple[int, int]]:
    """Positions of brackets and quotes that belong together, by the second; each kind nests by itself."""
    waiting: dict[str, list[int]] = {left: [] for left in _CLOSING.values()}
    found = []
    for half in _HALF.finditer(text):
        if half[0] in waiting:
            waiting[half[0]].append(half.start())
        elif waiting[_CLOSING[half[0]]]:
            found.append((waiting[_CLOSING[half[0]]].pop(), half.start()))
    return found


def _open(fragment: str) -> bool:
    """Whether a bracket is still open."""
    return any(fragment.count(left) > fragment.count(right) for left, right in _PAIRS)


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    right = start + len(piece.rstrip())
    return (left, right) if left < right else None
