"""Running the service until it is told to stop."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import uvicorn
from spacy.language import Language

from zhengling.errors import ZhenglingError
from zhengling.service.app import create_app
from zhengling.service.settings import ServiceSettings

TOKEN_VARIABLE = "ZHENGLING_TOKEN"


def read_token(path: Path | None) -> str | None:
    """The token from a file, or from the environment; None if there is none.

    It is no option of the command line, as all users of a machine can read those.

    Raises:
        ZhenglingError: the file can't be read, or the token is empty.
    """
    try:
        token = path.read_text(encoding="utf-8") if path else os.environ.get(TOKEN_VARIABLE)
    except (OSError, UnicodeDecodeError) as error:
        raise ZhenglingError(f"{path}: can't read the token: {error}") from error
    if token is not None and not token.strip():
        raise ZhenglingError(f"{path or TOKEN_VARIABLE}: the token is empty")
    return token.strip() if token else None


def serve(nlp: Language, *, host: str, port: int, settings: ServiceSettings, token: str | None) -> None:
    """Serve until SIGINT or SIGTERM; then finish the requests under way.

    Logs are lines of JSON on standard error, without any text of bulletins.

    Raises:
        OSError: the address can't be bound.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    logging.getLogger("zhengling.service").setLevel(logging.INFO)
    uvicorn.run(
        create_app(nlp, settings=settings, token=token),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
