"""Frequencies along a path: matching, transverse modes, softening."""

import numpy as np
import pandas as pd
import pytest
from ase.build import molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.normal_modes import atomic_masses
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS
from hessbench.experiments.spectra.run.command import for_people
from hessbench.experiments.spectra.run.frequencies import (
    PathGeometries,
    frequency_rows,
    mass_weighted_tangents,
    measure_hessians,
    path_modes,
    summarize,
)
from hessbench.experiments.spectra.run.reference_path import read_reference_path
from hessbench.results.store.tables import ResultsError, write_table
from tests.made_up import provenance


@pytest.fixture(scope="module")
def path() -> PathGeometries:
    """Water, one bond stretched step by step."""
    atoms = molecule("H2O")
    bond = atoms.positions[1] - atoms.positions[0]
    steps = np.linspace(-0.05, 0.15, 5)
    images = np.repeat(atoms.positions[None], len(steps), axis=0)
    images[:, 1] += steps[:, None] * bond / np.linalg.norm(bond)
    return PathGeometries("water", atoms.numbers, images, steps)


@pytest.fixture(scope="module")
def hessians(path):
    return measure_hessians(path, LevelPotential("GFN2-xTB"))


def test_equal_hessians_match_themselves(path, hessians):
    assert hessians.cpu_s > 0
    rows = frequency_rows(path, "E", 0, hessians.hessians, hessians.hessians)
    assert len(rows) == 5 * 3
    np.testing.assert_allclose(rows["frequency_cm1"], rows["reference_frequency_cm1"])
    summary = summarize(path, "E", 0, hessians.hessians, hessians.hessians)
    assert summary["rms_error_cm1"] == summary["rms_error_transverse_cm1"] == 0
    assert summary["softening_cm1"] == summary["reference_softening_cm1"]


def test_a_scaled_hessian_scales_every_frequency_by_its_root(path, hessians):
    scaled = [1.21 * hessian for hessian in hessians.hessians]
    rows = frequency_rows(path, "E", 0, scaled, hessians.hessians)
    np.testing.assert_allclose(rows["frequency_cm1"], 1.1 * rows["reference_frequency_cm1"], rtol=1e-9)


def test_transverse_modes_are_one_less(path, hessians):
    along = path_modes(path, hessians.hessians)
    across = path_modes(path, hessians.hessians, transverse=True)
    assert [len(item.wavenumbers) for item in along] == [3] * 5
    assert [len(item.wavenumbers) for item in across] == [2] * 5
    masses = atomic_masses(path.numbers)
    for tangent, modes in zip(mass_weighted_tangents(path.coordinates, masses), across, strict=True):
        # what the tangent has of rigid motion aside, the modes are orthogonal to it
        internal = along[0].vectors @ (along[0].vectors.T @ tangent)
        assert np.abs(modes.vectors.T @ internal).max() < 0.05
        assert np.linalg.norm(tangent) == pytest.approx(1)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_matching_of_modes_has_smaller_errors_than_sorting(seed):
    random = np.random.default_rng(seed)
    size = 9
    found, true = (np.sort(random.normal(1000, 800, size)) for _ in range(2))
    best = ((found - true) ** 2).sum()
    rows, columns = linear_sum_assignment((found[:, None] - true) ** 2)  # the best of all matchings
    assert ((found[rows] - true[columns]) ** 2).sum() == pytest.approx(best)
    assert ((found - true[random.permutation(size)]) ** 2).sum() >= best - 1e-9


def test_stored_reference_path_comes_back(tmp_path, path):
    import pandas as pd

    images = np.arange(5)
    rows = pd.DataFrame(
        {
            "reaction": "water",
            "kind": "single hydrogen transfer",
            "loss": "reference",
            "seed": -1,
            "image": images,
            "path_coordinate": path.path_coordinate,
            "energy": 0.0,
        }
    )
    write_table(tmp_path, PATHS, rows.iloc[::-1], provenance())
    atoms = [
        ("water", "reference", -1, image, atom, int(path.numbers[atom]), *path.coordinates[image, atom])
        for image in images
        for atom in range(3)
    ]
    geometry = pd.DataFrame(atoms, columns=list(GEOMETRY.columns))
    write_table(tmp_path, GEOMETRY, geometry.sample(frac=1, random_state=0), provenance())
    found = read_reference_path(tmp_path, "single hydrogen transfer")
    np.testing.assert_array_equal(found.coordinates, path.coordinates)
    np.testing.assert_array_equal(found.numbers, path.numbers)
    with pytest.raises(ResultsError, match="multi-process"):
        read_reference_path(tmp_path, "multi-process")
    write_table(tmp_path, GEOMETRY, geometry.iloc[1:], provenance())
    with pytest.raises(ResultsError, match="lacks images"):
        read_reference_path(tmp_path, "single hydrogen transfer")


def test_what_is_printed_has_units(path, hessians):
    summary = pd.DataFrame([summarize(path, "E", 0, hessians.hessians, hessians.hessians) | {"reason": ""}])
    cost = pd.DataFrame([{"source": "E", "seed": 0, "images": 5, "cpu_s": 1.25}])
    text = for_people(summary, cost)
    headings = [line for line in text.splitlines() if line.startswith(("frequencies:", "CPU time"))]
    assert len(headings) == 2
    assert "in cm-1" in headings[0]
    assert "in Angstrom along the path" in headings[0]
    assert headings[1].endswith("in s")
    numbers = summary.drop(columns=["reaction", "loss", "seed", "reason"])
    assert all(name.endswith(("_cm1", "softest_at")) for name in numbers)
    assert "CPU time, s" in text
