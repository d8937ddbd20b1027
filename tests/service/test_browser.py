"""The page as users have it, in a headless Chromium of the system; skipped where there is none."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait
from tests.documents import pdf, word
from tests.service.conftest import SETTINGS, TEXT

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver"),
]
PATIENCE = 90  # seconds, for a machine that is busy


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="module")
def browser(profile: Path) -> Iterator[Chrome]:
    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=1280,1000",
        "--disable-dev-shm-usage",
    ):
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(profile)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(PATIENCE)
    yield driver
    driver.quit()


class Page:
    """The page with what a user does on it."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self.browser, self.address = browser, address
        browser.get_log("performance")
        browser.get_log("browser")
        browser.get(address)

    def one(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def seen(self, selector: str) -> list[WebElement]:
        return [node for node in self.all(selector) if node.is_displayed()]

    def until(self, happens: Callable[[], object]) -> None:
        WebDriverWait(self.browser, PATIENCE, 0.1).until(lambda _: happens())

    def paste(self, text: str) -> None:
        # As a paste does: a text of thousands of characters is not typed.
        self.browser.execute_script(
            "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))",
            self.one("#text"),
            text,
        )

    def analyse(self, text: str = TEXT) -> None:
        self.paste(text)
        self.one("#paste .primary").click()
        self.until(lambda: self.one("#paste .primary").is_enabled())

    @property
    def notice(self) -> str:
        return self.one("#notice").text

    def requests(self) -> list[str]:
        """Addresses that the browser asked for."""
        entries = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        return [e["params"]["request"]["url"] for e in entries if e["method"] == "Network.requestWillBeSent"]


@pytest.fixture
def page(browser: Chrome, start: Callable[..., str]) -> Page:
    return Page(browser, start())


def downloaded(profile: Path, name: str, page: Page) -> Path:
    path = profile / name
    page.until(lambda: path.is_file() and path.stat().st_size > 0)
    return path


def test_paste_and_analyse(page: Page) -> None:
    page.analyse()
    pane = page.one(".text")
    assert pane.get_property("textContent") == TEXT
    marks = page.all(".text mark")
    assert "示例市民政局" in TEXT
    assert marks
    assert all(mark.get_attribute("data-label") and mark.get_attribute("aria-description") for mark in marks)
    assert [span.get_attribute("data-label") for span in page.all(".text .s")].count("部署要求") == 1
    assert page.notice == "解读完成。"
    assert all(url.startswith((page.address, "data:")) for url in page.requests())
    assert [entry for entry in page.browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_filters_and_the_way_from_table_to_text(page: Page) -> None:
    page.analyse()
    box = page.one("input[name=f]")
    page.browser.execute_script("arguments[0].click()", box)
    assert len(page.all(".s.off")) == len(page.all(".s")) - 1
    page.one(".filters button[type=reset]").click()
    page.until(lambda: not page.all(".s.off"))
    link = page.seen(".sentences a")[0]
    link.click()
    target = page.one(f"[id='{(link.get_attribute('href') or '').split('#')[1]}']")
    assert target.is_displayed()
    assert page.browser.execute_script("return arguments[0].matches(':target')", target)


def test_the_keyboard_is_enough(page: Page) -> None:
    page.paste(TEXT)
    page.one("#text").send_keys(Keys.CONTROL, Keys.ENTER)
    page.until(lambda: page.all(".text mark"))
    first, second = page.all(".text mark")[:2]
    for _ in range(40):
        ActionChains(page.browser).send_keys(Keys.TAB).perform()
        if page.browser.switch_to.active_element == first:
            break
    assert page.browser.switch_to.active_element == first
    label = "return getComputedStyle(arguments[0], '::before').content"
    assert first.get_attribute("aria-description") in page.browser.execute_script(label, first)
    first.send_keys(Keys.ARROW_RIGHT)
    assert page.browser.switch_to.active_element == second


def test_downloads(page: Page, profile: Path) -> None:
    page.analyse("=1+1，" + TEXT)
    page.one("[data-do=json]").click()
    (bulletin,) = json.loads(downloaded(profile, "zhengling.json", page).read_text(encoding="utf-8"))
    assert bulletin["text"] == "=1+1，" + TEXT
    page.one("[data-do=excel]").click()
    sheet = openpyxl.load_workbook(downloaded(profile, "zhengling.xlsx", page)).active
    rows = list(sheet.values)
    assert "任务事项" in rows[0]
    assert any("困难老年人探访" in str(cell) for cell in rows[1])
    page.one("[data-do=copy]").click()
    page.until(lambda: page.notice == "已复制。")


def test_files(page: Page, tmp_path: Path) -> None:
    for name, content in (("a.docx", word(TEXT)), ("b.pdf", pdf([[]]))):
        (tmp_path / name).write_bytes(content)
    page.one("#file").send_keys(f"{tmp_path / 'a.docx'}\n{tmp_path / 'b.pdf'}")
    page.until(lambda: page.all(".text mark"))
    assert (
        page.one("#unread").text
        == "未能读取: b.pdf: no text in it, only pictures; scans must go through OCR first"
    )


def test_a_text_that_is_too_long(page: Page) -> None:
    page.analyse("好" * (SETTINGS.text_characters + 1))
    assert page.notice.startswith("超出限额: characters in a text: 2001, more than 2000")
    assert "bad" in (page.one("#notice").get_attribute("class") or "")
    assert not page.all(".text")
    page.analyse()
    assert page.all(".text mark")


def test_nothing_to_analyse(page: Page) -> None:
    page.one("#paste .primary").click()
    assert page.notice.startswith("还没有正文")


def test_markup_stays_text(page: Page) -> None:
    evil = "<script>document.title='bad'</script><img src=x onerror=\"document.title='bad'\">各地要落实。"
    page.analyse(evil)
    assert page.one(".text").get_property("textContent") == evil
    time.sleep(0.3)
    assert page.browser.title != "bad"
    assert not page.all("#result img, #result script")


def test_english_and_the_token(browser: Chrome, start: Callable[..., str]) -> None:
    page = Page(browser, start(token="secret"))
    page.one("a[hreflang=en]").click()
    page.until(lambda: page.browser.title.startswith("zhengling"))
    page.analyse()
    assert page.notice.startswith("The token is missing or wrong")
    page.one("#token").send_keys("secret")
    page.one("#paste .primary").click()
    page.until(lambda: page.all(".text mark"))
    assert "ORG" in [mark.get_attribute("data-label") for mark in page.all(".text mark")]


def test_a_phone(page: Page) -> None:
    page.browser.set_window_size(500, 850)
    try:
        page.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": 360, "height": 780, "deviceScaleFactor": 2, "mobile": True},
        )
        page.analyse()
        assert page.browser.execute_script("return document.documentElement.scrollWidth") <= 360
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.browser.set_window_size(1280, 1000)
