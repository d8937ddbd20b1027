"""Libraries that only some features need, and the extra that brings them."""

from __future__ import annotations

from importlib.util import find_spec

from zhengling.errors import ZhenglingError


def need(*modules: str, extra: str, what: str) -> None:
    """Check that libraries are there before they are imported.

    Args:
        modules: their import names.
        extra: the extra of this package that installs them.
        what: what needs them, to begin the message.

    Raises:
        ZhenglingError: some are missing; the message names them and the extra.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise ZhenglingError(f"{what} needs {', '.join(missing)}: pip install 'zhengling[{extra}]'")
