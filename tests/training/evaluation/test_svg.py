from __future__ import annotations

from xml.etree import ElementTree

from markupsafe import Markup

from zhengling_training.evaluation.calibration import Reliability, threshold_curve
from zhengling_training.evaluation.svg import Bar, bars, matrix, over_thresholds, reliability

EVIL = "<script>\"&'"


def parsed(drawing: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(drawing))


def texts(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter("text")]


def check(root: ElementTree.Element, title: str) -> None:
    """Every picture has its title, and nothing sticks out."""
    assert root.attrib["aria-label"] == root.findtext("title") == title
    assert not any("style" in node.attrib for node in root.iter())
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for node in root.iter("rect"):
        x, y, w, h = (float(node.attrib[key]) for key in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height


def test_bars() -> None:
    entries = [Bar("机构", 0.5, 0.4, 0.7, "n=12"), Bar(EVIL, None), Bar("x" * 60, 1.0)]
    picture = bars(entries, title="F1", unit="F1 (0–1)")
    root = parsed(picture.drawing)
    check(root, "F1")
    assert picture.title == "F1"
    assert {"0.500", "n=12", EVIL, "–", "F1 (0–1)", "0.0", "1.0"} <= set(texts(root))
    half, full = (node for node in root.iter("rect"))
    assert float(full.attrib["width"]) == 2 * float(half.attrib["width"])
    tips = [node.text for node in root.iter("title")]
    assert "机构 0.500 [0.400, 0.700]" in tips
    check(parsed(bars([], title="t", unit="u").drawing), "t")


def test_reliability() -> None:
    answers = [(0.95, True)] * 8 + [(0.95, False)] * 2 + [(0.5, False)]
    root = parsed(
        reliability(Reliability.of(answers), title="实体", x="概率", y="正确", answers="回答").drawing
    )
    check(root, "实体")
    assert len(list(root.iter("circle"))) == 2
    assert {"概率", "正确", "回答: 11"} <= set(texts(root))
    assert "0.950 → 0.800, 10 回答" in [node.text for node in root.iter("title")]


def test_over_thresholds() -> None:
    curve = threshold_curve([(0.9, True), (0.2, False)], gold=1)
    root = parsed(over_thresholds(curve, title="t", x="阈值", names=("P", "R", "F1")).drawing)
    check(root, "t")
    assert {node.attrib["class"] for node in root.iter("polyline")} == {"solid", "dashed", "dotted"}
    assert "0.21" in texts(root)
    none = threshold_curve([(0.9, False)], gold=0)
    assert "mark" not in str(over_thresholds(none, title="t", x="x", names=("P", "R", "F1")).drawing)


def test_matrix() -> None:
    picture = matrix(
        [[9, 1, 0], [0, 0, 0]], rows=["甲", EVIL], columns=["甲", EVIL, "无"], title="t", sides=("g", "p")
    )
    root = parsed(picture.drawing)
    check(root, "t")
    assert {"9", "1", EVIL, "g ↓  p →"} <= set(texts(root))
    assert f"甲 → {EVIL}: 1" in [node.text for node in root.iter("title")]
    strengths = [float(n.attrib["fill-opacity"]) for n in root.iter("rect") if "fill-opacity" in n.attrib]
    assert strengths[0] == max(strengths) > strengths[1] > strengths[2] == 0
