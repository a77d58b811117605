"""Run folders for reports, and a browser that opens the page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

import diswot
from tests.cli.faulty import OneRaises

Browser = Callable[..., webdriver.Chrome]

PHONE, DESKTOP = (390, 844), (1440, 900)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a complete run on S0; tests must not change it."""
    place = tmp_path_factory.mktemp("finished")
    (place / "data").mkdir()
    diswot.run(
        "resnet20",
        "s0",
        budget=diswot.Budget(params=150_000),
        population=6,
        generations=1,
        repeats=1,
        batch_size=8,
        epochs=2,
        teacher_epochs=1,
        force=True,
        compare=False,
        onnx=False,
        data_root=place / "data",
        device="cpu",
        out=place / "run",
    )
    return place / "run"


@pytest.fixture
def run_folder(finished: Path, tmp_path: Path) -> Path:
    """Return a copy of a finished run that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.fixture
def own_run(tmp_path: Path) -> Path:
    """Return the folder of a search in a user-defined space in which one network fails."""
    folder = tmp_path / "own"
    diswot.search(
        "resnet20",
        OneRaises(),
        population=4,
        generations=0,
        repeats=1,
        batch_size=8,
        scorer="rank(params,flops)",
        out=folder,
        device="cpu",
    )
    return folder


@contextmanager
def chromium(size: tuple[int, int]) -> Iterator[webdriver.Chrome]:
    """Start Debian's Chromium with a window of `size`; it can reach only this machine."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("there is no browser: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--window-size={size[0]},{size[1]}",
    ):
        options.add_argument(argument)
    if size == PHONE:
        metrics = {"width": size[0], "height": size[1], "pixelRatio": 2}
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": metrics})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()
