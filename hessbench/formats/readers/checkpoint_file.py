"""Formatted checkpoint files of Gaussian (formchk), and of programs that write the same form.

The form is that of https://gaussian.com/interfacing/: two lines of title and job, then sections of one value,
or of an array whose length the section's first line states. Only the sections that data are made of are
read, so basis functions that a general parser does not know do no harm.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from hessbench.errors import DataError
from hessbench.formats.readers.jobs import Job
from hessbench.units import BOHR

ORDERS = {"SP": 0, "SCAN": 0, "GUESS=ONLY": 0, "STABILITY": 0, "LST": 0, "FOPT": 1, "POPT": 1, "FTS": 1,
          "PTS": 1, "FSADDLE": 1, "PSADDLE": 1, "FORCE": 1, "FREQ": 2}  # fmt: skip
"""Order of the derivatives that a kind of job computes, by the first word of the second line."""
SECTION = re.compile(r"[A-Za-z][ -~]{39} {3}[IRCLH](   N= *\d+| +[-+]?[\d.]+(E[-+]\d+)?| +[TF]) *\r?$")
"""First line of a section: title, type, and a value, or how many follow."""
HEAVIEST = 118
"""Largest atomic number of an element."""
NEEDED = {
    "Atomic numbers": "atomic numbers",
    "Current cartesian coordinates": "coordinates",
    "Total Energy": "energies",
    "Cartesian Gradient": "forces",
}


def is_checkpoint(beginning: str) -> bool:
    """Whether a text begins as a formatted checkpoint file does: two lines, then the title of a section.

    Which section is first differs by version, and by what was cut out of a file to make it small.
    """
    lines = beginning.split("\n", 3)
    return len(lines) == 4 and SECTION.match(lines[2]) is not None


def read_checkpoint(path: Path, text: str) -> Job:
    """Take from a checkpoint file what its kind of job computes; the rest of it holds zeros or estimates.

    Raises
    ------
    DataError
        It is cut off, or of a job that computes no forces.
    """
    kind, method, basis = [*text.splitlines()[1].split(), "", "unknown", "unknown"][:3]
    order = ORDERS.get(kind.upper(), 2)
    relaxed_scan = kind.upper() == "SCAN" and "\nOpt point " in text  # its last geometry was optimised
    if order < 1 and not relaxed_scan:
        raise DataError(path, f"holds no forces: it is of a job of kind {kind}, which computes none.")
    sections = _sections(path, text)
    for title, what in NEEDED.items():
        if title not in sections:
            raise DataError(path, f"holds no {what} (section {title!r}); its writer left them out.")
    numbers = sections["Atomic numbers"]
    if not ((numbers >= 1) & (numbers <= HEAVIEST)).all():
        raise DataError(
            path, f"atomic numbers are not those of elements, 1 to {HEAVIEST}; run formchk again."
        )
    numbers = numbers.astype(int)
    gradient = sections["Cartesian Gradient"].reshape(1, -1, 3)
    if not gradient.any() and len(numbers) > 1:
        why = "all of which are zero, a placeholder"
        raise DataError(path, f"holds no forces: it is of a job of kind {kind or 'unknown'}, {why}.")
    return Job(
        number=1,
        total=1,
        level=f"{method.removeprefix('R').removeprefix('U')}/{basis}",
        numbers=numbers,
        charge=_whole(sections.get("Charge")),
        multiplicity=_whole(sections.get("Multiplicity")),
        coordinates=sections["Current cartesian coordinates"].reshape(1, -1, 3) * BOHR,
        energies=sections["Total Energy"].reshape(1),
        forces=-gradient,
        hessian=_hessian(sections, 3 * len(numbers)) if order == 2 else None,
    )


def _hessian(sections: dict[str, np.ndarray], size: int) -> np.ndarray | None:
    """The matrix (3 N, 3 N) of which the lower triangle is stored; None if there is none, or only zeros."""
    values = sections.get("Cartesian Force Constants")
    if values is None or not values.any():
        return None
    lower = np.zeros((size, size))
    lower[np.tril_indices(size)] = values
    return lower + np.tril(lower, -1).T


def _whole(value: np.ndarray | None) -> int | None:
    return None if value is None else int(value)


def _sections(path: Path, text: str) -> dict[str, np.ndarray]:
    """All numbers of the file by the title of their section.

    Raises
    ------
    DataError
        An array is cut off.
    """
    found: dict[str, Any] = {}
    title, left = "", 0
    for line in text.splitlines()[2:]:
        if left > 0:
            words = line.split()
            left -= len(words)
            found[title] += words
        elif line[43:44] in ("I", "R"):
            title, _, length = line[:40].strip(), *line[44:].partition("N=")[1:]
            left = int(length) if length else 0
            found[title] = [] if length else line[44:].split()[-1]
        else:
            title = ""  # texts and logical values
    if left > 0:
        raise DataError(path, f"truncated: {left} numbers of {title!r} are missing; run formchk again.")
    return {name: _numbers(words) for name, words in found.items()}


def _numbers(words: str | list[str]) -> np.ndarray:
    """Numbers with the exponents of C or of Fortran."""
    usual = words.replace("D", "E") if isinstance(words, str) else [word.replace("D", "E") for word in words]
    return np.array(usual, dtype=float)
