"""Measure the rules of directives on gold items: ``python -m zhengling_training.evaluation.directives``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zhengling.directives import find_directives
from zhengling.errors import DataError
from zhengling.formats import read_bulletins
from zhengling.schema import Bulletin, Directive, directive_from_dict

FIELDS = ("item", "action", "issuer", "addressee", "deadline", "date")
