"""Energies of a reaction are those that its forces ask for, and what is zero everywhere is no label."""

from dataclasses import replace

import numpy as np
import pytest

from hessbench.errors import DataError
from hessbench.formats.convert import convert
from hessbench.formats.energy_changes import check_energies
from hessbench.formats.known import open_data
from hessbench.formats.outcomes import Outcome
from hessbench.formats.plausibility import check_reaction, problem
from tests.formats.writers import write_extxyz


@pytest.fixture
def walk(computed):
    """Six structures of methanol along one direction, at GFN2-xTB."""
    return computed[1]


def outcome(reaction, hessians: bool = True) -> Outcome:
    second = reaction.hessians if hessians else None
    return check_energies(reaction.coordinates, reaction.energies, reaction.forces, second).outcome


@pytest.mark.parametrize("hessians", [True, False])
def test_right_energies_pass_at_any_zero(walk, hessians):
    assert outcome(walk, hessians) is Outcome.PASSED
    assert outcome(replace(walk, energies=walk.energies + 1e5), hessians) is Outcome.PASSED


@pytest.mark.parametrize("hessians", [True, False])
@pytest.mark.parametrize("index", [0, 3, 5])
def test_one_energy_of_something_else_is_found(walk, index, hessians):
    for other in (0.0, walk.energies[index] + 15.0):
        energies = walk.energies.copy()
        energies[index] = other
        assert outcome(replace(walk, energies=energies), hessians) is Outcome.FAILED


def test_one_geometry_has_one_energy(walk):
    twice = [0, 1, 0]
    parts = {key: getattr(walk, key)[twice] for key in ("coordinates", "energies", "forces", "hessians")}
    assert outcome(replace(walk, **parts, annotations={})) is Outcome.PASSED
    parts["energies"] = parts["energies"] + [0.0, 0.0, 3.0]  # of another level of theory, say
    assert outcome(replace(walk, **parts, annotations={})) is Outcome.FAILED


def test_structures_far_apart_cannot_tell(computed):
    assert outcome(computed[0]) is Outcome.CANNOT_TELL


def test_a_structure_without_forces_is_no_label(walk):
    forces = walk.forces.copy()
    forces[2] = 0.0
    found = problem(check_reaction(replace(walk, forces=forces, hessians=None)))
    assert found is not None
    assert "placeholder" in found


@pytest.mark.parametrize("quantity", ["energies", "forces"])
def test_a_file_of_zeros_is_refused_but_can_be_believed(tmp_path, computed, quantity):
    first = replace(computed[0], **{quantity: np.zeros_like(getattr(computed[0], quantity))})
    write_extxyz(tmp_path / "a.extxyz", [first])
    text = (tmp_path / "a.extxyz").read_text(encoding="utf-8")
    (tmp_path / "a.extxyz").write_text(text.replace("hessian=", "remark="), encoding="utf-8")
    with open_data(tmp_path / "a.extxyz") as source:
        with pytest.raises(DataError, match="placeholder"):
            convert(source, tmp_path / "a.h5", progress=False)
        assert convert(source, tmp_path / "a.h5", believe=True, progress=False).structures == 3
