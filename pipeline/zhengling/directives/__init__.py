"""Directives as records: who demands what of whom, by when, read by rules from entities and sentences."""

from zhengling.directives.finding import find_directives
from zhengling.directives.papers import date_of_bulletin
from zhengling.directives.rules import Rules, default_rules

__all__ = ["Rules", "date_of_bulletin", "default_rules", "find_directives"]
