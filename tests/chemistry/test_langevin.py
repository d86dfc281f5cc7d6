"""Oracles: closed forms of the harmonic oscillator, order of convergence, ASE's Langevin."""

import numpy as np
import pytest
import torch
from ase import Atoms
from ase import units as ase_units
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.data import atomic_masses
from ase.md.langevin import Langevin
from scipy.stats import ks_2samp

from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.chemistry.langevin import ACCELERATION, BLOCK, BOLTZMANN, advance, kinetic_temperature, start
from hessbench.potential.batch import Batch
from hessbench.units import EV
from tests.potentials import Analytic

SPRING = 500.0
"""kcal/mol/Angstrom^2: with hydrogen's mass omega dt is 0.23 at 0.5 fs."""


def springs(batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """Every atom tied to the origin by the same spring: independent oscillators."""
    x = batch.coordinates.numpy()
    energies = np.add.reduceat(0.5 * SPRING * (x**2).sum(axis=1), batch.offsets[:-1].numpy())
    return energies, -SPRING * x


harmonic = Analytic(springs)


def run(replicas, forces, blocks, *, temperature=300.0, timestep=0.5, friction=0.02, seed=0):
    """Advance and collect positions, velocities (T, A, 3) and energies (T, M)."""
    pieces = []
    for _ in range(blocks):
        block = advance(replicas, forces, np.full(BLOCK, temperature), timestep, friction, seed)
        pieces.append((block.positions, block.velocities, block.energies))
        replicas = block.replicas
    return replicas, *(np.concatenate(piece) for piece in zip(*pieces, strict=True))


def test_harmonic_temperature_and_its_fluctuation_follow_the_canonical_distribution():
    atoms, temperature, timestep, friction = 500, 300.0, 0.5, 0.3
    replicas = start(["a"], [(np.ones(atoms, int), np.zeros((atoms, 3)))], harmonic, temperature)
    replicas, *_ = run(replicas, harmonic, 4, friction=friction)
    _, positions, velocities, _ = run(replicas, harmonic, 80, friction=friction)
    # BAOAB: exact for positions; velocities too cold by 1 - (omega dt)^2 / 4
    square = SPRING * ACCELERATION / atomic_masses[1] * timestep**2
    potential = SPRING * (positions**2).mean() / BOLTZMANN
    kinetic = kinetic_temperature(replicas.masses, velocities)
    assert potential == pytest.approx(temperature, rel=0.005)
    assert kinetic.mean() == pytest.approx(temperature * (1 - square / 4), rel=0.005)
    assert square / 4 > 0.012  # so that the correction above is more than the tolerance
    # chi-squared of 3 N degrees of freedom
    assert kinetic.std() / kinetic.mean() == pytest.approx(np.sqrt(2 / (3 * atoms)), rel=0.05)


def test_energy_is_conserved_to_second_order_without_friction():
    cluster = Atoms("Cu4", [[0, 0, 0], [2.5, 0, 0], [1.2, 2.1, 0], [1.2, 0.7, 2.0]])
    forces = CalculatorPotential(EMT())
    drifts = []
    for timestep in (8.0, 4.0, 2.0):
        replicas = start(["a"], [(cluster.numbers, cluster.positions)], forces, 300.0, seed=3)
        blocks = int(800 / timestep / BLOCK)
        _, _, velocities, energies = run(replicas, forces, blocks, timestep=timestep, friction=0.0)
        masses = replicas.masses
        total = energies[:, 0] + 0.5 * (masses[:, None] * velocities**2).sum(axis=(1, 2)) / ACCELERATION
        drifts.append(total.std())
    assert drifts[2] < 1e-2 * 12 * BOLTZMANN * 300
    assert 3.4 < drifts[0] / drifts[1] < 4.6
    assert 3.4 < drifts[1] / drifts[2] < 4.6


def test_without_friction_it_is_the_velocity_verlet_of_ase():
    from ase.md.verlet import VelocityVerlet

    cluster = Atoms("Cu3", [[0, 0, 0], [2.5, 0, 0], [1.2, 2.1, 0]], calculator=EMT())
    forces = CalculatorPotential(EMT())
    replicas = start(["a"], [(cluster.numbers, cluster.positions)], forces, 300.0)
    cluster.set_velocities(replicas.velocities / ase_units.fs)
    VelocityVerlet(cluster, 2 * ase_units.fs).run(BLOCK)
    end, *_ = run(replicas, forces, 1, timestep=2.0, friction=0.0)
    np.testing.assert_allclose(end.positions, cluster.positions, atol=1e-9)
    np.testing.assert_allclose(end.velocities, cluster.get_velocities() * ase_units.fs, atol=1e-11)


class Springs(Calculator):
    """`harmonic` in eV, for ASE."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        x = self.atoms.positions
        self.results = {"energy": 0.5 * SPRING * (x**2).sum() / EV, "forces": -SPRING * x / EV}


def test_distribution_of_energies_agrees_with_langevin_of_ase():
    count, temperature, friction, skip = 30, 500.0, 0.2, 30
    atoms = Atoms(f"C{count}", np.zeros((count, 3)), calculator=Springs())
    dynamics = Langevin(
        atoms,
        0.5 * ase_units.fs,
        temperature_K=temperature,
        friction=friction / ase_units.fs,
        fixcm=False,
        rng=np.random.default_rng(0),
    )
    theirs = []
    dynamics.attach(lambda: theirs.append(atoms.get_potential_energy() * EV), interval=skip)
    dynamics.run(150 * skip)
    replicas = start(["a"], [(atoms.numbers, np.zeros((count, 3)))], harmonic, temperature)
    _, _, _, energies = run(replicas, harmonic, 90, temperature=temperature, friction=friction)
    ours = energies[::skip, 0]
    assert ks_2samp(theirs[10:], ours[10:]).pvalue > 0.01
    expected = 1.5 * count * BOLTZMANN * temperature
    assert np.mean(theirs[10:]) == pytest.approx(expected, rel=0.05)
    assert np.mean(ours[10:]) == pytest.approx(expected, rel=0.05)
    # the comparison can tell a thermostat that is 10 % off
    assert ks_2samp(np.array(theirs[10:]) * 1.1, ours[10:]).pvalue < 0.01


def test_a_replica_does_not_depend_on_what_else_is_in_the_batch():
    first, second = (np.ones(4, int), np.zeros((4, 3))), (np.full(7, 6), np.full((7, 3), 0.1))
    both, *_ = run(start(["a", "b"], [first, second], harmonic, 300.0), harmonic, 2)
    alone, *_ = run(start(["b"], [second], harmonic, 300.0), harmonic, 2)
    rest = both.select(np.array([False, True]))
    assert rest.keys == alone.keys
    np.testing.assert_array_equal(rest.positions, alone.positions)
    np.testing.assert_array_equal(rest.velocities, alone.velocities)
    other, *_ = run(start(["c"], [second], harmonic, 300.0), harmonic, 2)
    assert not np.allclose(other.positions, alone.positions)


def test_infinite_forces_stop_one_replica_and_leave_the_other_alone():
    calls = 0

    def explosive(batch: Batch):
        nonlocal calls
        energies, forces = springs(batch)
        calls += 1
        if calls == 12:  # one for the start, so after the step of index 10
            forces = np.vstack([np.full((2, 3), np.inf), forces[2:]])
        return energies, forces

    molecules = [(np.ones(2, int), np.full((2, 3), 0.1)), (np.ones(2, int), np.full((2, 3), -0.1))]
    replicas = start(["a", "b"], molecules, Analytic(explosive), 300.0)
    block = advance(replicas, Analytic(explosive), np.full(BLOCK, 300.0), 0.5, 0.02)
    assert block.broken.tolist() == [10, BLOCK]
    assert np.isfinite(block.positions).all()
    np.testing.assert_array_equal(
        block.positions[10:, :2], np.broadcast_to(block.positions[9, :2], (40, 2, 3))
    )
    untouched = advance(
        start(["b"], molecules[1:], harmonic, 300.0), harmonic, np.full(BLOCK, 300.0), 0.5, 0.02
    )
    np.testing.assert_array_equal(block.replicas.positions[2:], untouched.replicas.positions)


def test_calculator_forces_are_those_of_ase():
    atoms = Atoms("Cu3", [[0, 0, 0], [2.5, 0, 0], [1.2, 2.1, 0]])
    batch = Batch.from_atoms([atoms[:2], atoms])
    energies, forces = CalculatorPotential(EMT()).energies_and_forces(batch)
    atoms.calc = EMT()
    assert energies[1] == pytest.approx(atoms.get_potential_energy() * EV)
    np.testing.assert_allclose(forces[2:], atoms.get_forces() * EV)
    assert torch.is_tensor(batch.coordinates)
