"""Bands: equal to ASE's own NEB, right barriers, failures named."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.mep import NEB
from ase.optimize import LBFGS
from hypothesis import given, settings
from hypothesis import strategies as st

from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.chemistry.band import (
    Band,
    BatchedNEB,
    SafeguardedLBFGS,
    evaluate_images,
    interpolate,
    optimize_band,
    unphysical,
)
from hessbench.chemistry.settings import BandConfig
from hessbench.comparison.potentials import NamedPotential
from hessbench.errors import PotentialError
from hessbench.experiments.neb.run.bands import relax_reaction, run_neb
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch
from hessbench.potential.interface import Potential
from hessbench.reactions.kinds import PathReaction
from hessbench.reactions.superposition import rmsd

NUMBERS = np.array([1, 1, 1])


class Leps(ArrayPotential):
    """The London-Eyring-Polanyi-Sato surface of three hydrogen atoms, as a closed form with a known saddle.

    K. J. Laidler, Theories of Chemical Reaction Rates (1969); H + H2 exchange, collinear or bent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    @torch.enable_grad()
    def energies_and_forces(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        self.calls += 1
        x = batch.coordinates.detach().clone().double().view(-1, 3, 3).requires_grad_()
        r = [(x[:, i] - x[:, j]).norm(dim=1) for i, j in ((0, 1), (1, 2), (0, 2))]
        depth, decay, equilibrium, sato = 109.4, 1.96, 0.742, 0.18
        q, j = [], []
        for distance in r:
            e = (-decay * (distance - equilibrium)).exp()
            singlet, triplet = depth * (e**2 - 2 * e), depth / 2 * (e**2 + 2 * e)
            q.append(((1 + sato) * singlet + (1 - sato) * triplet) / (2 * (1 + sato)))
            j.append(((1 + sato) * singlet - (1 - sato) * triplet) / (2 * (1 + sato)))
        spread = ((j[0] - j[1]) ** 2 + (j[1] - j[2]) ** 2 + (j[2] - j[0]) ** 2) / 2
        # a tether beyond the saddle keeps the leaving atom near, so that both ends are minima
        energies = sum(q) - spread.sqrt() + 200.0 * ((r[2] - 1.95).clamp(min=0) ** 2)
        energies.sum().backward()
        return energies.detach().numpy(), -x.grad.reshape(-1, 3).numpy()


def line(first: float, second: float) -> np.ndarray:
    return np.array([[0.0, 0, 0], [first, 0, 0], [first + second, 0, 0]])


def labelled(loss: str, load: Callable[[], Potential] = Leps) -> NamedPotential:
    return NamedPotential(loss, -1 if loss == "reference" else 0, load, "")


CONFIG = BandConfig(images=7, spring_ev_a2=5)


def test_forces_are_those_of_an_ordinary_neb():
    numbers = np.array([1, 6, 7])
    ends = (
        np.array([[0, 0, -1.07], [0, 0, 0], [0, 0, 1.15]]),
        np.array([[0, 0.05, 2.15], [0, 0, 0], [0, 0, 1.15]]),
    )
    batched_images = interpolate(numbers, *ends, 4)
    evaluate_images([batched_images[0], batched_images[-1]], CalculatorPotential(EMT()))
    batched = BatchedNEB(batched_images, CalculatorPotential(EMT()), 5.0)
    ordinary_images = interpolate(numbers, *ends, 4)
    for image in ordinary_images:
        image.calc = EMT()
    ordinary = NEB(ordinary_images, k=5.0, method="improvedtangent")
    np.testing.assert_allclose(batched.get_forces(), ordinary.get_forces(), atol=1e-10)
    batched.start_climbing()
    ordinary.climb = True
    np.testing.assert_allclose(batched.get_forces(), ordinary.get_forces(), atol=1e-10)


def test_one_call_per_set_of_positions():
    potential = Leps()
    images = interpolate(NUMBERS, line(0.74, 1.5), line(1.5, 0.74), 5)
    evaluate_images([images[0], images[-1]], potential)
    neb = BatchedNEB(images, potential, 5.0)
    for _ in range(3):
        neb.get_forces()
    assert potential.calls == 2
    neb.set_positions(neb.get_positions() + 0.01)
    neb.get_forces()
    assert potential.calls == 3


def test_band_finds_the_saddle_of_a_closed_form():
    """By symmetry the collinear saddle has equal distances; its energy follows from a line search."""
    potential = Leps()
    reaction = PathReaction("H3", "held-out", NUMBERS, line(0.74, 1.5), line(0.9, 0.9), line(1.5, 0.74), 0.0)
    band = relax_reaction(reaction, potential, NebConfig(held_out_images=7, band=CONFIG))
    assert (band.status, band.reason) == ("converged", "")
    distances = np.linspace(0.8, 1.2, 4001)
    top = Batch.from_molecules([(NUMBERS.tolist(), line(r, r).tolist()) for r in distances])
    saddle = potential.energies_and_forces(top)[0].min()
    start = Batch.from_molecules([(NUMBERS.tolist(), band.coordinates[0].tolist())])
    low = potential.energies_and_forces(start)[0][0]
    assert band.energies is not None
    assert band.energies.max() == pytest.approx(saddle - low, abs=0.02)
    assert band.path_coordinate[band.highest] == 0
    assert (np.diff(band.path_coordinate) > 0).all()
    ts = band.coordinates[band.highest]
    assert np.linalg.norm(ts[1] - ts[0]) == pytest.approx(np.linalg.norm(ts[2] - ts[1]), abs=0.01)


def test_limit_of_iterations_is_a_reason():
    config = BandConfig(images=7, spring_ev_a2=5, max_iterations=2)
    band = optimize_band(NUMBERS, line(0.74, 1.5), line(1.5, 0.74), Leps(), config)
    assert band.status == "not converged"
    assert "after 2 iterations" in band.reason


class Attraction(ArrayPotential):
    """Atoms fall onto each other."""

    def energies_and_forces(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        x = batch.coordinates.double().view(-1, 3, 3).numpy()
        centred = x - x.mean(axis=1, keepdims=True)
        return 300 * (centred**2).sum(axis=(1, 2)), (-600 * centred).reshape(-1, 3)


class NotANumber(ArrayPotential):
    def energies_and_forces(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        return np.full(len(batch), np.nan), np.zeros(batch.coordinates.shape)


def test_a_band_that_fails_begins_anew_with_weaker_springs_and_shorter_steps():
    stiff = BandConfig(images=7, spring_ev_a2=10, max_step_a=0.2, restarts=0)
    ends = line(0.74, 1.5), line(1.5, 0.74)
    failed = optimize_band(NUMBERS, *ends, Leps(), stiff)
    assert failed.status != "converged"
    again = optimize_band(NUMBERS, *ends, Leps(), stiff.model_copy(update={"restarts": 1}))
    assert again.status == "converged"
    worse = stiff.model_copy(update={"restarts": 1, "max_iterations": 3})
    assert "after 3 iterations" in optimize_band(NUMBERS, *ends, Leps(), worse).reason


class Hill(Calculator):
    """An atom between a hill at the origin and a valley at 3 Angstrom: 1 + cos(pi x / 3) eV."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):
        super().calculate(atoms, properties, system_changes)
        phase = np.pi * self.atoms.positions[0, 0] / 3
        force = np.array([[np.pi / 3 * np.sin(phase), 0, 0]])
        self.results = {"energy": 1 + np.cos(phase), "forces": force}


def steps_up(optimizer: type[LBFGS]) -> int:
    """Steps against the force, of an atom that rolls down a hill."""
    atom = Atoms("H", [[0.1, 0, 0]], calculator=Hill())
    before, up = atom.positions.copy(), 0
    force = atom.get_forces()
    for _ in optimizer(atom, logfile=None, maxstep=0.1, alpha=10).irun(fmax=1e-3, steps=60):
        up += int(((atom.positions - before) * force).sum() < 0)
        before, force = atom.positions.copy(), atom.get_forces()
    return up


def test_negative_curvature_leads_no_step_up():
    assert steps_up(LBFGS) > 0
    assert steps_up(SafeguardedLBFGS) == 0


def test_a_collapsing_band_is_named():
    band = optimize_band(NUMBERS, line(0.74, 1.5), line(1.5, 0.74), Attraction(), CONFIG)
    assert band.status == "exploded"
    assert "fell together" in band.reason


def test_energies_that_are_not_finite_are_named():
    band = optimize_band(NUMBERS, line(0.74, 1.5), line(1.5, 0.74), NotANumber(), CONFIG)
    assert (band.status, band.energies, band.max_force) == ("exploded", None, None)
    assert "not finite" in band.reason
    with pytest.raises(PotentialError):
        evaluate_images([Atoms(NUMBERS, line(1, 1))], NotANumber())


def test_a_failed_end_point_is_named():
    reaction = PathReaction("H3", "held-out", NUMBERS, line(0.74, 1.5), line(0.9, 0.9), line(1.5, 0.74), 5.0)
    band = relax_reaction(reaction, Attraction(), NebConfig(band=CONFIG))
    assert band.status == "end point failed"
    assert "reactant" in band.reason


def test_tables_hold_failures_as_rows(tmp_path):
    from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SUMMARY
    from hessbench.results.store.tables import read_table, write_table
    from tests.made_up import provenance

    reaction = PathReaction(
        "H3", "single hydrogen transfer", NUMBERS, line(0.74, 1.5), line(0.93, 0.93), line(1.5, 0.74), 5.0
    )
    potentials = [labelled("E-F-H"), labelled("E", Attraction), labelled("reference")]
    tables = run_neb([reaction], potentials, NebConfig(band=CONFIG), 1)
    summary = tables.summary.set_index("loss")
    assert summary.loc["E", "status"] == "end point failed"
    assert np.isnan(summary.loc["E", "barrier"])
    assert summary.loc["E-F-H", "status"] == "converged"
    assert summary.loc["E-F-H", "rmsd_ts"] < 0.05
    for table, rows in ((PATHS, tables.paths), (SUMMARY, tables.summary), (GEOMETRY, tables.geometry)):
        write_table(tmp_path, table, rows, provenance())
        assert len(read_table(tmp_path, table)) == len(rows)
    assert len(tables.paths) == 2 * 9
    assert len(tables.geometry) == 2 * 9 * 3


def test_the_reference_is_the_control_of_held_out_reactions():
    reaction = PathReaction(
        "H3", "held-out", NUMBERS, line(0.74, 1.5), line(0.93, 0.93), line(1.5, 0.74), 5.0
    )
    named = PathReaction(**{**reaction.__dict__, "name": "named", "kind": "multi-process"})
    config = NebConfig(held_out_images=7, band=CONFIG)
    tables = run_neb([named, reaction], [labelled("reference"), labelled("E")], config, 1)
    assert len(tables.summary) == 4
    control = tables.summary[tables.summary["loss"] == "reference"].set_index("kind")
    model = tables.summary[tables.summary["loss"] == "E"].set_index("kind")
    assert control.loc["held-out", "iterations"] == model.loc["held-out", "iterations"]  # the same start
    assert control.loc["multi-process", "iterations"] < model.loc["multi-process", "iterations"]
    assert set(tables.geometry["reaction"]) == {"named"}


def test_other_springs_are_those_of_a_run_with_them():
    """Only of held-out reactions and a loss's first model, in one attempt, beside those of own springs."""
    reaction = PathReaction(
        "H3", "held-out", NUMBERS, line(0.74, 1.5), line(0.93, 0.93), line(1.5, 0.74), 5.0
    )
    named = PathReaction(**{**reaction.__dict__, "name": "named", "kind": "multi-process"})
    config = NebConfig(held_out_images=7, band=CONFIG)
    potentials = [labelled("reference"), labelled("E"), labelled("E")._replace(seed=1)]
    own = run_neb([named, reaction], potentials, config, 1)
    assert own.springs.empty
    other = NebConfig(**config.model_dump() | {"other_springs_ev_a2": (2.5,)})
    found = run_neb([named, reaction], potentials, other, 1)
    pd.testing.assert_frame_equal(found.summary, own.summary)
    pd.testing.assert_frame_equal(found.paths, own.paths)
    assert found.springs["reaction"].tolist() == ["H3", "H3"]
    band = CONFIG.model_copy(update={"spring_ev_a2": 2.5, "restarts": 0})
    wanted = run_neb([reaction], potentials[:2], config.model_copy(update={"band": band}), 1).summary
    pd.testing.assert_frame_equal(found.springs.drop(columns="spring_ev_a2"), wanted)
    assert set(found.springs["spring_ev_a2"]) == {2.5}
    of_own = own.summary.loc[own.summary["kind"] == "held-out", "max_force_ev_a"].tolist()
    assert of_own != wanted["max_force_ev_a"].tolist()


def test_other_springs_are_others():
    with pytest.raises(ValueError, match="50 stands twice, or is that of the band"):
        NebConfig(other_springs_ev_a2=(50, 50))
    with pytest.raises(ValueError, match="5 stands twice"):
        NebConfig(band=CONFIG.model_copy(update={"spring_ev_a2": 5}), other_springs_ev_a2=(5,))


def test_unphysical_paths():
    water = np.array([[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    numbers = np.array([8, 1, 1])
    assert unphysical(numbers, water[None]) == ""
    near, far = water.copy(), water.copy()
    near[1] *= 0.4
    far[1] *= 3.5
    assert "O1-H2" in unphysical(numbers, np.stack([water, near]))
    assert "image 1" in unphysical(numbers, np.stack([water, near]))
    assert "left" in unphysical(numbers, far[None])
    for start in (near, far):  # an interpolation that is as bad already is no fault of the potential
        assert unphysical(numbers, start[None], start[None]) == ""
    assert "O1-H2" in unphysical(numbers, (0.8 * near)[None], near[None])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rmsd_does_not_see_rigid_motions(seed):
    from scipy.spatial.transform import Rotation

    random = np.random.default_rng(seed)
    first = random.normal(size=(6, 3))
    second = first + 0.1 * random.normal(size=(6, 3))
    moved = Rotation.random(rng=random).apply(second) + random.normal(size=3)
    assert rmsd(first, moved) == pytest.approx(rmsd(first, second), abs=1e-6)
    assert rmsd(first, Rotation.random(rng=random).apply(first)) == pytest.approx(0, abs=1e-6)
    assert rmsd(first, second) <= np.sqrt(((first - second) ** 2).sum() / 6) + 1e-9


def test_path_coordinate_is_a_length():
    coordinates = np.zeros((3, 1, 3))
    coordinates[:, 0, 0] = [0, 3, 4]
    band = Band("converged", "", 1, 0.0, coordinates, np.array([0.0, 2.0, 1.0]))
    np.testing.assert_allclose(band.path_coordinate, [-3, 0, 1])


def test_few_images_go_through_a_structure_next_to_an_end_point():
    through = line(0.76, 1.48)
    images = interpolate(NUMBERS, line(0.74, 1.5), line(1.5, 0.74), 3, through)
    assert len(images) == 5
    distances = [image.get_all_distances() for image in (images[1], Atoms(NUMBERS, through))]
    np.testing.assert_allclose(*distances, atol=1e-12)
