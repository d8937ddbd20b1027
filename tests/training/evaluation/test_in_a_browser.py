"""The page in a real browser, where there is one: it opens without complaints and its filters work."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from zhengling.schema import Bulletin
from zhengling_training.evaluation.page import to_html
from zhengling_training.evaluation.report import Report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
    "--window-size=1200,900",
    "--enable-logging=stderr",
)
# Ticks the first box of a group and notes what is shown before, then, and after clearing.
CLICKS = """<script>
const shown = () => document.querySelector("[data-of=shown]").textContent;
const seen = [shown()];
document.querySelector("input[name=%s]").click();
seen.push(shown());
document.querySelector("input[name=confidence]").value = 1;
document.querySelector("input[name=confidence]").dispatchEvent(new Event("input", { bubbles: true }));
seen.push(shown());
document.querySelector("button[type=reset]").click();
setTimeout(() => { seen.push(shown()); document.title = seen.join("|"); }, 100);
</script>"""


def opened(page: str, folder: Path) -> tuple[str, str]:
    """The document after its scripts ran, and what the browser said."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    done = subprocess.run(
        [str(CHROMIUM), *FLAGS, profile, "--dump-dom", path.as_uri()],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def page(report: Report, gold: list[Bulletin], predicted: list[Bulletin]) -> str:
    return to_html(report, gold, predicted, language="en")


def test_it_opens_without_complaints(page: str, gold: list[Bulletin], tmp_path: Path) -> None:
    document, said = opened(page, tmp_path)
    assert "CONSOLE" not in said, said
    assert f"{len(gold)} of {len(gold)} bulletins" in document
    assert 'class="filters" aria-label="Filter">' in document


@pytest.mark.parametrize("group", ["kind", "label"])
def test_filters(page: str, tmp_path: Path, group: str) -> None:
    unlocked = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    document, said = opened(unlocked.replace("</body>", CLICKS % group + "</body>"), tmp_path)
    assert "CONSOLE" not in said, said
    title = re.search(r"<title>([^<]*)</title>", document)
    assert title is not None
    shown = [[int(number) for number in re.findall(r"\d+", part)] for part in title[1].split("|")]
    start, ticked, sure, cleared = shown
    assert start == cleared
    assert 0 < ticked[2] < start[2]
    assert ticked[0] <= start[0]
    assert sure[2] == 0
