"""Models in a stack against the same models one at a time; the tables they lead to."""

import copy
import shutil
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.interpolate import CubicSpline

from hessbench.embedded import EMBEDDED
from hessbench.errors import DataError
from hessbench.experiments.single_ts.run import ensembles
from hessbench.experiments.single_ts.run.command import at_the_ts
from hessbench.experiments.single_ts.run.ensembles import (
    make_stack,
    read_path,
    run_single_ts,
    sees_maximum,
)
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.experiments.single_ts.run.tables import MODES, SINGLE_TS
from hessbench.experiments.single_ts.run.training import errors, target_of, train_stack
from hessbench.potential import Batch, Prediction, build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.stack import OneByOne
from hessbench.results.store.tables import read_table, write_table
from hessbench.system.sources import ROOT, code_digest
from hessbench.training.loss import term_errors, weighted_sum
from hessbench.training.optimization import Optimization
from hessbench.training.settings import PAPER_LOSSES, AdamConfig
from tests.made_up import provenance
from tests.training.synthetic import loss_of

DATA = EMBEDDED / "single-ts.h5"
CONFIG = SingleTSConfig(
    models=3,
    models_at_once=3,
    processes=1,
    steps=4,
    model=ANIConfig(shape="gelu", hidden=(12, 8), biases=True),
    optimizer=AdamConfig(kind="adam", learning_rate=5e-3),
    energy_unit=1.0,
)
"""Small networks; four elements, of which the reaction has three."""


@pytest.fixture(scope="module")
def path():
    return read_path(DATA)


@pytest.fixture(scope="module")
def stacked(path):
    """Gives the models of the first seeds in float64: one by one, as ANI stacks them, and that stack.

    Describing the geometry takes most of the time of a test, so it is done once, and copied.
    """

    @cache
    def untrained(count, unit):
        models = [build(CONFIG.model, seed).double() for seed in range(count)]
        return models, type(models[0]).stacked(models, path.numbers, path.ts, unit)

    return lambda count, unit=CONFIG.energy_unit: copy.deepcopy(untrained(count, unit))


def target(path):
    return target_of(path.numbers, *map(torch.from_numpy, (path.ts, path.forces, path.hessian)))


def test_stacked_models_predict_what_each_model_predicts(path, stacked):
    models, stack = stacked(2)
    batch = Batch.from_molecules([(path.numbers.tolist(), path.ts.tolist())])
    along = Batch.from_molecules([(path.numbers.tolist(), item.tolist()) for item in path.coordinates[::40]])
    with torch.no_grad():
        predictions = stack.predict(2)
        energies = stack.energies(path.coordinates[::40])
    for index, model in enumerate(models):
        alone = model.reference_predict(batch, 2)
        torch.testing.assert_close(predictions.energies[index], alone.energies[0], rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(predictions.forces[index], alone.forces.flatten(), rtol=1e-9, atol=1e-9)
        hessian = alone.hessian(batch, 0)
        torch.testing.assert_close(predictions.hessians[index], hessian, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(energies[index], model.reference_predict(along, 0).energies)


def test_lower_derivatives_are_those_of_the_whole(stacked):
    _, stack = stacked(2)
    whole, forces, energies = (stack.predict(order) for order in (2, 1, 0))
    torch.testing.assert_close(forces.forces, whole.forces)
    torch.testing.assert_close(energies.energies, whole.energies)
    assert forces.hessians is None
    assert energies.forces is None


@pytest.mark.parametrize("loss", CONFIG.losses)
def test_training_together_is_training_one_after_the_other(path, stacked, loss):
    """Every model ends where the package's own model, loss and optimizer bring it when trained alone."""
    weights = CONFIG.losses[loss]
    models, stack = stacked(3)
    train_stack(stack, target(path), weights, CONFIG)
    batch = Batch.from_molecules([(path.numbers.tolist(), path.ts.tolist())])
    reference = Prediction(
        torch.zeros(1, dtype=torch.float64),
        torch.from_numpy(path.forces),
        torch.from_numpy(path.hessian.ravel()),
    )
    with torch.no_grad():
        together = stack.predict(2)
    for index, model in enumerate(models[:2]):
        optimization = Optimization(model, CONFIG.optimizer, CONFIG.steps)
        for _ in range(CONFIG.steps):
            prediction = model.predict(batch, weights.derivatives)
            optimization.zero_grad()
            weighted_sum(term_errors(weights.terms, prediction, reference, batch), weights).backward()
            optimization.step()
        alone = model.predict(batch, 2)
        torch.testing.assert_close(together.energies[index], alone.energies[0], rtol=1e-7, atol=1e-7)
        torch.testing.assert_close(together.hessians[index], alone.hessian(batch, 0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("unit", [1.0, 30.0])
def test_an_architecture_without_a_stack_of_its_own_trains_to_the_same_models(path, stacked, unit):
    models, own = stacked(2, unit)
    plain = OneByOne(models, path.numbers, path.ts, unit)
    for item in (own, plain):
        train_stack(item, target(path), CONFIG.losses["efh"], CONFIG)
    with torch.no_grad():
        first, second = own.predict(2), plain.predict(2)
        path_energies = [item.energies(path.coordinates[::40]) for item in (own, plain)]
    torch.testing.assert_close(first.energies, second.energies, rtol=1e-7, atol=1e-6)
    torch.testing.assert_close(first.forces, second.forces, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(first.hessians, second.hessians, rtol=1e-6, atol=1e-5)
    torch.testing.assert_close(*path_energies, rtol=1e-7, atol=1e-6)


@pytest.fixture
def hessians_after_training(path, stacked):
    def train(weights):
        _, stack = stacked(2)
        train_stack(stack, target(path), weights, CONFIG)
        with torch.no_grad():
            return stack.predict(2).hessians

    return train


def test_a_probe_of_every_coordinate_is_the_whole_hessian(path, hessians_after_training):
    exact = hessians_after_training(PAPER_LOSSES["efh"])
    rows = loss_of(1, 0.08, 0.02, estimator="rows", count=path.forces.size)
    by_probes = hessians_after_training(rows)
    torch.testing.assert_close(by_probes, exact, rtol=1e-8, atol=1e-8)


def test_few_probes_train_on_hessians_too(hessians_after_training):
    few = loss_of(1, 0.08, 0.02, estimator="rademacher", count=2)
    without = hessians_after_training(PAPER_LOSSES["ef"])
    found = hessians_after_training(few)
    assert (found - without).abs().max() > 1e-3
    torch.testing.assert_close(hessians_after_training(few), found)


def test_loss_is_equation_6(path, stacked):
    predictions = stacked(2)[1].predict(2)
    loss = PAPER_LOSSES["efh"]
    found = weighted_sum(errors(loss.terms, predictions, target(path)), loss)
    for index in range(2):
        force = np.sqrt(np.mean((predictions.forces[index].detach().numpy() - path.forces.ravel()) ** 2))
        hessian = np.sqrt(np.mean((predictions.hessians[index].detach().numpy() - path.hessian) ** 2))
        expected = abs(predictions.energies[index].item()) + 0.08 * force + 0.02 * hessian
        assert found[index].item() == pytest.approx(expected)


@pytest.mark.slow
def test_run_gives_valid_tables_and_resumes(path, tmp_path):
    config = CONFIG.model_copy(update={"models_at_once": 2})
    energies, modes = run_single_ts(path, config, tmp_path / "checkpoints")
    for table, frame in ((SINGLE_TS, energies), (MODES, modes)):
        write_table(tmp_path, table, frame, provenance())
        assert list(read_table(tmp_path, table).columns) == list(table.columns)
    assert len(energies) == len(path.energies) * (1 + 3 * 3)
    assert modes.groupby("loss").size().to_dict() == {"reference": 1, "E": 3, "E-F": 3, "E-F-H": 3}
    reference = modes[modes["loss"] == "reference"].iloc[0]
    assert reference["negative_modes"] == 1
    assert reference["ts_is_maximum"]
    assert reference["lowest_frequency_cm1"] < -300
    files = sorted((tmp_path / "checkpoints").iterdir())
    assert [file.name for file in files] == [f"{x}-{k}.npz" for x in ("e", "ef", "efh") for k in (0, 2)]
    before = [file.stat().st_mtime_ns for file in files]
    again, _ = run_single_ts(path, config, tmp_path / "checkpoints")
    assert [file.stat().st_mtime_ns for file in files] == before
    assert again.equals(energies)
    longer = config.model_copy(update={"steps": 5})
    changed, _ = run_single_ts(path, longer, tmp_path / "checkpoints")
    assert not changed.equals(energies)


def test_after_an_edit_of_code_nothing_is_resumed(path, tmp_path, monkeypatch):
    config = CONFIG.model_copy(update={"losses": {"ef": CONFIG.losses["ef"]}})
    run_single_ts(path, config, tmp_path / "checkpoints")
    files = sorted((tmp_path / "checkpoints").iterdir())
    before = [file.stat().st_mtime_ns for file in files]
    shutil.copytree(ROOT / "hessbench", tmp_path / "hessbench", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "hessbench/training/optimization.py").open("a") as file:
        file.write("# edited\n")
    monkeypatch.setattr(ensembles, "code_digest", partial(code_digest, root=tmp_path))
    run_single_ts(path, config, tmp_path / "checkpoints")
    after = [file.stat().st_mtime_ns for file in files]
    assert all(new > old for new, old in zip(after, before, strict=True))


def test_a_model_that_diverges_is_a_row_with_its_reason(path, tmp_path):
    wild = CONFIG.model_copy(
        update={"optimizer": AdamConfig(kind="adam", learning_rate=1e30), "losses": {"e": CONFIG.losses["e"]}}
    )
    energies, modes = run_single_ts(path, wild, tmp_path)
    assert (modes.loc[modes["model"] >= 0, "reason"] == "the training diverged").all()
    write_table(tmp_path, SINGLE_TS, energies, provenance())
    write_table(tmp_path, MODES, modes, provenance())
    assert read_table(tmp_path, MODES)["lowest_frequency_cm1"].isna().sum() == 3


def test_embedded_reaction_is_a_path_over_its_ts(path):
    assert path.numbers.tolist().count(1) == 8
    ts = int(np.argmin(np.abs(path.path_coordinate)))
    assert path.energies[ts] == pytest.approx(0, abs=1e-5)
    assert np.diff(path.energies[: ts + 1]).min() > 0
    assert np.diff(path.energies[ts:]).max() < 0
    assert np.abs(path.forces).max() < 0.02 * 23.1
    assert (np.linalg.eigvalsh(path.hessian) < -1).sum() == 1
    assert len(path.energies) >= 60


def test_forces_along_the_path_are_the_slope_of_its_energies(path):
    from hessbench.data.layout import ReactionFile

    with ReactionFile(DATA) as file:
        forces = file["path"].forces
    tangents = CubicSpline(path.path_coordinate, path.coordinates)(path.path_coordinate, 1)
    slope = CubicSpline(path.path_coordinate, -(forces * tangents).sum(axis=(1, 2)))
    work = [slope.integrate(path.path_coordinate[0], end) for end in path.path_coordinate]
    np.testing.assert_allclose(work, path.energies - path.energies[0], atol=0.3)


def test_a_maximum_lies_above_every_structure_within_the_window():
    coordinate = np.array([-0.3, -0.1, 0.0, 0.1, 0.2])
    energies = np.array(
        [[-3.0, -1, 0, -1, -2], [1.0, -1, 0, -1, -2], [-3.0, -1, 0, 0, -2], [-3, -1, 0, -1, 1]]
    )
    assert sees_maximum(energies, coordinate, 0.25).tolist() == [True, True, False, False]


def test_a_file_without_the_groups_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.h5"):
        read_path(tmp_path / "nowhere.h5")


def test_energy_unit_multiplies_what_the_networks_say(path):
    one = make_stack(path, CONFIG, range(2))
    ten = make_stack(path, CONFIG.model_copy(update={"energy_unit": 10.0}), range(2))
    with torch.no_grad():
        first, second = one.predict(2), ten.predict(2)
    torch.testing.assert_close(second.energies, 10 * first.energies)
    torch.testing.assert_close(second.hessians, 10 * first.hessians, rtol=1e-4, atol=1e-4)


def test_what_is_printed_has_units():
    model = {"loss": "E", "lowest_frequency_cm1": -900.0, "negative_modes": 1, "ts_is_maximum": True}
    model |= {"energy_error": 0.5, "force_error": 2.0, "hessian_error": 30.0}
    modes = pd.DataFrame([model, model | {"ts_is_maximum": False, "lowest_frequency_cm1": -700.0}])
    heading, losses, *rows = at_the_ts(modes).splitlines()
    assert (heading, losses.split()) == ("at the TS, mean over the models", ["E"])
    assert [line.rsplit(maxsplit=1) for line in rows] == [
        ["lowest frequency, cm-1", "-800"],
        ["negative modes", "1"],
        ["part of the models with a maximum there", "0.5"],
        ["energy RMSE, kcal/mol", "0.5"],
        ["force RMSE, kcal/mol/Angstrom", "2"],
        ["hessian RMSE, kcal/mol/Angstrom^2", "30"],
    ]
