"""The documentation site: strict build, completeness, and no external requests."""

import html
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

import diswot
from diswot.cli._main import cli
from tests.report.conftest import DESKTOP, PHONE, chromium

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[1]
PUBLIC = ("diswot", "diswot.testing", "search_spaces")
PAGES = ("index.html", "getting-started.html", "benchmarks.html", "cli.html", "api/index.html")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built without network access."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "http_proxy": NOWHERE, "https_proxy": NOWHERE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Return the address of a server of the site on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=site)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_of_a_module_is_documented(site: Path, module: str) -> None:
    *_, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)
    described = {line.split()[0] for line in zlib.decompress(packed).decode().splitlines()}
    offered = importlib.import_module(module)
    missing = [
        name
        for name in offered.__all__
        if inspect.isclass(found := getattr(offered, name)) or inspect.isfunction(found)
        if not {f"{module}.{name}", *documenting_packages(found)} & described
    ]
    assert not missing


def documenting_packages(found: object) -> Iterator[str]:
    """Yield the packages in which a class or function may be documented."""
    *packages, module = getattr(found, "__module__", "").split(".")
    for depth in range(1, len(packages) + 1):
        yield ".".join((*packages[:depth], getattr(found, "__name__", module)))


def test_the_reference_index_names_every_public_name() -> None:
    page = (ROOT / "docs" / "api" / "index.md").read_text()
    assert not [name for name in diswot.__all__ if f"`{name}`" not in page]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_send_no_external_request_and_log_no_error(
    address: str, size: tuple[int, int]
) -> None:
    with chromium(size) as browser:
        for page in PAGES:
            browser.get(address + page)
            assert "DisWOT" in browser.title
            width, visible = browser.execute_script(
                "return [document.documentElement.scrollWidth, innerWidth]"
            )
            assert width <= visible
        asked = requested(browser)
        assert any(url.endswith(".css") for url in asked)
        assert not [url for url in asked if not url.startswith((address, "data:"))]
        assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]


def requested(browser: Chrome) -> list[str]:
    """Return the addresses requested since the last call."""
    entries = browser.get_log("performance")  # type: ignore[no-untyped-call]
    messages = [json.loads(entry["message"])["message"] for entry in entries]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def test_the_search_works_without_a_server(site: Path) -> None:
    with chromium(DESKTOP) as browser:
        browser.get((site / "index.html").as_uri())
        browser.find_element(By.CSS_SELECTOR, ".md-search__input").send_keys("calibration")
        found = WebDriverWait(browser, 60).until(
            lambda _: browser.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
        )
        assert any("latency.html" in str(link.get_attribute("href")) for link in found)


def test_the_reference_of_the_command_line_has_every_option(site: Path) -> None:
    page = html.unescape((site / "cli.html").read_text(encoding="utf-8"))
    missing = [
        f"{' '.join(path)} {option.opts[0]}"
        for path, command in commands(cli, ("diswot",))
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
        if f"<code>{option.opts[0]}" not in page
    ]
    assert "diswot bench correlation</h" in page.replace("<a ", "</h")
    assert not missing


def commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if found := command.get_command(context, name):
                yield from commands(found, (*path, name))


def test_every_table_of_results_that_a_page_links_is_in_the_site(site: Path) -> None:
    page = (site / "benchmarks.html").read_text(encoding="utf-8")
    tables = set(re.findall(r'href="(tables/[^"]+\.csv)"', page))
    assert len(tables) >= 9
    assert not [table for table in tables if not (site / table).is_file()]
