"""`hessbench calibration`: errors of an ensemble's mean, and the spread of its models."""

from pathlib import Path

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.config.options import ensembles_options, results_option
from hessbench.data.locations import SPLIT
from hessbench.data.structures import Structures
from hessbench.errors import DataError
from hessbench.experiments.calibration.run.tables import CALIBRATION, STAGE
from hessbench.experiments.errors.run.predictions import (
    flat_hessians,
    predicted_from,
    predicted_label,
    predicted_seeds,
    stored_predictions,
)
from hessbench.experiments.errors.run.rmse import sums_by_structure
from hessbench.experiments.errors.run.scoring import element_offsets, reference_hessians
from hessbench.experiments.errors.run.sets import active_sets
from hessbench.results.store.names import QUANTITIES
from hessbench.results.store.provenance import made_here
from hessbench.results.store.tables import write_table
from hessbench.system.alone import alone_in_results


@click.command()
@ensembles_options("Ensembles to look at")
@results_option
@alone_in_results("calibration")
def command(losses: tuple[str, ...], percent: int, results: Path) -> None:
    """Average the predictions that `hessbench evaluate` stored: results/calibration.parquet."""
    files = {loss: results / "predictions" / f"{loss}-{percent}.h5" for loss in losses}
    sets = active_sets(results / SPLIT, percent)
    data = {name: item.data for name, item in sets.tested.items()}
    inputs = STAGE.inputs(data, files={"split": sets.split.digest})
    inputs = inputs.joined(*(predicted_from(file) for file in files.values()))
    frames, models = [], 0
    with tqdm(total=len(files) * len(sets.tested), desc="calibration", unit="set") as bar:
        for file in files.values():
            seeds = predicted_seeds(file)
            models = max(models, len(seeds))
            for name, item in sets.tested.items():
                rows = rows_of(file, name, seeds, item.structures)
                frames.append(rows.assign(loss=predicted_label(file), models=len(seeds), set=name))
                bar.update()
    table = pd.concat(frames, ignore_index=True)[list(CALIBRATION.columns)]
    level = "; ".join(sorted({item.level for item in sets.tested.values()}))
    path = write_table(results, CALIBRATION, table, made_here(inputs, level=level, models=models))
    click.echo(f"{path}: {len(table)} rows, {models} models per ensemble")


def rows_of(file: Path, name: str, seeds: list[int], structures: Structures) -> pd.DataFrame:
    """Rows of one ensemble and set, without loss, models and set.

    Parameters
    ----------
    file
        Predictions of `hessbench evaluate`.
    name, seeds
        Of the set, and of all models.
    structures
        The set, in the order of the predictions.

    Raises
    ------
    DataError
        A single model, predictions of other structures, or Hessians that were not stored.
    """
    if len(seeds) < 2:
        raise DataError(file, "holds one model, which has no spread; train more (training.seeds).")
    reference = {
        "energy": structures.energies,
        "force": structures.forces.ravel(),
        "hessian": reference_hessians(structures),
    }
    means: dict[str, np.ndarray] = {}
    squares: dict[str, np.ndarray] = {}
    for number, seed in enumerate(seeds, start=1):
        predicted = stored_predictions(file, name, seed, structures)
        values = {
            "energy": predicted.energies,
            "force": predicted.forces.ravel().astype(float),
            "hessian": flat_hessians(structures, predicted.hessians or []).astype(float),
        }
        for quantity, value in values.items():  # Welford: no cancellation of large energies
            mean = means.get(quantity, np.zeros_like(value))
            change = value - mean
            means[quantity] = mean + change / number
            squares[quantity] = squares.get(quantity, 0.0) + change * (value - means[quantity])
    offsets = element_offsets(structures)
    names = np.array(structures.reaction_names)[structures.reactions]
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "reaction": names,
                    "structure": structures.indices,
                    "quantity": quantity,
                    "squared": sums_by_structure((means[quantity] - reference[quantity]) ** 2, at),
                    "variance": sums_by_structure(squares[quantity] / (len(seeds) - 1), at),
                    "count": np.diff(at),
                }
            )
            for quantity, at in ((quantity, offsets[quantity]) for quantity in QUANTITIES)
        ],
        ignore_index=True,
    )
    return rows[rows["count"] > 0]
