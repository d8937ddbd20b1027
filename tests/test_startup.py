from __future__ import annotations

import subprocess
import sys

import pytest

LIGHT = """
import sys
from zhengling.startup import import_spacy_lightly
import_spacy_lightly()
import spacy
assert "thinc.compat" in sys.modules and "torch" not in sys.modules
import torch
from zhengling_training.model import BulletinModel
assert torch.zeros(1).item() == 0
"""
LATE = """
import sys
import torch
from zhengling.startup import import_spacy_lightly
import_spacy_lightly()
import thinc.compat
assert thinc.compat.has_torch
"""


@pytest.mark.parametrize("program", [LIGHT, LATE], ids=["first", "late"])
def test_spacy_comes_without_torch_where_that_does_no_harm(program: str) -> None:
    """Two of six seconds of every command were spent on PyTorch, by spaCy."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_commands_start_without_torch() -> None:
    program = "import sys; sys.argv[1:] = ['version']; from zhengling.cli import main\n"
    program += "try: main()\nfinally: print('thinc' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "True False", done.stderr
