"""The machine that a run was made on."""

import os
import platform
import socket
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hessbench.errors import HessbenchError

PACKAGES = ("hessbench", "torch", "torchani", "ase", "numpy", "tblite", "sella", "numba")
"""Packages whose versions are recorded with the results."""


def hardware() -> dict[str, Any]:
    """Machine and software that a time was measured with."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip()
            for line in cpuinfo.read_text(encoding="utf-8").splitlines()
            if "model name" in line
        ]
        model = names[0] if names else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def hardware_line() -> str:
    """Processors, memory and system in one line; the same on the same machine."""
    found = hardware()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = found["processor"] or "unknown processor"
    return f"{found['cores']} x {processor}, {memory:.0f} GiB, {found['system']}"


def versions() -> dict[str, str]:
    """Versions of Python and of the packages; some are optional."""
    return {"python": platform.python_version(), **versions_of(PACKAGES)}


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Versions of packages; "missing" where one is not installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "missing"
    return found


def require_versions(expected: Mapping[str, str], others: Iterable[str] = ()) -> None:
    """Refuse to work on a machine whose programs are not those with which the work was begun elsewhere.

    Parameters
    ----------
    expected
        Versions there.
    others
        What else is different here, in words.

    Raises
    ------
    HessbenchError
        There are differences.
    """
    here = versions_of(expected)
    different = [
        f"{name} {here[name]} instead of {value}" for name, value in expected.items() if here[name] != value
    ]
    different += others
    if different:
        raise HessbenchError(
            f"The worker on {socket.gethostname()} has {', '.join(different)}; results would depend on it."
        )
