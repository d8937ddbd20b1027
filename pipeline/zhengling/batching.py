"""Batches of items that fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def batches(items: Iterable[Item], *, fits: Callable[[list[Item], Item], bool]) -> Iterator[list[Item]]:
    """Group neighbouring items.

    Args:
        items: consumed one by one; an item that fits nowhere is a batch by itself.
        fits: whether an item may join a batch that is not empty.
    """
    batch: list[Item] = []
    for item in items:
        if batch and not fits(batch, item):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch
