"""Chromium without a screen, driven through chromedriver; without a network but the loopback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.needs import leave_out

SECONDS_MAX = 30
PHONE = (360, 740)
_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
    "--lang=en-GB",
)


def require_chromium() -> tuple[str, str]:
    """The commands of the browser and its driver; leaves out the test where either is missing."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        leave_out("the pages' tests need Chromium: apt-get install chromium chromium-driver")
    return browser, driver


@contextmanager
def chromium(profile: Path, *, scripts: bool = True) -> Iterator[Chrome]:
    """A browser with a profile of its own. Left out where Chromium or its driver is missing."""
    browser, driver = require_chromium()
    options = ChromeOptions()
    options.binary_location = browser
    for switch in (*_SWITCHES, f"--user-data-dir={profile}"):
        options.add_argument(switch)
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    window = Chrome(options=options, service=Service(driver))
    try:
        yield window
    finally:
        window.quit()


@contextmanager
def next_page(window: Chrome) -> Iterator[None]:
    """Leave the block once what it did has brought another page."""
    before = window.find_element(By.TAG_NAME, "html")
    yield
    waiting = WebDriverWait(window, SECONDS_MAX, poll_frequency=0.02, ignored_exceptions=[WebDriverException])
    waiting.until(lambda shown: shown.find_element(By.TAG_NAME, "html") != before)
    waiting.until(lambda shown: shown.find_element(By.TAG_NAME, "h1"))


def resize(window: Chrome, size: tuple[int, int]) -> None:
    """Make what is shown this wide and high, narrower than a window may be."""
    window.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": True},
    )
