from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhengling.errors import DataError, ZhenglingError
from zhengling.report.page import render_content, render_page, scheme_style
from zhengling.schema import Bulletin, Directive, Entity, Label, LabelScheme, Mention, Sentence

VOID = {"meta", "link", "input", "br", "img"}
EVIL = "<script>alert(1)</script>\"'&"
TOY = LabelScheme(
    name="toy",
    entities=(Label("A", "甲", "#b3261e"), Label("B", "", "#ffff00")),
    functions=(Label("F", "做", "#0b57d0"), Label("G", "看", "#0f7b3f")),
    domains=(Label("x", "某", "#4a5568"), Label("y", "另", "#888888")),
)


@dataclass
class Node:
    tag: str
    attributes: dict[str, str | None]
    parts: list[Node | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    def all(self, tag: str, style: str | None = None) -> list[Node]:
        """Elements below this one, in the order of the document."""
        return [n for n in every(self) if n.tag == tag and (style is None or style in n.classes)]


class Reader(HTMLParser):
    """Builds a tree and insists that every element is closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [Node("document", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self.stack[-1].parts.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.stack[-1].parts.append(data)


def parse(html: str) -> Node:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert len(reader.stack) == 1
    return reader.stack[0]


def panes(page: Node) -> list[Node]:
    return page.all("div", "text")


def every(page: Node) -> list[Node]:
    nodes = [part for part in page.parts if isinstance(part, Node)]
    return [inner for node in nodes for inner in (node, *every(node))]


def partition(draw: st.DrawFn, length: int, *, labels: Sequence[str]) -> list[tuple[int, int, str]]:
    """Sorted spans that don't overlap; neighbours may touch."""
    borders = sorted(draw(st.sets(st.integers(0, length), max_size=12)))
    spans = [(a, b, draw(st.sampled_from(labels))) for a, b in pairwise(borders)]
    return [span for span in spans if draw(st.booleans())]


@st.composite
def bulletins(draw: st.DrawFn) -> Bulletin:
    """Any text; entities may cross the borders of sentences; labels may be unknown to the scheme."""
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    text = draw(st.text(st.one_of(letters, st.sampled_from("政令<>&\"'\r\n 。")), max_size=60))
    sentences = partition(draw, len(text), labels=("F", "G", "unknown"))
    return Bulletin(
        id="any",
        text=text,
        entities=tuple(Entity(*span) for span in partition(draw, len(text), labels=("A", "B", "unknown"))),
        sentences=tuple(
            Sentence(start, end, function, draw(st.sampled_from([(), ("x",), ("x", "y"), ("other",)])))
            for start, end, function in sentences
        ),
    )


@settings(deadline=None)
@given(bulletins())
def test_pane_holds_the_raw_text_and_each_entity_once(bulletin: Bulletin) -> None:
    page = parse(render_page([bulletin], scheme=TOY))
    if not bulletin.text:
        assert not panes(page)
        return
    (pane,) = panes(page)
    assert pane.text == bulletin.text
    assert [mark.text for mark in pane.all("mark")] == [bulletin.surface(e) for e in bulletin.entities]
    assert len(pane.all("span", "s")) == len(bulletin.sentences)


def test_sentences_are_marked_and_linked_from_the_table(bulletin: Bulletin, scheme: LabelScheme) -> None:
    page = parse(render_page([bulletin], scheme=scheme))
    spans = panes(page)[0].all("span", "s")
    assert [span.text for span in spans] == [bulletin.surface(s) for s in bulletin.sentences]
    assert [span.attributes["data-label"] for span in spans] == ["其他", "工作情况", "部署要求"]
    links = [link for table in page.all("table", "sentences") for link in table.all("a")]
    assert {link.attributes["href"] for link in links} == {f"#{span.attributes['id']}" for span in spans}
    assert links[0].text == bulletin.surface(bulletin.sentences[2])
    assert [chip.text for chip in page.all("td", "domains")[0].all("span")] == ["养老服务", "殡葬服务"]


def test_directives_are_a_table_that_leads_to_their_sentences(
    bulletin: Bulletin, scheme: LabelScheme
) -> None:
    def mention(words: str, **more: str) -> Mention:
        start = bulletin.text.index(words)
        return Mention(start, start + len(words), words, **more)

    sentence = bulletin.sentences[2]
    directive = Directive(
        sentence.start,
        sentence.end,
        2,
        action=mention("要为老年人代办祭扫"),
        addressee=mention("养老机构"),
        deadline=mention("4月1日", date="2024-04-01"),
        domains=("elderly",),
        groups=(mention("老年人"),),
    )
    told = replace(bulletin, directives=(directive,))
    for page in (render_page([told], scheme=scheme), render_content([told], scheme=scheme)):
        (row,) = [
            row for table in parse(page).all("table", "tasks") for row in table.all("tbody")[0].all("tr")
        ]
        (link,) = row.all("a")
        assert (link.text, link.attributes["href"]) == ("要为老年人代办祭扫", "#b1-3")
        assert [dd.text for dd in row.all("dd")] == ["养老机构", "4月1日 (2024-04-01)", "老年人"]
        assert [chip.text for chip in row.all("td", "domains")[0].all("span")] == ["养老服务"]
    broken = replace(told, directives=(replace(directive, sentence=9),))
    with pytest.raises(DataError, match="no sentence 9"):
        render_page([broken], scheme=scheme)


def test_classes_are_those_of_the_whole_scheme(bulletin: Bulletin, scheme: LabelScheme) -> None:
    """A page of the service has one style sheet for all bulletins."""
    style = scheme_style(scheme)
    for node in every(parse(render_content([bulletin], scheme=scheme))):
        for name in node.classes:
            if re.fullmatch(r"[efd]\d+", name):
                assert f".{name} {{ --c: #" in style
    assert len(re.findall(r"\.[efd]\d+ \{ --c", style)) == 2 * len(scheme.labels)


def test_which_function_leads_is_the_order_of_the_scheme(bulletin: Bulletin, scheme: LabelScheme) -> None:
    turned = replace(scheme, functions=scheme.functions[::-1])
    page = parse(render_page([bulletin], scheme=turned, language="en"))
    headings = [heading.all("span")[0].text for heading in page.all("h3") if heading.all("span")]
    assert headings == ["OTHER", "REPORT", "DIRECTIVE"]
    assert page.all("div", "lead")[0].all("dt")[0].text == "OTHER"


def test_probabilities_are_per_cent(bulletin: Bulletin, scheme: LabelScheme) -> None:
    (pane,) = panes(parse(render_page([bulletin], scheme=scheme)))
    tips = [mark.attributes["aria-description"] for mark in pane.all("mark")]
    assert tips == ["机构 ORG", "时间 DATE", "机构 ORG 87%", "服务对象 GROUP >99%"]
    tip = pane.all("span", "s")[2].attributes["title"]
    assert tip == "部署要求 DIRECTIVE 91% · 养老服务 elderly 80% · 殡葬服务 funeral <1%"


def test_entities_can_be_reached_by_keyboard(bulletin: Bulletin, scheme: LabelScheme) -> None:
    (pane,) = panes(parse(render_page([bulletin], scheme=scheme)))
    assert all(
        mark.attributes["tabindex"] == "0" and mark.attributes["data-label"] for mark in pane.all("mark")
    )


def test_everything_is_escaped() -> None:
    label = Label(EVIL, EVIL, "#123456")
    scheme = LabelScheme("evil", entities=(label,), functions=(Label("F" + EVIL, "", "#123456"),))
    bulletin = Bulletin(
        id=EVIL,
        text=EVIL,
        entities=(Entity(0, 8, EVIL),),
        sentences=(Sentence(0, len(EVIL), "F" + EVIL, ("d" + EVIL,)),),
        meta={"title": EVIL, "date": EVIL, "source": EVIL},
    )
    for language in ("zh", "en"):
        page = parse(render_page([bulletin, bulletin], scheme=scheme, title=EVIL, language=language))
        assert len(page.all("script")) == 1
        assert page.all("h1")[0].text == page.all("title")[0].text == EVIL
        assert [pane.text for pane in panes(page)] == [EVIL, EVIL]
        assert panes(page)[0].all("mark")[0].attributes["data-label"] == EVIL


def test_page_makes_no_request(bulletin: Bulletin, scheme: LabelScheme) -> None:
    html = render_page([bulletin] * 2, scheme=scheme)
    nodes = every(parse(html))
    targets = [node.attributes[key] for node in nodes for key in ("src", "href") if key in node.attributes]
    assert targets
    assert all(target == "data:," or (target or "").startswith("#") for target in targets)
    assert not re.search(r"https?:|@import|url\(", html)
    assert not [node for node in nodes if "style" in node.attributes or "onclick" in node.attributes]


def test_policy_pins_style_and_script(bulletin: Bulletin, scheme: LabelScheme) -> None:
    page = parse(render_page([bulletin], scheme=scheme))
    (policy,) = (m.attributes["content"] or "" for m in page.all("meta") if "http-equiv" in m.attributes)
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        digest = hashlib.sha256(page.all(tag)[0].text.encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_scheme_without_sentences_has_no_such_sections(msra: LabelScheme) -> None:
    text = "张示例在武汉。"
    bulletin = Bulletin("m", text, (Entity(0, 3, "PER"), Entity(4, 6, "LOC")), (Sentence(0, 7),))
    page = parse(render_page([bulletin], scheme=msra))
    assert panes(page)[0].text == text
    assert not page.all("table", "sentences")
    assert [legend.text for legend in page.all("legend")] == ["实体"]
    assert len(page.all("table", "tally")) == 1


def test_scheme_with_domains_but_no_functions() -> None:
    scheme = replace(TOY, functions=())
    bulletin = Bulletin("d", "甲。乙。", (), (Sentence(0, 2, None, ("x",)), Sentence(2, 4)))
    page = parse(render_page([bulletin], scheme=scheme))
    assert [link.text for link in page.all("table", "sentences")[0].all("a")] == ["甲。"]
    assert [legend.text for legend in page.all("legend")] == ["业务领域"]


def test_several_bulletins_have_contents_and_fold(bulletin: Bulletin, scheme: LabelScheme) -> None:
    page = parse(render_page((replace(bulletin, id=f"n{i}") for i in range(7)), scheme=scheme))
    articles = [article.attributes["id"] for article in page.all("article")]
    assert [link.attributes["href"] for link in page.all("nav")[0].all("a")] == [f"#{a}" for a in articles]
    assert len(page.all("details")) == len(set(articles)) == 7
    assert not any("open" in details.attributes for details in page.all("details"))
    ids = [node.attributes["id"] for node in every(page) if "id" in node.attributes]
    assert len(ids) == len(set(ids))


def test_nothing_and_empty_text(scheme: LabelScheme) -> None:
    assert "没有公报" in parse(render_page([], scheme=scheme)).all("main")[0].text
    page = parse(render_page([Bulletin("e", "")], scheme=scheme, language="en"))
    assert "(empty text)" in page.all("main")[0].text


def test_size_is_linear(bulletin: Bulletin, scheme: LabelScheme) -> None:
    sizes = [len(render_page([bulletin] * count, scheme=scheme)) for count in (10, 20, 40)]
    assert sizes[2] - sizes[1] == pytest.approx(2 * (sizes[1] - sizes[0]), rel=0.05)


def test_unsound_input_is_named(scheme: LabelScheme, bulletin: Bulletin) -> None:
    overlapping = Bulletin("twice", "示例市民政局", (Entity(0, 3, "LOC"), Entity(2, 6, "ORG")))
    with pytest.raises(DataError, match=r"'twice'.*overlaps"):
        render_page([overlapping], scheme=scheme)
    with pytest.raises(DataError, match="out of range"):
        render_page([Bulletin("far", "市", (Entity(0, 3, "LOC"),))], scheme=scheme)
    broken = replace(scheme, entities=(Label("ORG", "", "red}body{background:url(//x)"),))
    with pytest.raises(ZhenglingError, match="#rrggbb"):
        render_page([bulletin], scheme=broken)
    with pytest.raises(ZhenglingError, match="language 'fr'"):
        render_page([bulletin], scheme=scheme, language="fr")  # type: ignore[arg-type]
