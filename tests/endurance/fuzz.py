"""Coverage-guided fuzzing of every reader with atheris (libFuzzer): nothing but documented errors.

    pip install atheris
    python -m tests.endurance.fuzz --seconds 600

Each reader is fuzzed in a process of its own, from sound files on; inputs that it fell over, or over which it
took more than a minute or 4 GB, are left in --findings. Exit status: 0 none, 1 some.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

LONGEST = 20_000


def main(
    seconds: Annotated[int, typer.Option(min=1, help="For each reader.")] = 600,
    reader: Annotated[list[str] | None, typer.Option(help="Name of a reader; all if left out.")] = None,
    findings: Annotated[Path, typer.Option(help="Folder for inputs that a reader fell over.")] = Path(
        "runs/fuzz"
    ),
) -> None:
    """Fuzz readers, one after the other."""
    from tests.endurance.readers import readers  # noqa: PLC0415 - the fuzzing processes import it instrumented

    findings.mkdir(parents=True, exist_ok=True)
    fallen = []
    for name, entry in readers().items():
        if reader and name not in reader:
            continue
        with tempfile.TemporaryDirectory() as corpus:
            for number, seed in enumerate(entry.seeds):
                (Path(corpus) / f"seed{number}").write_bytes(seed)
            done = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "tests.endurance.fuzz",
                    "--inside",
                    name,
                    *_options(seconds, findings),
                    corpus,
                ],
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
            )
        runs = [line for line in done.stderr.splitlines() if line.startswith(("Done ", "stat::number"))]
        print(f"{name}: {'sound' if done.returncode == 0 else 'FELL'} {' '.join(runs)}", flush=True)
        if done.returncode:
            fallen.append(name)
            print(done.stdout[-3000:], done.stderr[-3000:])
    if fallen:
        raise typer.Exit(1)


def _options(seconds: int, findings: Path) -> list[str]:
    limits = [f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=4096", f"-max_len={LONGEST}"]
    return [*limits, f"-artifact_prefix={findings}/"]


def inside(name: str, options: list[str]) -> None:
    """Fuzz one reader in this process, which it ends."""
    import atheris  # noqa: PLC0415 - no part of the development tools: it needs a compiler's libraries

    with atheris.instrument_imports(include=["zhengling"]):
        from tests.endurance.readers import readers, withstand  # noqa: PLC0415 - only now, to be instrumented

    reader = readers()[name]
    atheris.Setup([sys.argv[0], *options], lambda content: withstand(reader, content))
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], sys.argv[3:])
    else:
        typer.run(main)
