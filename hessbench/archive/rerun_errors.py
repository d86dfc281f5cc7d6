"""Errors of the archived models on the embedded paths and displaced structures, computed anew."""

from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from hessbench.archive.layout import RESULTS, ArchivedModel, archived_models
from hessbench.archive.outcome import Difference, Found
from hessbench.data.layout import ReactionFile
from hessbench.embedded import EMBEDDED
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.model_errors import errors_of_model
from hessbench.experiments.errors.run.rmse import root_mean_square
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.potential.registry import load
from hessbench.results.store.names import UNITS
from hessbench.results.store.tables import read_table
from hessbench.system.processes import Report, run_tasks

SETS = ("irc", "nms")
BATCH = 32
"""Molecules predicted at once."""
RELATIVE = 1e-4
ABSOLUTE = {"energy": 5e-4, "force": 5e-4, "hessian": 5e-3}
"""Deviation of a reaction's RMSE that another processor, or a GPU, may make in single precision: the sum of
`RELATIVE` times the RMSE and of these, in kcal/mol and Angstrom."""
KEY = ["seed", "set", "reaction", "quantity"]


def check_errors(archive: Path, processes: int) -> Found:
    """Evaluate every archived model on the embedded sets, and compare the RMSE of each reaction.

    Only reactions that the archived run was tested on, too, are compared.

    Raises
    ------
    HessbenchError
        The archive has no models, or a file that is needed is damaged.
    """
    models = archived_models(archive)
    if not models:
        raise HessbenchError(f"{archive}: holds no models.")
    archived = {
        (model.loss, model.percent): read_table(archive / RESULTS, ERRORS, part=_part(model))
        for model in models
    }
    sets = _common_sets(next(iter(archived.values())))
    structures = sum(len(item.structures) for item in sets.values())
    with tqdm(total=len(models) * structures, desc="errors", unit="structure") as bar:

        def advance(done: int) -> None:
            bar.update(done)

        tables = run_tasks(_evaluate, models, sets, processes, advance)
    differences: list[Difference] = []
    worst = 0.0
    for model, found in zip(models, tables, strict=True):
        joined = _side_by_side(archived[model.loss, model.percent], found, model.seed)
        file = ERRORS.path(Path(RESULTS), _part(model)).as_posix()
        worst = max(worst, float(joined["excess"].max()))
        differences += [
            Difference(
                file,
                f"seed {row.seed}, {row.set}, {row.reaction}, {row.quantity} RMSE",
                f"{row.rmse_archived:.6g} {UNITS[str(row.quantity)]} of {row.count_archived} numbers",
                f"{row.rmse_found:.6g} of {row.count_found}",
            )
            for row in joined[~(joined["excess"] <= 1)].itertuples()
        ]
    reactions = {name: len(item.structures.reaction_names) for name, item in sets.items()}
    compared = f"{len(models)} models on {reactions['irc']} IRC and {reactions['nms']} NMS reactions"
    return Found(compared, f"{worst:.2g} of the tolerance", differences)


def _part(model: ArchivedModel) -> str:
    return f"{model.loss}-{model.percent}"


def _common_sets(archived: pd.DataFrame) -> dict[str, TestSet]:
    """Embedded sets, without the reactions that the archived run was not tested on."""
    sets = {}
    for name in SETS:
        path = EMBEDDED / f"{name}.h5"
        tested = set(archived.loc[archived["set"] == name, "reaction"])
        with ReactionFile(path) as file:
            common = [reaction for reaction in file.names if reaction in tested]
        if not common:
            raise HessbenchError(f"{path.name}: the archived run was tested on none of its reactions.")
        sets[name] = TestSet.read(path, common)
    return sets


def _evaluate(model: ArchivedModel, sets: dict[str, TestSet], report: Report) -> pd.DataFrame:
    """Errors of one model; runs in a process of its own."""
    return errors_of_model(
        load(model.path), model.seed, sets, BATCH, lambda name, part, predicted: report(len(part))
    )


def _side_by_side(archived: pd.DataFrame, found: pd.DataFrame, seed: int) -> pd.DataFrame:
    """RMSE of each reaction, archived and found, and their difference in units of the tolerance."""
    archived = archived[(archived["seed"] == seed) & archived["reaction"].isin(set(found["reaction"]))]
    archived = archived[archived["set"].isin(SETS)]
    joined = _rmse(archived).add_suffix("_archived").join(_rmse(found).add_suffix("_found"), how="outer")
    joined = joined[joined["count_found"].notna()]
    quantity = joined.index.get_level_values("quantity")
    tolerance = quantity.map(ABSOLUTE).to_numpy(float) + RELATIVE * joined["rmse_archived"]
    joined["excess"] = (joined["rmse_found"] - joined["rmse_archived"]).abs() / tolerance
    joined.loc[joined["count_found"] != joined["count_archived"], "excess"] = np.inf  # other structures
    return joined.reset_index()


def _rmse(rows: pd.DataFrame) -> pd.DataFrame:
    sums = rows.groupby(KEY, observed=True)[["squared", "count"]].sum()
    rmse = root_mean_square(sums["squared"].to_numpy(), sums["count"].to_numpy())
    return pd.DataFrame({"rmse": rmse, "count": sums["count"]}, index=sums.index)
