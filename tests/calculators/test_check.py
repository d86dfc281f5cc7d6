"""Calculators that raise, give odd shapes or wrong derivatives: one sentence where it is not plain."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import molecule

from hessbench.calculators.brought import Brought
from hessbench.calculators.check import check_calculator, smallest_molecules
from hessbench.calculators.user_file import load_calculator
from hessbench.config.inputs import Inputs
from hessbench.data.layout import Reaction
from hessbench.data.structures import concatenate
from hessbench.errors import HessbenchError, PotentialError
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.tables import ERRORS, FAILURES
from hessbench.experiments.errors.run.user_model import evaluate_user_model
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces, hessians
from hessbench.results.store.tables import read_table

SPRINGS = '''
import numpy as np
from ase.calculators.calculator import Calculator, all_changes

class Springs(Calculator):
    """Springs between all atoms, 20 eV/Angstrom^2 and 1.1 Angstrom long."""

    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x = self.atoms.positions
        bond = x[:, None] - x[None]
        length = np.linalg.norm(bond, axis=-1) + np.eye(len(x))
        change = (length - 1.1) * (1 - np.eye(len(x)))
        forces = -20 * (change / length)[:, :, None] * bond
        self.results = {"energy": float(5 * (change**2).sum()), "forces": forces.sum(1)}

def exact(atoms):
    size, h = 3 * len(atoms), 1e-4
    rows = []
    for index in range(size):
        sides = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions.flat[index] += sign * h
            moved.calc = Springs()
            sides.append(moved.get_forces().ravel())
        rows.append((sides[1] - sides[0]) / (2 * h))
    return np.array(rows)
'''


def load(path: Path, text: str):
    path.write_text(SPRINGS + text)
    return load_calculator(path)


def variant(change: str) -> str:
    return f"""
class Mine(Springs):
    def calculate(self, *a, **k):
        super().calculate(*a, **k)
        {change}
calculator = Mine()
"""


BATCH = Batch.from_atoms([molecule("H2O"), molecule("CH4")])
ONE = smallest_molecules(BATCH)


@pytest.fixture
def plain(tmp_path):
    return energies_and_forces(load(tmp_path / "plain.py", "calculator = Springs()"), BATCH)


@pytest.mark.parametrize(
    "change",
    [
        'self.results["energy"] = np.array([self.results["energy"]])',
        'self.results["forces"] = self.results["forces"].ravel()',
        'import torch; self.results["forces"] = torch.tensor(self.results["forces"], requires_grad=True)',
        "self.results = {key: np.float32(value) for key, value in self.results.items()}",
    ],
    ids=["energy (1,)", "flat forces", "tensor", "float32"],
)
def test_odd_but_plain_returns_are_right(tmp_path, plain, change):
    potential = load(tmp_path / "mine.py", variant(change))
    check_calculator(potential, ONE)
    energies, forces = energies_and_forces(potential, BATCH)
    np.testing.assert_allclose(energies, plain[0], rtol=1e-6)
    np.testing.assert_allclose(forces, plain[1], rtol=1e-5, atol=1e-3)


def test_single_precision_of_total_energies_is_no_fault(tmp_path):
    change = 'self.results["energy"] = np.float32(self.results["energy"] - 9000.0)'
    check_calculator(load(tmp_path / "mine.py", variant(change)), ONE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            'self.results["forces"] = self.results["forces"].mean(0, keepdims=True)',
            r"forces of H2O: shape \(1, 3\), expected \(3, 3\)",
        ),
        ('self.results["energy"] = np.zeros(2)', r"energy of H2O: shape \(2,\), expected one number"),
        ('self.results["forces"] = "none"', "forces of H2O: no array of numbers"),
        ('del self.results["forces"]', "fails for H2O: PropertyNotImplementedError"),
        ('raise AssertionError("Element 8\\nunknown")', "fails for H2O: AssertionError: Element 8 unknown"),
        ('raise SystemExit("no licence")', "fails for H2O: SystemExit: no licence"),
        ('self.results["forces"][0, 0] = np.nan', "forces of H2O: not finite"),
        ('self.results["energy"] = float("inf")', "energy of H2O: not finite"),
    ],
)
def test_what_is_not_plain_is_one_sentence(tmp_path, change, words):
    potential = load(tmp_path / "mine.py", variant(change))
    with pytest.raises(PotentialError, match=words) as error:
        energies_and_forces(potential, BATCH)
    assert "\n" not in str(error.value)
    with pytest.raises(HessbenchError, match="so for all of 2 molecules tried before the run"):
        check_calculator(potential, ONE)


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ('self.results["forces"] *= -1', "forces and energies agree if you change their sign"),
        ('self.results["energy"] /= 27.211386', "multiply the forces by 0.036"),
        ('self.results["forces"] *= 23.060549', "forces and energies agree if you multiply"),
    ],
)
def test_forces_that_are_not_those_of_the_energies_are_found_before_the_run(tmp_path, change, remedy):
    with pytest.raises(HessbenchError, match=remedy):
        check_calculator(load(tmp_path / "mine.py", variant(change)), ONE)


@pytest.mark.parametrize(
    ("factor", "remedy"),
    [
        ("1", None),
        ("-1", "change their sign"),
        ("1 / 27.211386", "multiply the Hessians by 27.211, which is no factor|from hartree"),
        (
            "0.529177**2 / 27.211386",
            r"multiply the Hessians by .*, from hartree/bohr\^2|multiply the Hessians by 97",
        ),
        ("0.5", "multiply the Hessians by 2"),
    ],
)
def test_hessians_in_another_unit_scale_or_sign_are_found_before_the_run(tmp_path, factor, remedy):
    text = f"calculator = Springs()\ndef hessian(atoms):\n    return {factor} * exact(atoms)\n"
    potential = load(tmp_path / "mine.py", text)
    if remedy is None:
        check_calculator(potential, ONE)
        return
    with pytest.raises(
        HessbenchError, match=r"Hessians are not the derivatives of its forces: for H2O.*"
    ) as error:
        check_calculator(potential, ONE)
    assert any(words in str(error.value) for words in remedy.split("|")) or "multiply" in str(error.value)


def test_a_hessian_of_the_last_atoms_and_one_of_several_models(tmp_path):
    text = """
class Mine(Springs):
    def get_hessian(self):
        return exact(self.atoms).reshape(-1, len(self.atoms), 3)
calculator = Mine()
"""
    potential = load(tmp_path / "mine.py", text)
    check_calculator(potential, ONE)
    reference = hessians(load(tmp_path / "plain.py", "calculator = Springs()"), BATCH)
    for found, expected in zip(hessians(potential, BATCH), reference, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1)
    text = "calculator = Springs()\ndef hessian(atoms):\n    return [exact(atoms).reshape(-1, 3, 3)] * 2\n"
    with pytest.raises(HessbenchError, match=r"Hessian of H2O: shape \(2, 9, 3, 3\).*of several models give"):
        check_calculator(load(tmp_path / "several.py", text), ONE)


def springs(name: str, seed: int, tmp_path: Path) -> Reaction:
    """Labels by the springs themselves."""
    atoms = molecule(name)
    points = atoms.positions + 0.05 * np.random.default_rng(seed).normal(size=(2, len(atoms), 3))
    potential = load(tmp_path / "labels.py", "calculator = Springs()")
    batch = Batch.from_molecules([(atoms.numbers, point) for point in points])
    energies, forces = energies_and_forces(potential, batch)
    return Reaction(
        name,
        atoms.numbers.astype(np.uint8),
        points,
        energies,
        forces.reshape(2, -1, 3),
        np.array(hessians(potential, batch)),
    )


def test_a_structure_that_fails_is_a_row_with_its_reason_and_the_rest_is_scored(tmp_path):
    names = ("H2O", "CH4", "NH3")
    training = concatenate([springs(name, 1, tmp_path) for name in names])
    test = concatenate([springs(name, 2, tmp_path) for name in names])
    path = tmp_path / "mine.py"
    for change, reason in (
        ("if 7 in self.atoms.numbers: raise ValueError('no nitrogen')", "ValueError: no nitrogen"),
        (
            "if 7 in self.atoms.numbers: self.results['forces'] = self.results['forces'] * np.nan",
            "not finite",
        ),
    ):
        path.write_text(SPRINGS + variant(change))
        sets = {"rtp": TestSet("test", "springs", test)}
        model = Brought("mine", partial(load_calculator, path))
        table = evaluate_user_model(model, 80, training, sets, 1, tmp_path, Inputs())
        assert set(table["reaction"]) == {"H2O", "CH4"}
        assert len(read_table(tmp_path, ERRORS, part="mine-80")) == 4 * 3
        assert np.sqrt(table["squared"].sum() / table["count"].sum()) < 0.1
        failures = read_table(tmp_path, FAILURES, part="mine-80")
        assert failures[["reaction", "structure"]].to_numpy().tolist() == [["NH3", 0], ["NH3", 1]]
        assert all(reason in text for text in failures["reason"])
    path.write_text(SPRINGS + variant("raise ValueError('nothing works')"))
    with pytest.raises(HessbenchError, match=r"No structure of training could be evaluated: .*nothing works"):
        evaluate_user_model(model, 80, training, sets, 1, tmp_path, Inputs())


def test_the_smallest_molecules_of_different_compositions_are_tried():
    batch = Batch.from_atoms([molecule(name) for name in ("CH4", "H2O", "H2O", "NH3")])
    assert [item.formula(0) for item in smallest_molecules(batch)] == ["H2O", "H3N", "CH4"]
    assert batch.slice(1, 2).coordinates.dtype == torch.float64
