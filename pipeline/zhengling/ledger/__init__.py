"""The task ledger (督查台账): one row for each thing demanded."""

from zhengling.ledger.entries import Entry, entries
from zhengling.ledger.files import SUFFIXES, check_ledger, write_ledger

__all__ = ["SUFFIXES", "Entry", "check_ledger", "entries", "write_ledger"]
