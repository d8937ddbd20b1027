"""Task ledgers over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from zhengling.errors import DataError
from zhengling.ledger import entries, write_ledger
from zhengling.report.wording import Language
from zhengling.schema import Bulletin, LabelScheme, faults
from zhengling.service import refusals

Form = Literal["xlsx", "csv"]
SHEETS: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


def make(data: Any, *, form: Form, scheme: LabelScheme, language: Language) -> bytes:
    """The file of a ledger; slow, so for a thread.

    Args:
        data: ``{"bulletins": [...]}``, in the canonical form with directives.
        form: of the file.
        scheme: labels that the bulletins may bear.
        language: of the headings.

    Raises:
        Refusal: no such object, or a bulletin that is not sound.
    """
    if not isinstance(data, dict) or not isinstance(data.get("bulletins"), list):
        raise refusals.unfit("bulletins: expected a list of bulletins, as /v1/analyze/batch answers")
    bulletins = [_sound(one, place=place, scheme=scheme) for place, one in enumerate(data["bulletins"])]
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"ledger.{form}"
        write_ledger(entries(bulletins, scheme=scheme, language=language), path, language=language)
        return path.read_bytes()


def headers(form: Form) -> dict[str, str]:
    """Have browsers save it under a name."""
    return {"Content-Disposition": f'attachment; filename="zhengling.{form}"'}


def _sound(data: Any, *, place: int, scheme: LabelScheme) -> Bulletin:
    try:
        bulletin = Bulletin.from_dict(data)
    except DataError as error:
        raise refusals.unfit(f"bulletins.{place}: {error.message}") from error
    fault = next(faults(bulletin, scheme=scheme), None)
    if fault:
        raise refusals.unfit(f"bulletins.{place}: {' '.join(fault.split())}")
    return bulletin
