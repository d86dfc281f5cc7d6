"""Right labels of unusual molecules are never contradicted, wrong ones of usual molecules always are."""

from dataclasses import replace

import numpy as np
import pytest

from hessbench.data.layout import Reaction
from hessbench.formats.outcomes import Outcome
from hessbench.formats.plausibility import check_reaction, problem
from hessbench.formats.unit_detection import detect_units
from hessbench.formats.unit_names import Units
from hessbench.units import EV
from tests.formats.morse import WATER, label
from tests.formats.test_unit_detection import stored

UNITS = Units("Angstrom", "eV", "eV/Angstrom", "eV/Angstrom^2")


def rattled(points: list, size: float, number: int) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return [np.array(points) + rng.normal(0, size, np.shape(points)) for _ in range(number)]


def pair(first: int, second: int, *lengths: float) -> Reaction:
    points = [[(0, 0, 0), (0.6 * r, 0, 0.8 * r)] for r in lengths]
    return label("rxn000001", [first, second], points, [(0, 1)], -3000.0)


MOLECULES = {
    "water": label("rxn000001", [8, 1, 1], rattled(WATER, 0.01, 3), [(0, 1), (0, 2)], -47900.0),
    "hydrogen fluoride": pair(9, 1, 0.93),
    "rattled water": label("rxn000001", [8, 1, 1], rattled(WATER, 0.05, 4), [(0, 1), (0, 2)], -47900.0),
    "squeezed water": label("rxn000001", [8, 1, 1], [0.93 * np.array(WATER)], [(0, 1), (0, 2)]),
    "hydrogen": pair(1, 1, 0.74, 0.75),
    "dissociating hydrogen fluoride": pair(9, 1, 0.9, 1.4, 1.8, 2.6, 3.5),
    "stretched hydrogen fluoride": pair(9, 1, 1.75),
    "argon": pair(18, 18, 3.7, 3.76),
    "sodium": pair(11, 11, 3.1),
    "salt": pair(11, 17, 2.36, 2.5),
    "lithium hydride": pair(3, 1, 1.6, 1.62),
    "hydrogen chloride": pair(17, 1, 1.27, 1.3),
    "nitrogen": pair(7, 7, 1.1, 1.12),
}


@pytest.mark.parametrize("hessians", [True, False], ids=["Hessians", "no Hessians"])
@pytest.mark.parametrize("name", MOLECULES)
def test_right_labels_of_unusual_molecules_are_not_contradicted(name, hessians):
    reaction = MOLECULES[name]
    findings = detect_units([stored(reaction, UNITS, hessians)], UNITS)
    assert [finding.evidence for finding in findings if finding.failed] == []
    checks = check_reaction(reaction if hessians else replace(reaction, hessians=None))
    assert problem(checks) is None


@pytest.mark.parametrize(
    ("name", "outcomes"),
    {
        "water": {"hessians": Outcome.PASSED, "coordinates": Outcome.PASSED},
        "squeezed water": {"hessians": Outcome.PASSED},
        "hydrogen fluoride": {"hessians": Outcome.PASSED},
        "argon": {"coordinates": Outcome.CANNOT_TELL, "hessians": Outcome.CANNOT_TELL},
        "stretched hydrogen fluoride": {"coordinates": Outcome.CANNOT_TELL, "hessians": Outcome.CANNOT_TELL},
    }.items(),
)
def test_each_check_says_which_of_three_outcomes(name, outcomes):
    findings = {item.quantity: item for item in detect_units([stored(MOLECULES[name], UNITS)], UNITS)}
    assert {key: findings[key].outcome for key in outcomes} == outcomes


@pytest.mark.parametrize(
    "name", ["water", "rattled water", "hydrogen fluoride", "hydrogen", "hydrogen chloride"]
)
def test_hessians_in_another_unit_are_found_by_the_bond(name):
    wrong = replace(UNITS, hessians="eV/bohr^2")
    finding = detect_units([stored(MOLECULES[name], wrong)], UNITS)[3]
    assert (finding.found, finding.outcome) == ("eV/bohr^2", Outcome.FAILED)


def test_coordinates_in_another_unit_are_found_for_small_molecules():
    wrong = replace(UNITS, coordinates="bohr")
    for name in ("water", "rattled water"):
        finding = detect_units([stored(MOLECULES[name], wrong)], UNITS)[0]
        assert (finding.found, finding.outcome) == ("bohr", Outcome.FAILED)


def test_forces_of_metals_are_held_against_hessians_whose_unit_is_taken_as_stated():
    item = pair(11, 17, 2.2, 2.5)
    right = detect_units([stored(item, UNITS)], UNITS)
    assert (right[3].outcome, right[2].outcome) == (Outcome.CANNOT_TELL, Outcome.PASSED)
    wrong = detect_units([stored(item, replace(UNITS, forces="kcal/mol/Angstrom"))], UNITS)
    assert (wrong[2].found, wrong[2].outcome) == ("kcal/mol/Angstrom", Outcome.FAILED)


def _energies(energies_ev: list[float], number: int = 8) -> Outcome:
    reaction = label("rxn000001", [8, 1, 1], [WATER] * len(energies_ev), [(0, 1), (0, 2)])
    reaction = replace(reaction, energies=np.array(energies_ev) * EV)
    return detect_units([stored(reaction, UNITS, hessians=False)], UNITS)[1].outcome


def test_energies_relative_to_anything_are_believed_and_total_ones_are_not():
    assert _energies([-468.2, -467.9]) is Outcome.CANNOT_TELL  # pseudopotentials
    assert _energies([-14.2, -14.1]) is Outcome.PASSED  # of a plane wave code: like atomization energies
    assert _energies([0.0, 0.7]) is Outcome.CANNOT_TELL  # relative to the minimum
    assert _energies([-0.5, -0.4]) is Outcome.CANNOT_TELL  # relative; in Eh, atomization energies
    assert _energies([-2079.2, -2078.9]) is Outcome.PASSED
    assert _energies([-76.4, -76.39]) is Outcome.FAILED  # Eh
