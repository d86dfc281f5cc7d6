"""Verification of an archive: checksums, models, experiments, figures, tables, each against what it says."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from hessbench.archive.layout import files_of, read_checksums, require_archive, sha256
from hessbench.archive.outcome import Difference, Found
from hessbench.archive.redraw import NOTHING, check_figures, check_report, check_tables
from hessbench.archive.rerun_errors import check_errors
from hessbench.archive.rerun_heating import check_heating
from hessbench.archive.rerun_path import check_band, check_spectrum
from hessbench.errors import HessbenchError

SHOWN = 10
"""Differences of a check that are named one by one."""


@dataclass(frozen=True)
class Check:
    """A check, how it is made, what it found, and how long it took in s."""

    what: str
    how: str
    found: Found
    seconds: float


def verify(archive: Path, processes: int) -> Iterator[Check]:
    """Check an archive; each check is given when it ends, and one that cannot be made counts as a difference.

    Parameters
    ----------
    archive
        Its folder.
    processes
        Models evaluated, and figures drawn, at the same time.

    Raises
    ------
    HessbenchError
        There is no archive.
    """
    require_archive(archive)
    for what, how, check in (
        ("files", "checksum of each", lambda: check_files(archive)),
        (
            "errors of the models",
            "evaluated anew, RMSE of each reaction",
            lambda: check_errors(archive, processes),
        ),
        ("reaction path", "a band relaxed anew", lambda: check_band(archive)),
        ("spectrum", "Hessians anew, every wavenumber", lambda: check_spectrum(archive)),
        ("heated molecule", "heated anew, when which bond breaks", lambda: check_heating(archive)),
        ("figures", "drawn anew from the results", lambda: check_figures(archive, processes)),
        ("tables and verdicts", "written anew from the results", lambda: check_tables(archive)),
        ("report", "written anew", lambda: check_report(archive)),
    ):
        yield _made(what, how, check)


def check_files(archive: Path) -> Found:
    """Compare all files with their checksums; one that is missing, or that has none, differs, too."""
    expected = read_checksums(archive)
    found = {name: sha256(archive / name) for name in files_of(archive)}
    differences = [
        Difference(name, "", expected.get(name, NOTHING), found.get(name, NOTHING))
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]
    return Found(f"{len(expected)} files, SHA-256", differences=differences)


def as_table(checks: list[Check]) -> str:
    """Table for people of what was verified how."""
    rows = [
        {
            "what": check.what,
            "how": check.how,
            "compared": check.found.compared,
            "deviation": check.found.deviation,
            "time": f"{check.seconds:.0f} s",
            "outcome": f"{len(check.found.differences)} differ" if check.found.differences else "as archived",
        }
        for check in checks
    ]
    text: str = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return text


def _made(what: str, how: str, check: Callable[[], Found]) -> Check:
    begin = time.perf_counter()
    try:
        found = check()
    except HessbenchError as error:
        problem = Difference(what, "", "a check that can be made", str(error))
        found = Found("not possible", "", [problem])
    return Check(what, how, found, time.perf_counter() - begin)
