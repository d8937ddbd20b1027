"""The folder that a run writes into: who may write there, and what of an earlier run is still good."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq

from zhengling.batch.job import Job, Say
from zhengling.batch.manifest import FILE, Counts, Manifest, differences
from zhengling.errors import DataError, ZhenglingError
from zhengling.files import atomic_file, sha256_of

QUARANTINE = "quarantine.jsonl"


@contextmanager
def own(job: Job, *, overwrite: bool) -> Iterator[None]:
    """Make the folder ready and keep other runs out of it.

    Args:
        job: the run.
        overwrite: remove what an earlier run left.

    Raises:
        ZhenglingError: the folder holds other things, or another run is writing into it.
        OSError: it can't be written.
    """
    output = job.output
    if output.exists() and not output.is_dir():
        raise ZhenglingError(f"{output}: not a folder; name another")
    if output.is_dir() and any(output.iterdir()) and not ((output / FILE).exists() or job.work.exists()):
        raise ZhenglingError(f"{output}: not empty, and not of this command; name another folder")
    job.work.mkdir(parents=True, exist_ok=True)
    with _locked(job.work / "lock", output):
        if overwrite:
            _remove_results(job)
        for folder in (job.parts, job.quarantine_file(0).parent):
            folder.mkdir(exist_ok=True)
        sweep(job)
        job.trails.mkdir()
        yield


def sweep(job: Job) -> None:
    """Remove what workers that were killed have left; no worker may run."""
    for folder in (job.parts, job.quarantine_file(0).parent):
        for left in folder.glob(".*.part"):
            left.unlink()
    shutil.rmtree(job.trails, ignore_errors=True)


def resumed(job: Job, manifest: Manifest, *, say: Say) -> Manifest:
    """The manifest to go on with: the one in the folder, if it is of the same run.

    Raises:
        ZhenglingError: it is of another; the message says what differs.
    """
    earlier = Manifest.load(job.output)
    if earlier is None:
        return manifest
    differing = "; ".join(differences(earlier.identity, manifest.identity))
    if differing:
        raise ZhenglingError(
            f"{job.output}: holds a run that differs in {differing}; "
            "name another folder, or start anew with --overwrite"
        )
    manifest.parts.update(earlier.parts)
    for number in earlier.parts:
        if not _is_sound(job, manifest, number):
            say(f"{job.part_file(number)}: missing or damaged, it is done again")
            del manifest.parts[number]
    return manifest


def collect_quarantine(job: Job, manifest: Manifest) -> int:
    """Write the quarantine of all finished parts into one file, in their order.

    Returns:
        The number of documents in it.
    """
    count = 0
    with atomic_file(job.output / QUARANTINE) as temporary, temporary.open("wb") as stream:
        for number in sorted(manifest.parts):
            if manifest.parts[number].quarantined:
                lines = job.quarantine_file(number).read_bytes().splitlines(keepends=True)
                count += len(lines)
                stream.writelines(lines)
    return count


def check_counts(job: Job, manifest: Manifest, *, units: int, quarantined: int) -> Counts:
    """Check that every document that came in went out or was quarantined, by counting files anew.

    Args:
        job: the run.
        manifest: all of its parts.
        units: lines, rows or files of the plan.
        quarantined: lines in the quarantine.

    Raises:
        ZhenglingError: they don't add up.
    """
    counts = manifest.counts
    rows = sum(pq.read_metadata(job.part_file(number)).num_rows for number in manifest.parts)
    read = sum(part.units for part in manifest.parts.values())
    # An archive is one unit with as many documents as are in it.
    adds_up = counts.documents == units or (job.kind == "documents" and counts.documents > units)
    if (rows, quarantined, read) != (counts.rows, counts.quarantined, units) or not adds_up:
        raise ZhenglingError(
            f"{job.output}: the counts don't add up: {units} planned, {read} read, {rows} rows, "
            f"{quarantined} quarantined; start anew with --overwrite"
        )
    return counts


def _is_sound(job: Job, manifest: Manifest, number: int) -> bool:
    part, path = manifest.parts[number], job.part_file(number)
    try:
        lines = len(job.quarantine_file(number).read_bytes().splitlines()) if part.quarantined else 0
        return lines == part.quarantined and sha256_of(path) == part.sha256
    except OSError:
        return False


def _remove_results(job: Job) -> None:
    """What a run writes, and nothing else."""
    for name in (FILE, QUARANTINE):
        (job.output / name).unlink(missing_ok=True)
    for folder in (job.parts, job.quarantine_file(0).parent):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(path: Path, output: Path) -> Iterator[None]:
    """Hold a lock that the system lets go when the process ends, however it ends."""
    import fcntl  # noqa: PLC0415 - not on Windows

    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError("another run is writing into this folder", path=output) from error
        yield
