"""Charges and multiplicities travel from the file to whatever computes, and impossible ones are refused."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from click.testing import CliRunner

from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.chemistry.level import LevelError
from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.levels import make_level
from hessbench.cli.convert import command as convert_command
from hessbench.data.layout import ReactionFile
from hessbench.data.states import lowest_multiplicity, state_problem
from hessbench.data.structures import load_structures
from hessbench.errors import PotentialError
from hessbench.generate.labels import collect, state_of, to_reaction
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces, hessians
from hessbench.system.journal import Outcome

HYDROXYL = np.array([(0, 0, 0.0), (0, 0.1, 0.97)])


@pytest.mark.parametrize(
    ("numbers", "charge", "multiplicity", "words"),
    [
        ([8, 1, 1], 0, 1, None),
        ([8, 1, 1], 0, 3, None),
        ([8, 1], 0, 2, None),
        ([8, 1], -1, 1, None),
        ([8, 1], 0, 1, "9 electrons (charge +0) cannot have multiplicity 1, but an even one"),
        ([8, 1, 1], 1, 1, "9 electrons (charge +1) cannot have multiplicity 1, but an even one"),
        ([8, 1, 1], 0, 2, "10 electrons (charge +0) cannot have multiplicity 2, but an odd one"),
        ([1], 2, 1, "charge +2 is more than its 1 electrons"),
        ([1, 1], 0, 5, "cannot have multiplicity 5"),
        ([8, 1, 1], 0, 0, "cannot have multiplicity 0"),
    ],
)
def test_which_states_there_can_be(numbers, charge, multiplicity, words):
    problem = state_problem(np.array(numbers, dtype=np.uint8), charge, multiplicity)
    assert problem is None if words is None else words in problem


def write(path, info: str, forces: str = "forces") -> None:
    """One OH, or OH-, or OH+, at GFN2-xTB's scale."""
    rows = "O 0 0 0 0 0 0.1\nH 0 0.1 0.97 0 0 -0.1\n"
    path.write_text(f'2\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-118.5 pbc="F F F" {info}\n{rows}')


@pytest.mark.parametrize(
    ("info", "state", "note"),
    [
        ("charge=-1 spin=1", (-1, 1), None),
        ("charge=1 multiplicity=3", (1, 3), None),
        ("charge=0 spin=2", (0, 2), None),
        ("", (0, 2), "charge and multiplicity of {} are not stated: taken as 0 and the lowest"),
        ("charge=-1", (-1, 1), "multiplicity of {} is not stated: taken as the lowest"),
    ],
)
def test_from_the_file_to_the_batch(tmp_path, info, state, note):
    write(tmp_path / "in", info)
    result = CliRunner().invoke(convert_command, [str(tmp_path / "in"), str(tmp_path / "out.h5")])
    assert result.exit_code == 0, result.output
    with ReactionFile(tmp_path / "out.h5") as file:
        (name,) = file.names
        assert (file[name].charge, file[name].multiplicity) == state
        said = (result.output, file.metadata.generator)
    if note is None:
        assert not any("not stated" in text for text in said)
    else:
        assert all(note.format(name) in text for text in said)
    structures = load_structures(tmp_path / "out.h5").select(np.array([0]))
    assert Batch.from_structures(structures, torch.float64).slice(0, 1).state(0) == state


@pytest.mark.parametrize("info", ["charge=0 spin=1", "charge=1 multiplicity=2", "charge=12 spin=2"])
def test_states_that_cannot_be_are_refused(tmp_path, info):
    write(tmp_path / "in", info)
    result = CliRunner().invoke(convert_command, [str(tmp_path / "in"), str(tmp_path / "out.h5")])
    assert "electrons" in str(result.exception)
    assert "\n" not in str(result.exception)


class Telling(Calculator):
    """Notes what it was told of the state, as models and programs ask for it."""

    implemented_properties = ("energy", "forces")

    def __init__(self) -> None:
        super().__init__()
        self.told: set[tuple] = set()

    def calculate(self, atoms=None, properties=("energy",), system_changes=tuple(all_changes)):
        super().calculate(atoms, properties, system_changes)
        charges, moments = atoms.get_initial_charges().sum(), atoms.get_initial_magnetic_moments().sum()
        told = atoms.info["charge"], atoms.info["spin"], round(float(charges), 9), round(float(moments), 9)
        self.told.add(told)
        self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3))}


def test_calculators_are_told_in_all_the_ways_in_which_they_ask():
    calculator = Telling()
    potential = CalculatorPotential(calculator)
    atoms = [Atoms("OH", HYDROXYL, info={"charge": -1, "spin": 1}), Atoms("OH2", [*HYDROXYL, (1, 0, 0)])]
    energies_and_forces(potential, Batch.from_atoms([*atoms, Atoms("OH", HYDROXYL)]))
    assert calculator.told == {(-1, 1, -1.0, 0.0), (0, 1, 0.0, 0.0), (0, 2, 0.0, 1.0)}
    calculator.told.clear()
    hessians(potential, Batch.from_atoms([Atoms("OH", HYDROXYL, info={"charge": 1, "spin": 3})]))
    assert calculator.told == {(1, 3, 1.0, 2.0)}


def test_levels_of_theory_compute_the_state_they_are_told():
    states = [(0, 2), (-1, 1), (1, 3)]
    atoms = [Atoms("OH", HYDROXYL, info={"charge": charge, "spin": spin}) for charge, spin in states]
    potential = LevelPotential("GFN2-xTB")
    found, _ = energies_and_forces(potential, Batch.from_atoms(atoms))
    for energy, state in zip(found, states, strict=True):
        level = make_level("GFN2-xTB", np.array([8, 1]), *state)
        assert energy == pytest.approx(level.gradient(HYDROXYL)[0], abs=1e-4)
    assert len(set(np.round(found, 1))) == 3
    (default,), _ = energies_and_forces(potential, Batch.from_atoms([Atoms("OH", HYDROXYL)]))
    assert default == pytest.approx(found[0], abs=1e-4)
    with pytest.raises(LevelError, match="9 electrons"):
        make_level("GFN2-xTB", np.array([8, 1]), 0, 1)
    with pytest.raises(PotentialError, match=r"Molecule 0 \(HO\): 9 electrons"):
        energies_and_forces(potential, Batch.from_atoms([Atoms("OH", HYDROXYL, info={"spin": 1})]))


def test_generated_labels_keep_the_state_of_their_source():
    labels = [(0.0, np.zeros((2, 3)), np.zeros((6, 6)))]
    numbers = np.array([8, 1], dtype=np.uint8)
    arrays = collect(numbers, [HYDROXYL], labels, state=state_of(numbers, -1, 1))
    reaction = to_reaction(Outcome("a", arrays))
    assert (reaction.charge, reaction.multiplicity) == (-1, 1)
    assert to_reaction(Outcome("a", collect(numbers, [HYDROXYL], labels))).multiplicity == 2
    assert lowest_multiplicity(numbers) == 2
