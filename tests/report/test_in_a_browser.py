"""The report page in Chromium, at desktop and phone width."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.interaction import POINTER_TOUCH
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from diswot.report import write_report
from diswot.search import load_run
from tests.edits import replace_text
from tests.report.conftest import DESKTOP, PHONE, chromium

pytestmark = pytest.mark.processes

SIZES = [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")]


@pytest.fixture(scope="module", params=SIZES)
def browser(request: pytest.FixtureRequest) -> Iterator[Chrome]:
    with chromium(request.param) as started:
        yield started


@pytest.fixture
def page(browser: Chrome, run_folder: Path) -> Chrome:
    """Return the browser with the report of a complete run and an empty log."""
    opened(browser, write_report(run_folder, plots=False).page)
    return browser


def opened(browser: Chrome, page: Path) -> None:
    browser.get("about:blank")
    for kind in ("browser", "performance"):
        logged(browser, kind)
    browser.get(page.as_uri())


def logged(browser: Chrome, kind: str) -> list[dict[str, Any]]:
    """Return the log entries since the last call."""
    return list(browser.get_log(kind))  # type: ignore[no-untyped-call]


def winner(browser: Chrome, plot: int = 0) -> WebElement:
    return browser.find_elements(By.CSS_SELECTOR, "svg.plot")[plot].find_element(
        By.CSS_SELECTOR, ".winner .dot"
    )


def tip(browser: Chrome) -> str:
    return browser.find_element(By.ID, "tip").text


def test_the_page_sends_no_request_and_logs_no_error(page: Chrome) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in logged(page, "performance")]
    requested = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert requested == [page.current_url]
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert logged(page, "browser") == []


def test_the_page_fits_the_window_width(page: Chrome) -> None:
    width, visible = page.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= visible


def test_names_of_any_length_do_not_widen_the_page(browser: Chrome, run_folder: Path) -> None:
    for file in ("manifest.json", "result.json", "journal.jsonl"):
        replace_text(run_folder / file, ('"resnet20"', json.dumps("resnet" * 60)))
    opened(browser, write_report(run_folder, plots=False).page)
    test_the_page_fits_the_window_width(browser)


def point_at(browser: Chrome, element: WebElement) -> None:
    """Point at an element with the mouse, or tap it on a touch screen."""
    if browser.execute_script("return matchMedia('(hover: hover)').matches"):
        ActionChains(browser).move_to_element(element).perform()
        return
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    finger = ActionBuilder(browser, mouse=PointerInput(POINTER_TOUCH, "finger"))  # type: ignore[no-untyped-call]
    finger.pointer_action.move_to(element).pointer_down().pointer_up()  # type: ignore[no-untyped-call]
    finger.perform()


def test_pointing_at_a_dot_shows_its_architecture(page: Chrome, run_folder: Path) -> None:
    assert tip(page) == ""
    point_at(page, winner(page))
    assert tip(page).splitlines()[0] == load_run(run_folder).best.name
    assert "winner" in tip(page)
    marked = page.find_elements(By.CSS_SELECTOR, ".dot.same")
    assert len(marked) >= 3, "the winner is marked in every plot"
    left, right, width = page.execute_script(
        "const box = document.getElementById('tip').getBoundingClientRect();"
        "return [box.left, box.right, document.documentElement.clientWidth]"
    )
    assert 0 <= left < right <= width


def test_pointing_elsewhere_hides_it(page: Chrome) -> None:
    point_at(page, winner(page))
    point_at(page, page.find_element(By.TAG_NAME, "h1"))
    assert tip(page) == ""


def test_arrow_keys_move_from_dot_to_dot(page: Chrome) -> None:
    page.execute_script("arguments[0].focus()", winner(page))
    first = tip(page)
    ActionChains(page).send_keys(Keys.HOME).perform()
    ActionChains(page).send_keys(Keys.ARROW_RIGHT).perform()
    assert tip(page) not in ("", first)
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert tip(page) == ""


def test_every_dot_is_labeled_and_every_plot_has_a_tab_stop(page: Chrome) -> None:
    for plot in page.find_elements(By.CSS_SELECTOR, "svg.plot"):
        dots = plot.find_elements(By.CSS_SELECTOR, ".dot")
        assert all(dot.get_attribute("aria-label") for dot in dots)
        assert [dot.get_attribute("tabindex") for dot in dots].count("0") == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(page: Chrome, scheme: str) -> None:
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    for text in (".lead", ".remark", ".tiles dd.note", "thead th", "figcaption", "a", "footer p"):
        colors = page.execute_script(GROUND, page.find_element(By.CSS_SELECTOR, text))
        assert contrast(*colors) >= 4.5, text


GROUND = """
const color = (node, name) => getComputedStyle(node)[name].match(/[\\d.]+/g).map(Number);
let ground = arguments[0];
while (ground && color(ground, "backgroundColor")[3] === 0) ground = ground.parentElement;
return [color(arguments[0], "color"), color(ground, "backgroundColor")];
"""


def contrast(ink: list[float], paper: list[float]) -> float:
    """Return the contrast ratio of WCAG 2.2, success criterion 1.4.3."""

    def luminance(color: list[float]) -> float:
        linear = [c / 3294.6 if c <= 10.31 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_html_in_names_is_escaped(browser: Chrome, own_run: Path) -> None:
    attack = "</script><script>document.title='taken'</script><img src=x onerror=alert(1)>"
    narrow = ("width=8", "<i>8</i>")
    replace_text(own_run / "journal.jsonl", ("this one cannot be", attack), narrow)
    for file in ("manifest.json", "result.json"):
        replace_text(own_run / file, narrow, ("resnet20", attack))
    opened(browser, write_report(own_run, plots=False).page)
    assert browser.title != "taken"
    assert attack in browser.find_element(By.TAG_NAME, "body").text
    assert browser.find_elements(By.CSS_SELECTOR, "img, i") == []
    assert logged(browser, "browser") == []
    test_the_page_fits_the_window_width(browser)
