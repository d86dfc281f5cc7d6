"""Geometries for tests, made without files."""

import numpy as np
import torch
from ase import Atoms
from ase.build import molecule

from hessbench.potential import Batch
from hessbench.potential.ani.potential import ANIPotential, build
from hessbench.potential.ani.settings import ANIConfig

# C3H8O2, the transition state of the supporting information, section C (Angstrom)
TRANSITION_STATE = Atoms(
    "COCCOHHHHHHHH",
    [
        (1.10145, 0.622091, 0.493414), (0.874105, -0.651285, 1.074636), (0.152536, -1.308314, 0.092228),
        (-0.983488, -0.388813, -0.251446), (-0.686214, 1.241716, -1.451951), (1.317177, 1.341941, 1.287965),
        (1.939782, 0.572545, -0.224431), (0.033956, 1.215706, -0.686331), (0.760525, -1.529753, -0.804188),
        (-0.233991, -2.270984, 0.47284), (-1.690373, -0.728987, -1.004543), (-1.430648, 0.090572, 0.613594),
        (-1.346704, 1.901148, -1.181914),
    ],
)  # fmt: skip


def random_molecule(atoms: int, seed: int) -> Atoms:
    """Atoms of H, C, N and O in a ball, none nearer than 0.9 Angstrom to another."""
    generator = np.random.default_rng(seed)
    radius = 1.1 * atoms ** (1 / 3) + 0.4
    positions: list[np.ndarray] = []
    while len(positions) < atoms:
        trial = generator.uniform(-radius, radius, 3)
        if all(np.linalg.norm(trial - other) > 0.9 for other in positions):
            positions.append(trial)
    return Atoms(numbers=generator.choice([1, 1, 6, 7, 8], atoms), positions=positions)


def ragged_batch(dtype: torch.dtype = torch.float64, seed: int = 0) -> Batch:
    """3 to 23 atoms: random molecules, some of ASE's, one atom alone, and neighbours beyond either cutoff."""
    rattled = TRANSITION_STATE.copy()
    rattled.rattle(0.05, seed=seed)
    stretched = molecule("C6H6")
    stretched.positions *= 1.7
    apart = Atoms("HHO", [(0, 0, 0), (9.0, 0, 0), (0, 4.3, 0)])
    structures = [random_molecule(size, seed + size) for size in (3, 9, 23)]
    return Batch.from_atoms([*structures, rattled, stretched, apart, Atoms("C", [(0, 0, 0)])], dtype)


def small_model(seed: int = 0, dtype: torch.dtype = torch.float64, **settings: object) -> ANIPotential:
    """A model with narrow networks and a feature scale that make forces and Hessians of the order of one.

    With biases its features are centred, too.
    """
    config = ANIConfig.model_validate({"hidden": (24, 20, 16), **settings})
    model = build(config, seed).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    model.feature_scale.copy_(0.05 + 0.1 * torch.rand(model.feature_scale.shape, generator=generator))
    if model.architecture.biases:
        model.feature_mean.copy_(0.1 * torch.rand(model.feature_mean.shape, generator=generator))
    for element in range(len(model.elements)):
        for layer in model.layers(element):
            if layer.bias is not None:
                with torch.no_grad():
                    layer.bias.copy_(0.1 * torch.randn(layer.bias.shape, generator=generator))
    return model
