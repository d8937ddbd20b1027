"""Cue words and label names from which directives are read, as data."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from zhengling.errors import DataError
from zhengling.files import read_json

LABELS = ("directive", "report", "context", "furniture", "person", "deadline", "groups", "documents")
LABEL_LISTS = ("body", "issuers", "titles", "addressees")
WORDS = (
    "issuers",
    "papers",
    "speakers",
    "pronouns",
    "demands",
    "not_verbs",
    "statements",
    "openers",
    "between",
    "references",
    "leads",
    "modals",
    "bare_modals",
    "modal_adverbs",
    "not_modals",
    "until",
    "actors",
    "short_actors",
    "not_actors",
    "everyone",
    "agents",
    "changes",
    "expiries",
    "relays",
    "penalties",
    "subject_ends",
    "repeated",
    "captions",
    "hearsay",
    "plans",
    "prepositions",
    "not_agents",
    "before_past",
    "not_prepositions",
    "not_deadlines",
    "deadline_ends",
    "deadline_starts",
    "paper_titles",
)
EXPRESSIONS = ("numbers", "headings", "articles")


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """What tells the parts of a directive.

    Attributes:
        labels: the scheme's label by role (``LABELS``). Roles whose label a scheme lacks find nothing.
        label_lists: labels by role (``LABEL_LISTS``).
        words: by role (``WORDS``), a pattern that fits any of the cue words, the longest first.
        numbers: patterns of the numbers that cut a sentence into items, a pattern a kind.
        heading: pattern of other numbers that may stand at the start of an item.
        article: pattern of the number of a law's article.
    """

    labels: Mapping[str, str]
    label_lists: Mapping[str, frozenset[str]]
    words: Mapping[str, str]
    numbers: tuple[str, ...]
    heading: str
    article: str

    @classmethod
    def from_file(cls, path: Path) -> Rules:
        """Read rules.

        Raises:
            ZhenglingError: no such file, no JSON, a missing or unknown key, a faulty expression.
        """
        try:
            return cls.from_dict(read_json(path))
        except DataError as error:
            raise DataError(error.message, path=path) from error

    @classmethod
    def from_dict(cls, data: Any) -> Rules:
        """Rules from their JSON object, with the keys ``labels``, ``WORDS`` and ``EXPRESSIONS``.

        Raises:
            DataError: a missing or unknown key, a value of the wrong type, a faulty expression.
        """
        _check_keys(data, ("labels", *WORDS, *EXPRESSIONS), place="the rules")
        labels = data["labels"]
        _check_keys(labels, (*LABELS, *LABEL_LISTS), place="'labels'")
        for role in LABELS:
            if not isinstance(labels[role], str):
                raise DataError(f"label {role!r}: expected a string")
        return cls(
            labels={role: labels[role] for role in LABELS},
            label_lists={role: frozenset(_strings(labels, role)) for role in LABEL_LISTS},
            words={role: _any_of(map(re.escape, _strings(data, role))) for role in WORDS},
            numbers=tuple(_checked(_strings(data, "numbers"), "numbers")),
            heading=_any_of(_checked(_strings(data, "headings"), "headings")),
            article=_any_of(_checked(_strings(data, "articles"), "articles")),
        )


@functools.cache
def default_rules() -> Rules:
    """The rules for the labels of the scheme ``zh_bulletin``, shipped with the package."""
    return Rules.from_file(Path(str(files("zhengling.directives") / "zh_bulletin.json")))


def _check_keys(data: Any, known: tuple[str, ...], *, place: str) -> None:
    if not isinstance(data, dict):
        raise DataError(f"{place}: expected a JSON object, got {type(data).__name__}")
    missing = [key for key in known if key not in data]
    strange = sorted(set(data) - set(known))
    if missing or strange:
        faults = [f"missing: {', '.join(missing)}"] * bool(missing)
        raise DataError("; ".join([*faults, *[f"unknown: {', '.join(strange)}"] * bool(strange)]))


def _strings(data: dict[str, Any], key: str) -> list[str]:
    value = data[key]
    if not (isinstance(value, list) and value and all(isinstance(entry, str) and entry for entry in value)):
        raise DataError(f"{key!r}: expected a list of strings, with one at least")
    return value


def _any_of(alternatives: Any) -> str:
    return "(?:" + "|".join(sorted(alternatives, key=len, reverse=True)) + ")"


def _checked(expressions: list[str], key: str) -> list[str]:
    for expression in expressions:
        try:
            re.compile(expression)
        except re.error as error:
            raise DataError(f"{key!r}: faulty regular expression {expression!r}: {error}") from error
    return expressions
