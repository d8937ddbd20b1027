"""Measure the rules of directives on gold items: ``python -m zhengling_training.evaluation.directives``."""

from __future__ import annotations

FIELDS = ("item", "action", "issuer", "addressee", "deadline", "date")
