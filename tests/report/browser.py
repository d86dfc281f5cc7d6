"""A real headless Chromium from the system's packages; where there is none tests are skipped, never in CI."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--enable-logging=stderr", "--virtual-time-budget=3000",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What became of a page: its DOM as text, and what was said on its console."""

    dom: str
    console: list[str]


def chromium() -> str:
    """Path of the browser."""
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    reason = f"no {', '.join(NAMES)} on this machine; `apt-get install chromium` brings one"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def open_page(path: Path, profile: Path, *, width: int = 1200, height: int = 900, dark: bool = False) -> Page:
    """Open a local file and let its scripts run."""
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    size = [f"--user-data-dir={profile}", f"--window-size={width},{height}"]
    command = [chromium(), *FLAGS, *scheme, *size, "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return Page(done.stdout, re.findall(r"CONSOLE.*", done.stderr))
