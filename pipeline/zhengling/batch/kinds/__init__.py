"""Kinds of input, one module each. They are imported when they are needed: Arrow is an extra."""

from __future__ import annotations

from importlib import import_module

from zhengling.batch.kinds.base import Cursor, Kind

__all__ = ["NAMES", "Cursor", "Kind", "kind_of"]

NAMES = ("parquet", "jsonl", "documents")


def kind_of(name: str) -> Kind:
    """The kind with a name of ``NAMES``."""
    kind: Kind = import_module(f"zhengling.batch.kinds.{name}").KIND
    return kind
