"""How many cores a collection takes: a cluster simulated with the times that one core was measured to take.

    python benchmarks/scale.py measure DATA --model zh_bulletin_sm
    python benchmarks/scale.py simulate --price 0.05

DATA is a file or folder of annotated bulletins; only their texts are used. ``measure`` keeps the times, and
those of a small job with one process and with two, in ``scale.json``. ``simulate`` puts its tables into
``docs/scale.md`` and draws ``docs/images/scale.svg``; it needs no model.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Annotated

import scale_measure
import typer
from scale_jobs import Assumptions
from scale_page import tables
from scale_picture import picture

from zhengling.errors import ZhenglingError
from zhengling.files import write_text
from zhengling_training.evaluation.facts import machine, now, versions

HERE = Path(__file__).parent
RESULTS = HERE / "scale.json"
PAGE, PICTURE = HERE.parent / "docs" / "scale.md", HERE.parent / "docs" / "images" / "scale.svg"

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def measure(
    data: Annotated[list[Path], typer.Argument(help="Bulletins.")],
    model: Annotated[str, typer.Option(help="Folder or name of a pipeline.")] = "zh_bulletin_sm",
    characters: Annotated[int, typer.Option(min=10_000, help="That are read, about.")] = 60_000,
    documents: Annotated[int, typer.Option(min=1, help="A part of the small job.")] = 10,
    passes: Annotated[int, typer.Option(min=1, help="Of loading.")] = 3,
    seed: Annotated[int, typer.Option(help="Of the choice of bulletins.")] = 0,
) -> None:
    """Measure times, and keep them."""
    scale_measure.without_torch()
    from zhengling.formats import read_bulletins  # noqa: PLC0415 - imports spaCy

    texts = [bulletin.text for path in data for bulletin in read_bulletins(path)]
    chosen = _some(texts, characters, seed=seed)
    load = scale_measure.loading(model, passes=passes)
    read, found = scale_measure.reading(model, chosen)
    written = list(scale_measure.writing(found))
    jobs = [scale_measure.small_job(model, chosen, documents=documents, workers=n) for n in (1, 2)]
    content = {
        "date": now(),
        "machine": asdict(machine()),
        "versions": versions(),
        "model": model,
        "lengths": sorted(map(len, texts)),
        "load": load,
        "read": read,
        "written": written,
        "fit": scale_measure.fit(load, read, written),
        "job": {"documents": documents, "lengths": list(map(len, chosen)), "runs": jobs},
    }
    write_text(RESULTS, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def _some(texts: list[str], characters: int, *, seed: int) -> list[str]:
    """Texts by chance, until they have so many characters."""
    chosen: list[str] = []
    for text in Random(seed).sample(texts, len(texts)):
        if sum(map(len, chosen)) >= characters:
            break
        chosen.append(text)
    return chosen


@app.command()
def simulate(  # noqa: PLR0913, PLR0917 - typer makes an option of each
    price: Annotated[float, typer.Option(min=0, help="Of a core for an hour, in any money.")] = 0.05,
    bulletins: Annotated[int, typer.Option(min=1, help="In the simulated job.")] = 1_000_000,
    long_share: Annotated[float, typer.Option(min=0, max=1, help="Of long documents.")] = 0.001,
    longest: Annotated[int, typer.Option(min=100, help="Characters of the longest.")] = 1_000_000,
    commit: Annotated[float, typer.Option(min=0, help="Seconds to claim and commit a part.")] = 0.5,
    replacement: Annotated[float, typer.Option(min=0, help="Seconds to replace a lost worker.")] = 60.0,
    spread: Annotated[float, typer.Option(min=0, help="Of the logarithm of workers' speeds.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of all chance.")] = 0,
) -> None:
    """Simulate jobs, put the tables into the page and draw the picture.

    Raises:
        ZhenglingError: nothing was measured yet, or the page lacks a mark.
    """
    if not RESULTS.exists():
        raise ZhenglingError(f"{RESULTS}: missing; run `python benchmarks/scale.py measure DATA` first")
    content = json.loads(RESULTS.read_text(encoding="utf-8"))
    assumed = Assumptions(price, bulletins, long_share, longest, commit, replacement, spread, seed)
    page = PAGE.read_text(encoding="utf-8")
    for name, lines in tables(content, assumed).items():
        page = put(page, name, lines)
    write_text(PAGE, page)
    write_text(PICTURE, picture(content, assumed))


def put(page: str, name: str, lines: list[str]) -> str:
    """Replace what stands between the marks of a table.

    Raises:
        ZhenglingError: the page has no such marks.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if begin not in page or end not in page:
        raise ZhenglingError(f"{PAGE}: lacks {begin} or {end}")
    before, _, rest = page.partition(begin)
    return "\n".join([before + begin, "", *lines, "", end + rest.partition(end)[2]])


if __name__ == "__main__":
    try:
        app()
    except ZhenglingError as error:
        raise SystemExit(f"error: {error}") from error
