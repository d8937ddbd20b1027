from __future__ import annotations

from typing import Any

from .conftest import Check, found

RULES: dict[str, Any] = {"consistency": {"min_count": 3, "min_share": 0.8, "min_length": 2}}
MARKED = "REPORT | | 在[云川](LOC)，[云川](LOC)、[云川](LOC)和[云川](LOC)，走访。"


def test_a_string_that_is_annotated_elsewhere(lint: Check) -> None:
    (finding,) = lint(MARKED, "REPORT | | 在云川，走访。", data=RULES)
    assert (finding.kind, finding.bulletin, finding.surface) == ("unmarked-repeat", "t-001", "云川")
    assert finding.suggestion == "LOC"
    assert finding.message == "not annotated here; LOC 4 times elsewhere, not annotated 1 times"
    assert (finding.before, finding.after) == ("在", "，走访。")


def test_a_longer_entity_covers_it(lint: Check) -> None:
    assert not lint(MARKED, "REPORT | | 在[云川车站](LOC)走访。", data=RULES)


def test_part_of_a_longer_word_is_another_string(lint: Check) -> None:
    assert not lint(MARKED, "REPORT | | 在云川菜馆走访。", data=RULES)
    rules = {"consistency": RULES["consistency"] | {"longer": "云川，走"}}
    assert not lint(MARKED, "REPORT | | 在云川，走访。", data=rules)


def test_no_clear_majority_no_finding(lint: Check) -> None:
    assert not lint(MARKED, *["REPORT | | 在云川，走访。"] * 3, data=RULES)
    assert not lint("REPORT | | 在[云川](LOC)，走访。", "REPORT | | 在云川，走访。", data=RULES)
    rules = {"consistency": RULES["consistency"] | {"unless": "^云"}}
    assert not lint(MARKED, "REPORT | | 在云川，走访。", data=rules)


def test_two_labels(lint: Check) -> None:
    findings = lint(MARKED, "REPORT | | 在[云川](ORG)，走访。", data=RULES)
    assert found(findings, "other-label") == ["云川"]
    assert (findings[0].suggestion, findings[0].message) == ("LOC", "ORG here; in all LOC 4, ORG 1")


def test_the_longest_string_counts(lint: Check) -> None:
    long = MARKED.replace("云川", "云川新城")
    (finding,) = lint(MARKED, long, "REPORT | | 在云川新城，走访。", data=RULES)
    assert finding.surface == "云川新城"
