"""The templates of cards and pictures."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(*, escape: bool) -> Environment:
    """Templates of this package; a name that isn't given is an error.

    Args:
        escape: values go into HTML or SVG, not into Markdown.
    """
    return Environment(
        loader=PackageLoader("zhengling_training"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=escape,
    )
