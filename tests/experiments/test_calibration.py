"""Errors of ensemble means and spreads, from the predictions that a tiny run stored."""

import numpy as np
import pytest
from click.testing import CliRunner

from hessbench.cli import cli
from hessbench.data.structures import load_structures
from hessbench.errors import DataError
from hessbench.experiments.calibration.run.command import rows_of
from hessbench.experiments.calibration.run.tables import CALIBRATION
from hessbench.experiments.errors.run.predictions import read_predictions
from hessbench.results.store.tables import read_table
from tests.experiments.test_errors import run  # noqa: F401  (a fixture: a tiny run, evaluated)
from tests.training.synthetic import reactions


def test_mean_and_spread_of_stored_predictions(run) -> None:  # noqa: F811
    arguments = ["calibration", "--loss", "ef", "--percent", "80"]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    table = read_table(run / "results", CALIBRATION)
    assert table.groupby("set").size().to_dict() == {"irc": 27, "nms": 18, "rtp": 6}
    assert set(table["models"]) == {2}
    both = [read_predictions(run / "results/predictions/ef-80.h5", "irc", seed) for seed in (0, 1)]
    index = 4
    name, structure = both[0].reactions[index], both[0].structures[index]
    (item,) = [found for found in reactions(3, 3, 1) if found.name == name]
    rows = table[(table["set"] == "irc") & (table["reaction"] == name) & (table["structure"] == structure)]
    rows = rows.set_index("quantity")
    atoms = slice(*np.concatenate([[0], np.cumsum(both[0].counts)])[index : index + 2])
    values = {
        "energy": ([part.energies[index] for part in both], item.energies[structure]),
        "force": ([part.forces[atoms] for part in both], item.forces[structure]),
        "hessian": ([part.hessians[index] for part in both], item.hessians[structure]),
    }
    for quantity, (predicted, reference) in values.items():
        predicted = np.asarray(predicted, float)
        squared = ((predicted.mean(axis=0) - reference) ** 2).sum()
        assert rows.loc[quantity, "squared"] == pytest.approx(squared, rel=1e-3)
        assert rows.loc[quantity, "variance"] == pytest.approx(predicted.var(axis=0, ddof=1).sum(), rel=1e-3)
        assert rows.loc[quantity, "count"] == np.size(reference)


def test_one_model_has_no_spread(run) -> None:  # noqa: F811
    path = run / "results/predictions/ef-80.h5"
    with pytest.raises(DataError, match="holds one model, which has no spread"):
        rows_of(path, "irc", [0], load_structures(run / "data/active/irc.h5"))
