"""Units are told from numbers, for every unit, with and without Hessians and neighbours."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.data.layout import Reaction
from hessbench.errors import HessbenchError
from hessbench.formats.orientation import FRAME, frame_error
from hessbench.formats.outcomes import Outcome
from hessbench.formats.plausibility import (
    TIGHT_HYDROGEN,
    check_arrangement,
    check_reaction,
    misplaced_by_geometry,
    misplaced_by_hessian,
    problem,
    stationary,
)
from hessbench.formats.readers.source import StoredReaction
from hessbench.formats.stretches import local_stretches
from hessbench.formats.unit_detection import detect_units, settled_units
from hessbench.formats.unit_names import Units, known_units, unit_size
from hessbench.units import BOHR, EV, HARTREE
from tests.computed import ISOMERS


def stored(reaction: Reaction, units: Units, hessians: bool = True) -> StoredReaction:
    assert reaction.hessians is not None
    return StoredReaction(
        reaction.name,
        reaction.numbers,
        reaction.coordinates / units.size("coordinates"),
        reaction.energies / units.size("energies"),
        reaction.forces / units.size("forces"),
        reaction.hessians / units.size("hessians") if hessians else None,
    )


def problem_of(*arrays: np.ndarray) -> str | None:
    return problem(check_arrangement(*arrays))


ALL = [
    Units(length, energy, force, hessian)
    for length, energy, force, hessian in product(
        known_units("coordinates"), ["Eh", "kJ/mol"], known_units("forces"), known_units("hessians")
    )
]


@pytest.mark.parametrize("label", ["right", "none", "wrong"])
def test_every_unit_is_found_whatever_the_label(computed, label):
    declared = Units("bohr", "kcal/mol", "kcal/mol/bohr", "kcal/mol/bohr^2")
    for units in ALL:
        given = {"right": units, "none": Units(), "wrong": declared}[label]
        findings = detect_units([stored(item, units) for item in computed], given)
        assert settled_units(findings) == units
        for finding in findings:
            assert finding.failed == (finding.declared not in (None, finding.found))


def test_without_hessians_neighbours_tell_the_unit_of_forces(computed):
    for energy, force in product(known_units("energies"), known_units("forces")):
        units = Units("Angstrom", energy, force)
        findings = detect_units([stored(item, units, hessians=False) for item in computed], Units())
        assert settled_units(findings) == units
        assert "pairs of neighbours" in findings[2].evidence


def test_total_and_atomization_energies_are_known_by_their_scale():
    # Formaldehyde, total and atomization energy, to the digits that matter.
    for value, unit in (
        (-114.4, "Eh"),
        (-3113.0, "eV"),
        (-71788.0, "kcal/mol"),
        (-0.59, "Eh"),
        (-16.1, "eV"),
        (-371.0, "kcal/mol"),
    ):
        item = StoredReaction(
            "a", np.array([6, 8, 1, 1]), np.array([ISOMERS["R"]]), np.array([value]), np.zeros((1, 4, 3))
        )  # fmt: skip
        assert detect_units([item], Units())[1].found == unit


def test_stationary_forces_are_taken_to_go_with_the_energies(computed):
    findings = detect_units(
        [stored(computed[0], Units("Angstrom", "eV", "eV/Angstrom", "eV/Angstrom^2"))], Units()
    )
    assert (findings[2].found, findings[2].outcome) == ("eV/Angstrom", Outcome.CANNOT_TELL)
    assert "cannot be told at stationary points" in findings[2].evidence


def test_nonsense_fits_no_unit_and_the_evidence_has_numbers(computed):
    item = stored(computed[1], Units("Angstrom", "Eh", "Eh/Angstrom", "Eh/Angstrom^2"))
    findings = detect_units([replace(item, hessians=item.hessians * 0.5)], Units())
    assert findings[3].failed
    assert findings[3].found is None
    assert "cm-1 in Eh/Angstrom^2" in findings[3].evidence
    findings = detect_units([replace(item, coordinates=item.coordinates * 10)], Units())
    assert findings[0].found is None


def test_unit_sizes():
    assert unit_size("hessians", "Eh/bohr^2") == pytest.approx(HARTREE / BOHR**2)
    assert unit_size("forces", "eV/Angstrom") == pytest.approx(EV)
    assert unit_size("energies", "kJ/mol") == pytest.approx(1 / 4.184)
    with pytest.raises(HessbenchError, match=r"unknown unit 'Ry' of energies; known are Eh"):
        Units(energies="Ry")


def test_local_stretches_agree_with_normal_modes(computed):
    methanol = computed[1]
    modes = normal_modes(
        methanol.coordinates[0], atomic_masses(methanol.numbers), methanol.hessians[0]
    ).wavenumbers
    local = local_stretches(methanol.numbers, methanol.coordinates[:1], methanol.hessians[:1])
    assert local.wavenumbers[local.partners == 8] == pytest.approx(modes[-1:], rel=0.01)
    # The C-H stretches couple: their mean is kept.
    assert local.wavenumbers[local.partners == 6].mean() == pytest.approx(modes[-4:-1].mean(), rel=0.02)


def test_plausibility_of_right_and_wrong_reactions(computed):
    for item in computed:
        assert problem(check_reaction(item)) is None
        assert frame_error(item.coordinates, item.forces, item.hessians).max() < FRAME / 10
        assert misplaced_by_hessian(item.numbers, item.coordinates, item.hessians).max() < TIGHT_HYDROGEN
    assert stationary(computed[0]).all()
    assert not stationary(computed[1]).any()


@pytest.mark.parametrize("seed", range(8))
def test_shuffled_and_turned_reactions_are_found(computed, seed):
    rng = np.random.default_rng(seed)
    methanol = computed[1]
    order = rng.permutation(6)
    while np.array_equal(methanol.numbers[order], methanol.numbers):
        order = rng.permutation(6)
    assert "shuffled" in problem_of(
        methanol.numbers[order], methanol.coordinates, methanol.forces, methanol.hessians
    )
    turned = methanol.coordinates @ Rotation.random(random_state=seed).as_matrix()
    assert "orientation" in problem_of(methanol.numbers, turned, methanol.forces, methanol.hessians)
    swapped = methanol.coordinates[:, order]
    assert problem_of(methanol.numbers, swapped, methanol.forces, methanol.hessians) is not None


def test_geometry_alone_finds_shuffled_species(computed):
    methanol = computed[1]
    assert not misplaced_by_geometry(methanol.numbers, methanol.coordinates).any()
    swapped = methanol.numbers[[0, 2, 1, 3, 4, 5]]
    assert misplaced_by_geometry(swapped, methanol.coordinates).all()
    assert problem_of(swapped, methanol.coordinates, methanol.forces, None) is not None
