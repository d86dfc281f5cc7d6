"""Normal modes of predicted Hessians: against ASE on real molecules, on scaled Hessians, by the command."""

from itertools import islice

import numpy as np
import pandas as pd
import pytest
from ase import Atoms
from ase import units as ase_units
from ase.vibrations.data import VibrationsData
from click.testing import CliRunner

from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.cli import cli
from hessbench.data.layout import ReactionFile
from hessbench.embedded import EMBEDDED
from hessbench.experiments.curvature.run.modes import mode_errors, zero_point_energy
from hessbench.experiments.curvature.run.rows import references
from hessbench.experiments.curvature.run.tables import CURVATURE, RANGES
from hessbench.experiments.curvature.statistics import METRICS, mean_estimate
from hessbench.experiments.errors.run.predictions import read_predictions
from hessbench.results.store.tables import read_table
from hessbench.units import EV
from tests.experiments.test_errors import run  # noqa: F401  (a fixture: a tiny run, evaluated)
from tests.training.synthetic import reactions, structures

METRIC = {metric.name: metric for metric in METRICS}


def embedded(count: int = 6):
    """Numbers, coordinates and Hessians of reactants, transition states and products of the embedded data."""
    with ReactionFile(EMBEDDED / "rtp.h5") as file:
        for reaction in islice(file, count):
            for index in range(len(reaction)):
                yield reaction.numbers, reaction.coordinates[index], reaction.hessians[index]


@pytest.mark.parametrize(("numbers", "coordinates", "hessian"), list(embedded()))
def test_modes_and_zero_point_energies_against_ase(numbers, coordinates, hessian) -> None:
    atoms = Atoms(numbers, coordinates, masses=atomic_masses(numbers))
    full = hessian.reshape(len(numbers), 3, len(numbers), 3) / EV
    vibrations = VibrationsData(atoms, (full + full.transpose(2, 3, 0, 1)) / 2)
    found = vibrations.get_frequencies()
    expected = np.sort(np.where(np.abs(found.imag) > np.abs(found.real), -np.abs(found.imag), found.real))
    ours = normal_modes(coordinates, atomic_masses(numbers), hessian.astype(float))
    # ASE leaves translations and rotations in: about zero at a stationary point, and all else agrees
    theirs = expected[np.argsort(np.abs(expected))[-len(ours.wavenumbers) :]]
    stiff = np.abs(ours.wavenumbers) > 150
    np.testing.assert_allclose(ours.wavenumbers[stiff], np.sort(theirs)[stiff], atol=2.0)
    real = ours.wavenumbers[ours.wavenumbers > 0]
    energy = 0.5 * real.sum() * ase_units.invcm / (ase_units.kcal / ase_units.mol)
    assert zero_point_energy(ours) == pytest.approx(energy, rel=1e-9)
    if ours.wavenumbers[0] > 150:
        zero_point = vibrations.get_zero_point_energy() * EV
        assert zero_point_energy(ours) == pytest.approx(zero_point, abs=0.15)


def test_a_scaled_hessian_scales_wavenumbers() -> None:
    numbers, coordinates, hessian = next(embedded(1))
    masses = atomic_masses(numbers)
    reference = normal_modes(coordinates, masses, hessian)
    found = mode_errors(normal_modes(coordinates, masses, 1.21 * hessian), reference)
    sizes = np.abs(reference.wavenumbers)
    assert sum(found[f"wavenumber_error_{name}"] for name in RANGES) == pytest.approx(0.1 * sizes.sum())
    assert sum(found[f"modes_{name}"] for name in RANGES) == found["modes"] == len(sizes)
    assert found["eigenvalue_error"] == pytest.approx(0.21 * np.abs(reference.force_constants).sum())
    assert found["zero_point_error"] == pytest.approx(0.1 * zero_point_energy(reference))
    assert found["lowest_overlap"] == pytest.approx(1)
    assert found["imaginary"] == found["imaginary_reference"] == reference.imaginary
    assert sum(found[f"wavenumber_squared_{name}"] for name in RANGES) == pytest.approx(
        0.01 * (sizes**2).sum()
    )
    assert found["close"] == (0.1 * sizes < 100).sum()
    assert found["lowest_wavenumber"] == pytest.approx(1.1 * found["lowest_wavenumber_reference"])
    high = sizes[reference.wavenumbers >= 2000]
    assert found["wavenumber_error_high"] == pytest.approx(0.1 * high.sum())


def test_rotated_and_moved_molecules_have_the_same_errors() -> None:
    numbers, coordinates, hessian = next(embedded(1))
    masses, random = atomic_masses(numbers), np.random.default_rng(0)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    blocks = np.kron(np.eye(len(numbers)), turn)
    noise = random.normal(size=hessian.shape)
    other = hessian + 5 * (noise + noise.T)

    def errors(place, matrix, second):
        return mode_errors(normal_modes(place, masses, second), normal_modes(place, masses, matrix))

    moved = errors(coordinates @ turn.T + 3.0, blocks @ hessian @ blocks.T, blocks @ other @ blocks.T)
    for key, value in errors(coordinates, hessian, other).items():
        assert moved[key] == pytest.approx(value, rel=1e-6, abs=1e-6), key


def rows(errors: np.ndarray, imaginary: int = 0) -> pd.DataFrame:
    """Rows of models times reactions with these errors of eigenvalues, two modes a structure."""
    models, count = errors.shape
    return pd.DataFrame(
        {
            "seed": np.repeat(np.arange(models), count),
            "reaction": np.tile([f"rxn{index}" for index in range(count)], models),
            "eigenvalue_error": errors.ravel(),
            "modes": 2,
            "imaginary_reference": imaginary,
            "imaginary": 0,
        }
    )


def test_means_and_intervals() -> None:
    random = np.random.default_rng(1)
    errors = random.gamma(4.0, 1.0, (4, 200))
    found = mean_estimate(rows(errors), METRIC["eigenvalue_mae"])
    assert found is not None
    assert found.value == pytest.approx(errors.mean() / 2)
    # reactions: standard error 2 / sqrt(200) of a mean over models, half of that for two modes; and models
    assert 0.05 < found.high - found.low < 0.6
    assert found.low < found.value < found.high
    same = mean_estimate(rows(np.full((4, 10), 3.0)), METRIC["eigenvalue_mae"])
    assert same is not None
    assert (same.low, same.high) == pytest.approx((1.5, 1.5))
    single = mean_estimate(rows(np.full((2, 1), 3.0)), METRIC["eigenvalue_mae"])
    assert single is not None
    assert (single.low, single.high) == (-np.inf, np.inf)


def test_what_the_reference_does_not_have_is_no_number() -> None:
    assert mean_estimate(rows(np.ones((2, 5))), METRIC["saddles_recognized"]) is None
    missed = mean_estimate(rows(np.ones((2, 5)), imaginary=1), METRIC["saddles_recognized"])
    assert missed is not None
    assert (missed.low, missed.value) == (0, 0)
    assert missed.high == pytest.approx(1 - 0.025**0.2)  # none of five reactions, exactly


def test_shares_stay_between_none_and_all() -> None:
    few = rows(np.ones((3, 12)), imaginary=1)
    few.loc[[0, 13], "imaginary"] = 1
    found = mean_estimate(few, METRIC["saddles_recognized"])
    assert found is not None
    assert found.value == pytest.approx(2 / 36)
    assert 0 <= found.low < found.value < found.high <= 1


def test_the_command_compares_stored_predictions(run) -> None:  # noqa: F811
    arguments = ["curvature", "--loss", "ef", "--percent", "80"]
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    table = read_table(run / "results", CURVATURE)
    assert table.groupby(["seed", "set"]).size().loc[0].to_dict() == {"irc": 9, "nms": 6, "rtp": 2}
    predictions = read_predictions(run / "results/predictions/ef-80.h5", "irc", 1)
    (item,) = [found for found in reactions(3, 3, 1) if found.name == predictions.reactions[4]]
    masses, place = atomic_masses(item.numbers), item.coordinates[predictions.structures[4]]
    expected = mode_errors(
        normal_modes(place, masses, predictions.hessians[4].astype(float)),
        normal_modes(place, masses, item.hessians[predictions.structures[4]]),
    )
    row = table[(table["seed"] == 1) & (table["set"] == "irc")].iloc[4]
    assert row["reaction"] == item.name
    for key, value in expected.items():
        assert row[key] == pytest.approx(value, rel=1e-3, abs=1e-3), key


def test_modes_of_a_set_are_those_of_its_structures() -> None:
    data = structures(4, 2)
    found = list(references(data))
    assert len(found) == len(data)
    linear = data.select([3])
    (alone,) = references(linear)
    np.testing.assert_array_equal(alone.modes.force_constants, found[3].modes.force_constants)
