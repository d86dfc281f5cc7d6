"""Test sets that users bring as a file, scored apart from those of the run (`hessbench evaluate --data`)."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase.data import atomic_numbers, chemical_symbols

from hessbench.config.inputs import Inputs
from hessbench.data.layout import UNKNOWN
from hessbench.data.structures import Structures
from hessbench.errors import DataError, HessbenchError
from hessbench.experiments.errors.run.ensemble import evaluate_ensemble
from hessbench.experiments.errors.run.predictions import read_predictions
from hessbench.experiments.errors.run.rmse import KEYS
from hessbench.experiments.errors.run.scoring import TestSet, error_rows
from hessbench.experiments.errors.run.settings import EvaluationConfig
from hessbench.experiments.errors.run.tables import ERRORS, FAILURES
from hessbench.potential.atomic_energies import compositions, fit_atomic_energies
from hessbench.potential.ensembles import (
    ensemble_inputs,
    ensemble_label,
    load_member,
    model_file,
    trained_seeds,
)
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import read_table, write_table
from hessbench.system.hdf5 import opened
from hessbench.system.reading import reading

FOLDER = "sets"
"""Folder of the results that holds those on sets of users, a folder each."""


@dataclass(frozen=True)
class DataFile:
    """A set of a user.

    Attributes
    ----------
    name
        Of the set in the tables: that of the file.
    tested
        Its structures.
    results
        Folder of what is computed with them.
    """

    name: str
    tested: TestSet
    results: Path


def load_data_file(path: Path, results: Path) -> DataFile:
    """Read a data file of any known format, converted into the one layout first if it is of another.

    Parameters
    ----------
    path
        In the layout of `hessbench.data.layout`, or anything that `hessbench convert` reads.
    results
        Folder of the results of the run.

    Raises
    ------
    HessbenchError
        The file is missing or damaged, or cannot be converted without more being stated.
    """
    name = re.sub(r"[^A-Za-z0-9._-]", "_", path.stem).lstrip("._-") or "data"
    folder = results / FOLDER / name
    if not path.exists():
        raise DataError(path, "there is no such file.")
    layout = path if _in_layout(path) else _converted(path, folder / "data.h5")
    return DataFile(name, TestSet.read(layout), folder)


def score_data_file(
    item: DataFile, folder: Path, loss: str, percent: int, config: EvaluationConfig, inputs: Inputs
) -> tuple[pd.DataFrame, list[str]]:
    """Score an ensemble on a set of a user, in the tables of `hessbench evaluate`.

    Structures with elements that the models do not know are rows with the reason in
    failures/<loss>-<percent>.parquet. Where the set is not known to be of the level of theory that the models
    were trained at, constants of the elements are fitted on it, for each model: levels differ in their zeros
    of energy, which says nothing of a potential.

    Parameters
    ----------
    item
        The set.
    folder, loss, percent, config, inputs
        As in `evaluate_ensemble`.

    Returns
    -------
    The errors table, and sentences about what was left out and fitted.

    Raises
    ------
    DataError
        The models know no structure of the set, or the ensemble is not trained.
    """
    seeds, part = trained_seeds(folder), f"{loss}-{percent}"
    elements = load_member(model_file(folder, seeds[0])).elements
    structures = item.tested.structures
    known = np.isin(structures.numbers, [atomic_numbers[symbol] for symbol in elements])
    usable = np.logical_and.reduceat(known, structures.atom_offsets[:-1])
    foreign = ", ".join(chemical_symbols[number] for number in np.unique(structures.numbers[~known]))
    reason = f"holds {foreign}; the models know {', '.join(elements)}"
    if not usable.any():
        raise DataError(item.tested.data, f"every structure {reason}; train on data that have them.")
    tested = TestSet(item.tested.data, item.tested.level, structures.select(usable))
    errors = evaluate_ensemble(folder, loss, percent, {item.name: tested}, config, item.results, inputs)
    labelled = int(tested.structures.have_hessians.sum())
    notes = [f"{len(tested.structures):,} structures of {item.tested.data}, {labelled:,} with a Hessian"]
    left_out = structures.select(~usable)
    _write_left_out(item, part, ensemble_label(folder), percent, seeds, left_out, reason, inputs)
    if not usable.all():
        path = FAILURES.path(item.results, part)
        notes.append(f"{int((~usable).sum()):,} structures left out: {reason}; all are in {path}")
    trained = ensemble_inputs(folder).data.get("rtp", "")
    if not _is_of_level(trained, tested.level):
        errors = _with_fitted_energies(item, part, tested, inputs)
        notes.append(
            f"level of theory: {tested.level}, not known to be that of the models' data ({trained}); "
            "constants of the elements are fitted on the set before energies are compared"
        )
    return errors, notes


def _write_left_out(
    item: DataFile,
    part: str,
    label: str,
    percent: int,
    seeds: list[int],
    left_out: Structures,
    reason: str,
    inputs: Inputs,
) -> None:
    """Write a row with the reason for each structure that was set aside, and model."""
    names = [left_out.reaction_names[index] for index in left_out.reactions]
    frames = [
        pd.DataFrame(
            {
                "loss": pd.Series([label] * len(left_out), dtype=str),
                "percent": percent,
                "seed": seed,
                "set": pd.Series([item.name] * len(left_out), dtype=str),
                "reaction": pd.Series(names, dtype=str),
                "structure": left_out.indices,
                "reason": pd.Series([reason] * len(left_out), dtype=str),
            }
        )
        for seed in seeds
    ]
    provenance = made_here(inputs, level=item.tested.level, models=len(seeds))
    write_table(item.results, FAILURES, pd.concat(frames, ignore_index=True), provenance, part)


def _is_of_level(identifier: str, level: str) -> bool:
    """Whether data with this identifier (see `ReactionFile`) are of this level of theory, which is known."""
    return level != UNKNOWN and identifier.rpartition(" ")[0].endswith(f" {level}")


def _with_fitted_energies(item: DataFile, part: str, tested: TestSet, inputs: Inputs) -> pd.DataFrame:
    """Score energies again, less constants of the elements that are fitted on the set for each model."""
    errors = read_table(item.results, ERRORS, part=part)
    structures = tested.structures
    elements = tuple(np.unique(structures.numbers).tolist())
    frames = [errors[errors["quantity"] != "energy"]]
    for seed in sorted(errors["seed"].unique().tolist()):
        predicted = read_predictions(item.results / "predictions" / f"{part}.h5", item.name, seed)
        difference = structures.energies - predicted.energies
        constants = fit_atomic_energies(structures.numbers, structures.counts, difference, elements)
        left = difference - compositions(structures.numbers, structures.counts, elements) @ constants
        sums = {"energy": (left**2, np.abs(left), np.ones(len(left), dtype=np.int64))}
        rows = error_rows(seed, item.name, structures, sums)
        same = {key: errors[key].iloc[0] for key in ("loss", "percent")}
        frames.append(rows.assign(**same)[list(errors.columns)])
    table = pd.concat(frames).sort_values([*KEYS, "reaction", "structure"], ignore_index=True)
    models = int(errors["seed"].nunique())
    write_table(item.results, ERRORS, table, made_here(inputs, level=tested.level, models=models), part)
    return table


def _in_layout(path: Path) -> bool:
    """Whether a file is in the one layout, units included."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(8) != b"\x89HDF\r\n\x1a\n":
            return False
    with reading(path, "not a readable HDF5 file, or a truncated one"), opened(path) as content:
        return "format_version" in content.attrs


def _converted(path: Path, target: Path) -> Path:
    """Convert a file by `hessbench convert`.

    It runs as a program of its own: results are scored by code that does not depend on that of the readers.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hessbench", "convert", str(path), str(target), "--force"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise HessbenchError(
            f"{said.removeprefix('Error: ')} (`hessbench convert` has options for it; give what it writes)"
        )
    return target
