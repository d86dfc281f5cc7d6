"""A real headless Chromium from the system's packages; where there is none tests are skipped, never in CI."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver

NAMES = ("chromium", "google-chrome")
DRIVER = "chromedriver"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions",
    "--disable-dev-shm-usage",
)  # fmt: skip
PHONE = {"width": 390, "height": 844, "pixelRatio": 2.0, "touch": True, "mobile": True}


def installed() -> tuple[str, str]:
    """Paths of browser and driver."""
    browser = next((path for path in map(shutil.which, NAMES) if path), None)
    driver = shutil.which(DRIVER)
    if browser and driver:
        return browser, driver
    reason = f"no {' or '.join(NAMES)} with {DRIVER} here; `apt-get install chromium chromium-driver`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def opened(path: Path, *, phone: bool = False, dark: bool = False) -> Iterator[webdriver.Chrome]:
    """Open a local file without network, on a desktop's window or a phone's, light or dark."""
    browser, driver = installed()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, "--window-size=1200,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if phone:
        options.add_experimental_option("mobileEmulation", {"deviceMetrics": PHONE})
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        chrome.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        chrome.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        chrome.get(path.as_uri())
        yield chrome
    finally:
        chrome.quit()


def console(chrome: webdriver.Chrome) -> list[str]:
    """What was said on the console since it was last asked."""
    return [entry["message"] for entry in chrome.get_log("browser")]
