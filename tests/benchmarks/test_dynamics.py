"""30 replicas of Langevin dynamics: one batch, ASE with this package's calculator, ASE with torchani's own.

`pytest tests/benchmarks/test_dynamics.py --benchmark-only`, one thread, an idle machine. Every entry takes as
many replica steps (the ten MD17 molecules, three replicas each), so the times compare directly.
"""

import warnings

import numpy as np
import pytest
import torch
import torchani.arch
from ase import Atoms, units
from ase.md.langevin import Langevin
from torchani.ase import Calculator as TorchaniCalculator
from torchani.sae import SelfEnergy

from hessbench.calculators.ase_calculator import HessbenchCalculator
from hessbench.chemistry.langevin import BLOCK, advance, start
from hessbench.embedded import EMBEDDED
from hessbench.experiments.stability.run.molecules import read_molecules
from hessbench.potential.ani.potential import ANIPotential, build
from hessbench.potential.ani.settings import ANIConfig

COPIES = 3
TEMPERATURE, FRICTION, TIMESTEP = 5.0, 0.01, 0.5


@pytest.fixture(scope="module")
def molecules() -> list[Atoms]:
    """Give the ten molecules, three times."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    return list(read_molecules(EMBEDDED / "md17.extxyz").values()) * COPIES


@pytest.fixture(scope="module")
def model() -> ANIPotential:
    """Give an untrained model of the default architecture; the time does not depend on the weights."""
    return build(ANIConfig(), seed=0)


def run_ase(molecules: list[Atoms], calculator) -> None:
    """Take BLOCK steps with each molecule, one after the other."""
    for atoms in molecules:
        replica = Atoms(atoms.numbers, atoms.positions, calculator=calculator)
        dynamics = Langevin(
            replica,
            TIMESTEP * units.fs,
            temperature_K=TEMPERATURE,
            friction=FRICTION / units.fs,
            fixcm=False,
            rng=np.random.default_rng(0),
        )
        dynamics.run(BLOCK)


def torchani_calculator(model: ANIPotential) -> TorchaniCalculator:
    """The same networks and descriptors in torchani's own model; the unit does not matter."""
    shifter = SelfEnergy(model.elements, [0.0] * len(model.elements))
    plain = model.folded()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return TorchaniCalculator(torchani.arch.ANI(model.elements, plain.aev, plain.networks, shifter))


@pytest.mark.benchmark(group="30 replicas, 50 steps each")
def test_one_batch(benchmark, molecules, model):
    """All replicas in one batch."""
    keys = [str(index) for index in range(len(molecules))]
    replicas = start(keys, [(item.numbers, item.positions) for item in molecules], model, TEMPERATURE)
    temperatures = np.full(BLOCK, TEMPERATURE)
    advance(replicas, model, temperatures, TIMESTEP, FRICTION)  # compiles, fills caches
    benchmark.pedantic(advance, (replicas, model, temperatures, TIMESTEP, FRICTION), rounds=3, iterations=1)


@pytest.mark.benchmark(group="30 replicas, 50 steps each")
@pytest.mark.parametrize("kind", ["hessbench", "torchani"])
def test_ase(benchmark, molecules, model, kind):
    """ASE's Langevin, one replica after the other."""
    calculator = HessbenchCalculator(model) if kind == "hessbench" else torchani_calculator(model)
    run_ase(molecules[:1], calculator)
    benchmark.pedantic(run_ase, (molecules, calculator), rounds=1, iterations=1)
