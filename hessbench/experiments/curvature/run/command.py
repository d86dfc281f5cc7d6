"""`hessbench curvature`: normal modes of predicted Hessians against the reference's."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.chemistry.normal_modes import NormalModes, atomic_masses, normal_modes
from hessbench.config.options import ensembles_options, results_option
from hessbench.data.locations import SPLIT
from hessbench.data.structures import Structures
from hessbench.experiments.curvature.run.modes import mode_errors
from hessbench.experiments.curvature.run.tables import CURVATURE, STAGE
from hessbench.experiments.errors.run.predictions import (
    predicted_from,
    predicted_label,
    predicted_seeds,
    stored_predictions,
)
from hessbench.experiments.errors.run.scoring import reference_hessians
from hessbench.experiments.errors.run.sets import active_sets
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results


@click.command()
@ensembles_options("Ensembles to compare")
@results_option
@alone_in_results("curvature")
def command(losses: tuple[str, ...], percent: int, results: Path) -> None:
    """Diagonalize the Hessians that `hessbench evaluate` stored: results/curvature.parquet.

    Wavenumbers, zero-point energies, the lowest modes, and how many force constants are negative.
    """
    files = {loss: results / "predictions" / f"{loss}-{percent}.h5" for loss in losses}
    sets = active_sets(results / SPLIT, percent)
    data = {name: item.data for name, item in sets.tested.items()}
    inputs = STAGE.inputs(data, files={"split": sets.split.digest})
    inputs = inputs.joined(*(predicted_from(file) for file in files.values()))
    labels = {loss: predicted_label(file) for loss, file in files.items()}
    seeds = {loss: predicted_seeds(file) for loss, file in files.items()}
    rows = []
    total = sum(len(item.structures) for item in sets.tested.values()) * (1 + sum(map(len, seeds.values())))
    with tqdm(total=total, desc="curvature", unit="Hessian", smoothing=0.1) as bar:
        for name, item in sets.tested.items():
            reference = [_advanced(bar, modes) for modes in reference_modes(item.structures)]
            for loss, file in files.items():
                for seed in seeds[loss]:
                    leading = {"loss": labels[loss], "seed": seed, "set": name}
                    for row in rows_of(file, name, seed, item.structures, reference):
                        rows.append(leading | _advanced(bar, row))
    table = pd.DataFrame(rows, columns=list(CURVATURE.columns))
    level = "; ".join(sorted({item.level for item in sets.tested.values()}))
    models = max(map(len, seeds.values()))
    path = write_table(results, CURVATURE, table, made_here(inputs, level=level, models=models))
    click.echo(f"{path}: {len(table)} structures times models")


def reference_modes(structures: Structures) -> Iterator[NormalModes]:
    """Modes of the reference's Hessians, of the structures that have one.

    Raises
    ------
    DataError
        The structures have none.
    """
    labelled = structures.select(structures.have_hessians)
    pieces = np.split(reference_hessians(structures), labelled.hessian_offsets[1:-1])
    for place, flat in zip(_places(labelled), pieces, strict=True):
        yield normal_modes(*place, flat.reshape(place[0].size, -1))


def rows_of(
    file: Path, name: str, seed: int, structures: Structures, reference: list[NormalModes]
) -> Iterator[dict[str, Any]]:
    """Rows of one model and set, without loss, seed and set.

    Parameters
    ----------
    file
        Predictions of `hessbench evaluate`.
    name, seed
        Of the set and the model.
    structures
        The set, in the order of the predictions.
    reference
        Modes of each structure that has a Hessian.

    Raises
    ------
    DataError
        The predictions are of other structures, or their Hessians were not stored.
    """
    predicted = stored_predictions(file, name, seed, structures)
    hessians = predicted.hessians or []
    labelled = np.flatnonzero(structures.have_hessians)
    places = _places(structures.select(labelled))
    along = structures.annotations.get("path_coordinate")
    for index, place, wanted in zip(labelled.tolist(), places, reference, strict=True):
        modes = normal_modes(*place, hessians[index].astype(np.float64))
        yield {
            "reaction": predicted.reactions[index],
            "structure": int(predicted.structures[index]),
            "path_coordinate": None if along is None else float(along[index]),
            **mode_errors(modes, wanted),
        }


def _places(structures: Structures) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Coordinates and masses of each structure."""
    for first, last in pairwise(structures.atom_offsets.tolist()):
        yield structures.coordinates[first:last], atomic_masses(structures.numbers[first:last])


def _advanced(bar: tqdm, item: Any) -> Any:
    bar.update()
    return item
