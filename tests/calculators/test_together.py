"""Calculators that compute many molecules at once, that leave forces out, and that ask for a device."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator
from ase.calculators.lj import LennardJones

from hessbench.calculators.brought import FailuresNotFinite, bring
from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.calculators.separate import SeparatePotential
from hessbench.calculators.user_file import load_calculator
from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces

TOGETHER = """
from pathlib import Path

from ase.calculators.lj import LennardJones

calculator = LennardJones(sigma=1.2, epsilon=0.2, rc=6)


def energies_and_forces(structures):
    with (Path(__file__).parent / "asked").open("a") as file:
        print(len(structures), file=file)
    if any("Cl" in atoms.symbols for atoms in structures):
        raise ValueError("no chlorine")
    for atoms in structures:
        atoms.calc = calculator
    return [atoms.get_potential_energy() for atoms in structures], {forces}
"""
BY_MOLECULE = "[atoms.get_forces() for atoms in structures]"
IN_ONE = "__import__('numpy').concatenate([atoms.get_forces() for atoms in structures])"
MOLECULES = ("H2O", "CH4", "CH3OH")


class Counting(LennardJones):
    """Counts the calls for energies and forces."""

    def __init__(self) -> None:
        super().__init__(sigma=1.2, epsilon=0.2, rc=6)
        self.forces_asked = 0

    def get_forces(self, atoms: Atoms | None = None) -> np.ndarray:
        self.forces_asked += 1
        return super().get_forces(atoms)


def together(folder: Path, forces: str = BY_MOLECULE) -> Path:
    path = folder / "together.py"
    path.write_text(TOGETHER.format(forces=forces))
    return path


def asked(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "asked").read_text().split()]


@pytest.mark.parametrize("forces", [BY_MOLECULE, IN_ONE])
def test_many_molecules_go_to_the_file_at_once(tmp_path, forces):
    potential = load_calculator(together(tmp_path, forces))
    batch = Batch.from_atoms([molecule(name) for name in MOLECULES])
    expected = CalculatorPotential(LennardJones(sigma=1.2, epsilon=0.2, rc=6))
    for found, right in zip(
        energies_and_forces(potential, batch), energies_and_forces(expected, batch), strict=True
    ):
        np.testing.assert_allclose(found, right, rtol=1e-12)
    assert asked(tmp_path) == [3]
    for found, right in zip(potential.hessians(batch), expected.hessians(batch), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-12)
    assert asked(tmp_path)[1:] == [2 * 9, 2 * 15, 2 * 18]


def test_what_fails_together_is_asked_for_one_by_one_in_dynamics(tmp_path):
    lenient = FailuresNotFinite(SeparatePotential(together(tmp_path)))
    energies, forces = lenient.energies_and_forces(
        Batch.from_atoms([molecule("H2O"), molecule("CH3Cl"), molecule("CH4")])
    )
    assert np.isfinite(energies).tolist() == [True, False, True]
    assert np.isfinite(forces).all(axis=1).tolist() == [True] * 3 + [False] * 5 + [True] * 5
    assert list(lenient.reasons) == ["CH3Cl"]
    assert "no chlorine" in lenient.reasons["CH3Cl"]
    assert asked(tmp_path) == [3, 1, 1, 1]


@pytest.mark.parametrize(
    ("forces", "words"),
    [
        ("[atoms.get_forces() for atoms in structures][:-1]", "forces of H2O: no array of numbers"),
        ("[atoms.get_forces()[1:] for atoms in structures]", "forces of H2O: shape (2, 3), expected (3, 3)"),
        ("None", "asked for 3 molecules at once, fails for H2O: TypeError"),
    ],
)
def test_what_is_no_forces_of_all_is_one_sentence(tmp_path, forces, words):
    batch = Batch.from_atoms([molecule(name) for name in MOLECULES])
    with pytest.raises(PotentialError) as error:
        load_calculator(together(tmp_path, forces)).energies_and_forces(batch)
    assert words in str(error.value)


def test_forces_in_another_unit_are_found_there_too(tmp_path):
    path = together(tmp_path, "[atoms.get_forces() / 27.2 for atoms in structures]")
    with pytest.raises(HessbenchError, match="forces are not the derivatives of its energies"):
        bring(path)


def test_energies_alone_cost_no_forces():
    potential = CalculatorPotential(Counting())
    batch = Batch.from_atoms([molecule("H2O")])
    energies, _ = potential.energies_and_forces(batch)
    calculator = potential.calculator
    before = calculator.forces_asked
    found = potential.predict(batch, 0)
    assert calculator.forces_asked == before
    assert found.forces is None
    assert found.energies.numpy() == pytest.approx(energies)


def test_the_device_of_the_settings_is_told_to_who_asks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (
        "from ase.calculators.lj import LennardJones\n\n"
        "def calculator({parameters}):\n"
        "    assert {condition}\n"
        "    return LennardJones(sigma=1.2, epsilon=0.2, rc=6)\n"
    )
    asks = tmp_path / "asks.py"
    asks.write_text(text.format(parameters="device='cuda:7'", condition="device == 'cpu', device"))
    (tmp_path / "params.yaml").write_text("device: cpu\n")
    assert isinstance(bring(asks).load(), SeparatePotential)
    plain = tmp_path / "plain.py"
    plain.write_text(text.format(parameters="", condition="True"))
    assert isinstance(load_calculator(plain, "cuda:0").calculator, Calculator)
    (tmp_path / "params.yaml").write_text("device: cuda:63\n")
    with pytest.raises(HessbenchError, match=r"params\.yaml: device: cuda:63"):
        bring(asks)


def test_pretrained_and_own_models_compute_together(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "from hessbench.calculators.ase_calculator import HessbenchCalculator\n"
        "from hessbench.chemistry.level_potential import LevelPotential\n\n"
        "calculator = HessbenchCalculator([LevelPotential('GFN1-xTB'), LevelPotential('GFN2-xTB')])\n"
    )
    batch = Batch.from_atoms([molecule("H2O"), molecule("CH4")])
    single = CalculatorPotential(load_calculator(path).calculator)
    for found, right in zip(
        energies_and_forces(load_calculator(path), batch), energies_and_forces(single, batch), strict=True
    ):
        np.testing.assert_allclose(found, right, rtol=1e-7, atol=1e-6)
