from __future__ import annotations

from pathlib import Path

import pytest

from zhengling.schema import Bulletin, Entity, LabelScheme, Sentence

SCHEMES = Path(__file__).parents[2] / "configs" / "schemes"


@pytest.fixture
def scheme() -> LabelScheme:
    return LabelScheme.from_file(SCHEMES / "zh_bulletin.json")


@pytest.fixture
def msra() -> LabelScheme:
    return LabelScheme.from_file(SCHEMES / "msra.json")


@pytest.fixture
def bulletin() -> Bulletin:
    """Three sentences over line breaks; the last is a directive with scores."""
    title, report = "示例市民政局部署清明工作", "4月1日,示例市民政局\r\n召开会议。"
    demand = "养老机构要为老年人代办祭扫,殡仪馆要错峰预约!"
    text = f"{title}\n\n  {report} {demand}\n"
    first, second = text.index(report), text.index(demand)
    office, group = text.index("示例市", first), text.index("老年人")
    return Bulletin(
        id="demo-01",
        text=text,
        entities=(
            Entity(start=0, end=6, label="ORG"),
            Entity(start=first, end=first + 4, label="DATE"),
            Entity(start=office, end=office + 6, label="ORG", score=0.873),
            Entity(start=group, end=group + 3, label="GROUP", score=0.9991),
        ),
        sentences=(
            Sentence(start=0, end=len(title), function="OTHER"),
            Sentence(start=first, end=first + len(report), function="REPORT"),
            Sentence(
                start=second,
                end=second + len(demand),
                function="DIRECTIVE",
                domains=("elderly", "funeral"),
                scores={"DIRECTIVE": 0.91, "elderly": 0.8, "funeral": 0.004},
            ),
        ),
        meta={"title": "清明工作", "date": "2024-04-01", "source": "示例市民政局网站"},
    )
