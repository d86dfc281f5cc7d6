"""Say what is in a data file of any known format, and what is wrong with it."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from tqdm import tqdm

from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.data.layout import Reaction, ReactionFile
from hessbench.errors import DataError
from hessbench.formats.convert import contradiction, find_units, problem_of
from hessbench.formats.known import open_data
from hessbench.formats.outcomes import Outcome
from hessbench.formats.plausibility import check_reaction, stationary
from hessbench.formats.readers import openreact
from hessbench.formats.readers.source import Choice, Source
from hessbench.formats.unit_detection import Finding, settled_units
from hessbench.formats.unit_names import Units

IMAGINARY = -30.0
"""Wavenumber below which a mode counts as imaginary, cm-1; above it may be noise."""


def inspect_data(path: Path, choice: Choice | None = None, progress: bool = True) -> dict[str, Any]:
    """Read a data file of any known format from end to end.

    Parameters
    ----------
    path, choice
        The file, and what of it is read, see `hessbench.formats.known.open_data`.
    progress
        Show progress on stderr.

    Returns
    -------
    dict
        format, metadata, checksum (of our own files), notes, reactions, structures, elements (atoms of
        each), atoms (least and most in a structure), hessians (structures that have one), units (one dict a
        quantity: quantity, declared, found, outcome, evidence), checks (of reactions: name to how many
        passed, failed, cannot tell), stationary (structures: optimised, of these minima, transition_states,
        higher_saddles), problems.

    Raises
    ------
    DataError
        The file cannot be read at all.
    """
    with open_data(path, choice) as source:
        findings = find_units(source, Units(), skip_bad=True)
        report: dict[str, Any] = {
            "path": str(path),
            "format": source.format,
            "metadata": asdict(source.metadata),
            "checksum": None,
            "notes": list(source.notes),
        }
        found = list(source.problems)
        if source.format == openreact.OURS:
            report["checksum"], wrong = _checksum(path)
            found += wrong
        statistics, wrong = _read_all(source, settled_units(findings), progress)
        report |= statistics
        report["units"] = [_finding(finding) for finding in findings]
        contradictions = [contradiction(finding) for finding in findings if finding.failed]
        report["problems"] = [*found, *contradictions, *wrong]
        return report


def _checksum(path: Path) -> tuple[str, list[str]]:
    """Recorded checksum, and whether the content has another one."""
    with ReactionFile(path) as file:
        computed = file.compute_checksum()
        if computed == file.checksum:
            return file.checksum, []
        return file.checksum, [
            f"content was changed: its checksum is {computed}, not {file.checksum} as recorded"
        ]


def _read_all(source: Source, units: Units, progress: bool) -> tuple[dict[str, Any], list[str]]:
    elements: Counter[str] = Counter()
    sizes: list[int] = []
    with_hessian = 0
    points: Counter[str] = Counter()
    outcomes: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    bar = tqdm(
        source.names, desc=f"inspect {source.path.name}", unit="reaction", delay=2, disable=not progress
    )
    for name in bar:
        try:
            stored = source.load(name)
            reaction = stored.convert(units, source.path)
        except DataError as error:
            wrong.append(str(error))
            continue
        for number in reaction.numbers:
            elements[chemical_symbols[number]] += len(reaction)
        sizes += [len(reaction.numbers)] * len(reaction)
        with_hessian += 0 if reaction.hessians is None else len(reaction)
        points += _points(reaction)
        checks = check_reaction(reaction)
        for check in checks:
            outcomes.setdefault(check.name, Counter())[check.outcome] += 1
        found = problem_of(stored, reaction)
        if found is not None:
            wrong.append(f"{name}: {found}")
    statistics = {
        "reactions": len(source.names),
        "structures": len(sizes),
        "elements": dict(elements.most_common()),
        "atoms": [min(sizes, default=0), max(sizes, default=0)],
        "hessians": with_hessian,
        "checks": {name: {str(key): counts[key] for key in Outcome} for name, counts in outcomes.items()},
        "stationary": {
            key: points[key] for key in ("optimised", "minima", "transition_states", "higher_saddles")
        },
    }
    return statistics, wrong


def _points(reaction: Reaction) -> Counter[str]:
    """Count optimised structures, by their number of imaginary modes if there are Hessians."""
    optimised = stationary(reaction)
    points = Counter({"optimised": int(optimised.sum())})
    if reaction.hessians is None or len(reaction.numbers) < 2:
        return points
    masses = atomic_masses(reaction.numbers)
    for index in np.flatnonzero(optimised):
        modes = normal_modes(reaction.coordinates[index], masses, reaction.hessians[index])
        imaginary = int(np.count_nonzero(modes.wavenumbers < IMAGINARY))
        points[("minima", "transition_states", "higher_saddles")[min(imaginary, 2)]] += 1
    return points


def _finding(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "outcome": str(finding.outcome)}
