"""Wheels of pipelines, by spaCy's own packaging."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from spacy.cli.package import package

from zhengling.errors import ZhenglingError
from zhengling.files import atomic_file
from zhengling.loading import load_pipeline
from zhengling.manifest import renew


def build_wheel(model: Path, output: Path) -> Path:
    """Build the wheel of a pipeline, without reaching for the network.

    Args:
        model: folder of the pipeline; it must load.
        output: folder for the wheel.

    Returns:
        The wheel.

    Raises:
        ZhenglingError: the model can't be loaded, or the build tools are missing or fail.
    """
    missing = [name for name in ("build", "setuptools", "wheel") if find_spec(name) is None]
    if missing:
        raise ZhenglingError(f"building a wheel needs {', '.join(missing)}: pip install {' '.join(missing)}")
    load_pipeline(model)
    with TemporaryDirectory() as folder:
        package(model, Path(folder), create_sdist=False, create_wheel=False, silent=True)
        (source,) = Path(folder).iterdir()
        for config in source.rglob("config.cfg"):
            # The setup.py that spaCy writes puts its own meta.json in the place of the model's.
            shutil.copyfile(source / "meta.json", config.parent / "meta.json")
            renew(config.parent)
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ZhenglingError(f"{model}: the build failed: {done.stderr.strip().splitlines()[-1]}")
        (built,) = (source / "dist").glob("*.whl")
        with atomic_file(output / built.name) as temporary:
            shutil.copyfile(built, temporary)
    return output / built.name
