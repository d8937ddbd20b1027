"""JSON objects of a rules file, read key by key; every fault names the key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from zhengling.errors import DataError


@dataclass(slots=True)
class Node:
    """A JSON object with the way to it.

    Attributes:
        data: the object.
        key: the way to it, such as ``coverage[2]``; empty at the top.
        definitions: pieces of patterns by name, written ``@{name}`` in a pattern.
    """

    data: Mapping[str, Any]
    key: str = ""
    definitions: Mapping[str, str] = field(default_factory=dict)

    def allow(self, *keys: str) -> None:
        """Refuse other keys.

        Raises:
            DataError: the object has a key that is not among ``keys``.
        """
        for key in self.data:
            if key not in keys:
                near = get_close_matches(key, keys, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f", expected {', '.join(keys)}"
                raise DataError(f"unknown key {self._way(key)!r}{hint}")

    def text(self, key: str, *, default: str | None = None) -> str:
        """A string."""
        return str(self._typed(key, str, default))

    def flag(self, key: str) -> bool:
        """True or false; false if absent."""
        return bool(self._typed(key, bool, False))

    def number(self, key: str, *, low: float, high: float = float("inf")) -> float:
        """A number from ``low`` to ``high``."""
        value = float(self._typed(key, (int, float), None))
        if not low <= value <= high:
            raise DataError(f"key {self._way(key)!r}: {value:g} is not from {low:g} to {high:g}")
        return value

    def count(self, key: str, *, low: int) -> int:
        """A whole number, at least ``low``."""
        value = self._typed(key, int, None)
        if value < low:
            raise DataError(f"key {self._way(key)!r}: {value} is less than {low}")
        return int(value)

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of strings; a single string is a list of one."""
        value = self._typed(key, (list, str), None if required else [])
        entries = [value] if isinstance(value, str) else value
        for number, entry in enumerate(entries):
            if not isinstance(entry, str) or not entry:
                raise DataError(f"key {self._way(key)}[{number}]: expected a string that isn't empty")
        return tuple(entries)

    def names(self, key: str, known: Collection[str]) -> tuple[str, ...]:
        """A list of strings of which each is one of ``known``."""
        for entry in (entries := self.texts(key)):
            if entry not in known:
                raise DataError(f"key {self._way(key)!r}: unknown {entry!r}, there are {', '.join(known)}")
        return entries

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """A regular expression, or several of which any may match; None if absent or empty."""
        parts = self.texts(key)
        if not parts:
            return None
        source = "|".join(re.sub(r"@\{(\w+)\}", lambda m: self._definition(key, m[1]), p) for p in parts)
        try:
            pattern = re.compile(source)
        except re.error as error:
            raise DataError(f"key {self._way(key)!r}: broken pattern: {error}") from error
        if pattern.match(""):
            raise DataError(f"key {self._way(key)!r}: the pattern matches the empty string")
        return pattern

    def needed_pattern(self, key: str) -> re.Pattern[str]:
        """A regular expression that must be there."""
        pattern = self.pattern(key)
        if pattern is None:
            raise DataError(f"missing key {self._way(key)!r}")
        return pattern

    def node(self, key: str) -> Node | None:
        """An object, None if absent."""
        return self._node(self.data[key], self._way(key)) if key in self.data else None

    def nodes(self, key: str) -> Iterator[Node]:
        """A list of objects, empty if absent."""
        for number, entry in enumerate(self._typed(key, list, [])):
            yield self._node(entry, f"{self._way(key)}[{number}]")

    def members(self, key: str) -> Iterator[tuple[str, Node]]:
        """An object of objects, by name; empty if absent."""
        for name, entry in self._typed(key, dict, {}).items():
            yield name, self._node(entry, f"{self._way(key)}.{name}")

    def _node(self, data: Any, way: str) -> Node:
        if not isinstance(data, dict):
            raise DataError(f"key {way!r}: expected a JSON object, got {type(data).__name__}")
        return Node(data, way, self.definitions)

    def _definition(self, key: str, name: str) -> str:
        if name not in self.definitions:
            raise DataError(f"key {self._way(key)!r}: no definition {name!r}")
        return f"(?:{self.definitions[name]})"

    def _typed(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        if key not in self.data:
            if default is None:
                raise DataError(f"missing key {self._way(key)!r}")
            return default
        value = self.data[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise DataError(f"key {self._way(key)!r}: wrong type {type(value).__name__}")
        return value

    def _way(self, key: str) -> str:
        return f"{self.key}.{key}" if self.key else key
