"""A run from its plan to its counts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from zhengling import __version__
from zhengling.batch.finding import Input
from zhengling.batch.job import Job, Say
from zhengling.batch.manifest import Counts, Finished, Manifest
from zhengling.batch.output import check_counts, collect_quarantine, own, resumed, sweep
from zhengling.batch.plan import Plan, write_plan
from zhengling.batch.ranges import Part
from zhengling.errors import ZhenglingError
from zhengling.files import sha256_of
from zhengling.inputs import by_suffix
from zhengling.loading import model_folder
from zhengling.manifest import MANIFEST

# Does parts, in any order, and gives what was finished; a generator that is closed stops its workers.
Engine = Callable[[Iterable[Part], Job], Generator[Finished]]


def run_batch(
    job: Job,
    source: Input,
    engine: Engine,
    *,
    overwrite: bool = False,
    say: Say,
    start: Callable[[int, int], None],
) -> Counts:
    """Analyse an input into a folder, or go on with that.

    Args:
        job: the run.
        source: its input.
        engine: runs the parts.
        overwrite: start anew.
        say: is told what people should know.
        start: is told the units planned, and those that are done already.

    Raises:
        ZhenglingError: the run can't begin or go on; finished parts are intact.
        OSError: likewise.
    """
    _check_apart(source.path, job.output)
    model = _model(job)
    with own(job, overwrite=overwrite):
        plan = write_plan(source, job.work / "plan.jsonl", settings=job.settings)
        if plan.left_out:
            say(f"{plan.left_out.total()} files are no input of kind {job.kind}: {by_suffix(plan.left_out)}")
        manifest = resumed(job, _new_manifest(job, source, plan, model), say=say)
        manifest.save(job.output)
        start(plan.units, sum(part.units for part in manifest.parts.values()))
        try:
            _run(job, plan, manifest, engine)
        finally:
            sweep(job)
            quarantined = collect_quarantine(job, manifest)
        counts = check_counts(job, manifest, units=plan.units, quarantined=quarantined)
        manifest.complete = True
        manifest.save(job.output)
    return counts


def _run(job: Job, plan: Plan, manifest: Manifest, engine: Engine) -> None:
    pending = (part for part in plan.read() if part.number not in manifest.parts)
    with closing(engine(pending, job)) as results:
        for finished in results:
            if finished.part in manifest.parts:
                raise ZhenglingError(f"part {finished.part} was done twice; please report it")
            manifest.parts[finished.part] = finished
            manifest.save(job.output)


def _new_manifest(job: Job, source: Input, plan: Plan, model: dict[str, str]) -> Manifest:
    settings = asdict(job.settings) | {"rules": sha256_of(job.rules) if job.rules else None}
    identity = {
        "input": {"kind": job.kind, "files": plan.files, "units": plan.units, "sha256": plan.sha256},
        "model": {"sha256": model["sha256"]},
        "settings": settings,
        "zhengling": __version__,
    }
    facts = {
        "input": str(source.path),
        "model": model["name"],
        "parts": plan.parts,
        "left_out": dict(plan.left_out),
    }
    return Manifest(identity, facts)


def _model(job: Job) -> dict[str, str]:
    """The model's folder, and a digest of all files in it but its card, its figures and their hash."""
    folder, digest = model_folder(job.model), hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in ("README.md", "meta.json", MANIFEST) and "__pycache__" not in name:
            digest.update(f"{name}\0{sha256_of(path)}\n".encode())
    return {"name": folder.name, "sha256": digest.hexdigest()}


def _check_apart(path: Path, output: Path) -> None:
    here, there = path.resolve(), output.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise ZhenglingError(f"{output}: input and output lie in one another; name another folder")
