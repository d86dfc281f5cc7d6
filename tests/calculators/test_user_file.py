"""Potentials that a user brings: a file with an ASE calculator, scored like the ensembles."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT

from hessbench.calculators.brought import Brought
from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.calculators.user_file import load_calculator
from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.levels import make_level
from hessbench.config.inputs import Inputs
from hessbench.data.layout import Reaction
from hessbench.data.structures import concatenate
from hessbench.errors import HessbenchError
from hessbench.experiments.correlation.run.histogram import correlation_rows
from hessbench.experiments.errors.run.predictions import predicted_seeds, read_predictions
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.errors.run.user_model import evaluate_user_model
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces, hessians
from hessbench.results.store.tables import read_table
from hessbench.units import EV
from tests.potentials import Analytic

XTB_FILE = """
from tblite.ase import TBLite

def calculator():
    return TBLite(method="{method}", verbosity=0, accuracy=0.1)
"""
NAMES = ("H2O", "CH4", "NH3", "CH3OH")


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_energies_forces_and_hessians_are_those_of_the_calculator(tmp_path):
    potential = load_calculator(write(tmp_path / "gfn1.py", XTB_FILE.format(method="GFN1-xTB")))
    batch = Batch.from_atoms([molecule("H2O"), molecule("CH4")])
    energies, forces = energies_and_forces(potential, batch)
    reference = LevelPotential("GFN1-xTB")
    expected_energies, expected_forces = energies_and_forces(reference, batch)
    np.testing.assert_allclose(energies, expected_energies, atol=1e-3)
    np.testing.assert_allclose(forces, expected_forces, atol=1e-2)
    for found, expected in zip(hessians(potential, batch), hessians(reference, batch), strict=True):
        np.testing.assert_allclose(found, expected, atol=0.5)


def test_differences_are_exact_for_a_quadratic():
    random = np.random.default_rng(0)
    matrix = random.normal(size=(9, 9))
    matrix = matrix + matrix.T

    def forces(batch):
        x = batch.coordinates.double().numpy().reshape(-1, 9)
        return 0.5 * np.einsum("ni,ij,nj->n", x, matrix, x), -(x @ matrix).reshape(-1, 3)

    (hessian,) = hessians(Analytic(forces), Batch.from_atoms([molecule("H2O")]))
    np.testing.assert_allclose(hessian, matrix, atol=1e-9)


def test_a_hessian_of_the_file_is_used_and_symmetrised():
    size = 9
    own = np.arange(size * size, dtype=float).reshape(3, 3, 3, 3)
    potential = CalculatorPotential(EMT(), lambda atoms: own)
    (found,) = hessians(potential, Batch.from_atoms([molecule("H2O")]))
    flat = own.reshape(size, size) * EV
    np.testing.assert_allclose(found, (flat + flat.T) / 2)
    wrong = CalculatorPotential(EMT(), lambda atoms: np.zeros(5))
    with pytest.raises(HessbenchError, match=r"\(5,\)"):
        hessians(wrong, Batch.from_atoms([molecule("H2O")]))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1", "define `calculator`"),
        ("calculator = 3", "define `calculator`"),
        ("raise ValueError('broken')", "broken"),
        ("from ase.calculators.emt import EMT\ncalculator = EMT()\nhessian = 3", "must be a function"),
    ],
)
def test_errors_of_the_file_are_one_sentence(tmp_path, text, problem):
    path = write(tmp_path / "mine.py", text)
    with pytest.raises(HessbenchError, match=problem) as error:
        load_calculator(path)
    assert str(path) in str(error.value)
    with pytest.raises(HessbenchError, match="no such Python file"):
        load_calculator(tmp_path / "missing.py")


def labelled(name: str, seed: int, structures: int) -> Reaction:
    """GFN2-xTB labels of randomly displaced copies of a molecule."""
    atoms: Atoms = molecule(name)
    random = np.random.default_rng(seed)
    level = make_level("GFN2-xTB", atoms.numbers)
    coordinates = atoms.positions + 0.05 * random.normal(size=(structures, len(atoms), 3))
    points = [level.gradient(item) for item in coordinates]
    return Reaction(
        name,
        atoms.numbers,
        coordinates,
        np.array([energy for energy, _ in points]),
        np.array([-gradient for _, gradient in points]),
        np.array([level.hessian(item) for item in coordinates]),
    )


@pytest.fixture(scope="module")
def data():
    training = concatenate([labelled(name, 1, 2) for name in NAMES])
    test = concatenate([labelled(name, 2, 2) for name in NAMES])
    return training, {"rtp": TestSet("test data", "GFN2-xTB", test)}


def test_gfn1_against_gfn2_labels_and_gfn2_against_itself(tmp_path, data):
    training, sets = data
    rmse = {}
    for method in ("GFN1-xTB", "GFN2-xTB"):
        file = write(tmp_path / f"{method}.py", XTB_FILE.format(method=method))
        model = Brought(method, partial(load_calculator, file))
        table = evaluate_user_model(model, 80, training, sets, 1, tmp_path, Inputs())
        read = read_table(tmp_path, ERRORS, part=f"{method}-80")
        assert len(read) == len(table) == 8 * 3
        sums = table.groupby("quantity")[["squared", "count"]].sum()
        rmse[method] = np.sqrt(sums["squared"] / sums["count"])
    assert rmse["GFN2-xTB"]["energy"] < 1e-3
    assert rmse["GFN2-xTB"]["force"] < 1e-2
    assert rmse["GFN2-xTB"]["hessian"] < 0.5
    # the constants of the elements take out the zero of energy: what is left is of chemical size
    assert 0.1 < rmse["GFN1-xTB"]["energy"] < 5
    assert 1 < rmse["GFN1-xTB"]["force"] < 20
    assert 5 < rmse["GFN1-xTB"]["hessian"] < 200


def test_predictions_are_stored_as_those_of_ensembles_and_binned(tmp_path, data):
    training, sets = data
    model = Brought("emt", partial(CalculatorPotential, EMT()))
    table = evaluate_user_model(model, 80, training, sets, 1, tmp_path, Inputs())
    path = tmp_path / "predictions" / "emt-80.h5"
    assert predicted_seeds(path) == [0]
    found = read_predictions(path, "rtp", 0)
    structures = sets["rtp"].structures
    energy = table[table["quantity"] == "energy"]["squared"].to_numpy()
    np.testing.assert_allclose((found.energies - structures.energies) ** 2, energy)
    zero = np.zeros(len(structures))
    rows = correlation_rows("emt", "rtp", structures, zero, path, [0, 0])
    counts = rows.groupby("quantity")["count"].sum()
    assert counts["energy"] == 2 * len(structures)
    assert counts["force"] == 2 * structures.forces.size
    assert counts["hessian"] == 2 * structures.hessians.size
    for quantity, reference, predicted in (
        ("energy", structures.energies, found.energies),
        ("force", structures.forces.ravel(), found.forces.ravel()),
    ):
        part = rows[rows["quantity"] == quantity]
        width = part["bin_width"].iloc[0]
        weights = part["count"] / part["count"].sum()
        assert abs((part["reference_bin"] * weights).sum() - reference.mean()) <= width / 2
        assert abs((part["predicted_bin"] * weights).sum() - predicted.mean()) <= width / 2


@pytest.mark.parametrize("name", ["e", "E-F", "a b", "../x", ""])
def test_names_that_would_mix_up_tables_are_refused(tmp_path, data, name):
    with pytest.raises(HessbenchError, match="name"):
        evaluate_user_model(Brought(name, EMT), 80, data[0], data[1], 1, tmp_path, Inputs())
