"""Rules as data."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from zhengling.directives import Rules, default_rules, find_directives
from zhengling.errors import DataError, ZhenglingError
from zhengling.schema import Bulletin, Sentence


@pytest.fixture
def data() -> dict[str, Any]:
    text = (files("zhengling.directives") / "zh_bulletin.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def test_own_labels(tmp_path: Path, data: dict[str, Any]) -> None:
    data["labels"]["directive"] = "要求"
    (tmp_path / "rules.json").write_text(json.dumps(data), encoding="utf-8")
    bulletin = Bulletin("x", "各地要抓好落实。", sentences=(Sentence(0, 8, "要求"),))

    [item] = find_directives(bulletin, rules=Rules.from_file(tmp_path / "rules.json"))

    assert item.addressee is not None
    assert item.addressee.text == "各地"


def test_the_labels_are_those_of_the_default_scheme(scheme: Any) -> None:
    rules = default_rules()
    named = {*rules.labels.values()}.union(*rules.label_lists.values())

    assert named <= {*scheme.entity_names, *scheme.function_names}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("pronouns", None, "missing: pronouns"),
        ("pronouns", [], "'pronouns': expected a list of strings"),
        ("strange", ["x"], "unknown: strange"),
        ("numbers", ["("], "'numbers': faulty regular expression '('"),
        ("labels", {}, "missing: directive"),
    ],
)
def test_faulty_rules(data: dict[str, Any], key: str, value: object, says: str) -> None:
    if value is None:
        del data[key]
    else:
        data[key] = value

    with pytest.raises(DataError, match=says.replace("(", r"\(")):
        Rules.from_dict(data)


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")

    for name in ("absent.json", "broken.json"):
        with pytest.raises(ZhenglingError, match=name):
            Rules.from_file(tmp_path / name)
