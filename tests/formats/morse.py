"""Molecules of Morse bonds, differentiated automatically: labels that are right for any element and size."""

import numpy as np
import torch
from ase.data import atomic_masses

from hessbench.chemistry.normal_modes import WAVENUMBER
from hessbench.data.layout import Reaction

LENGTHS = {(1, 9): 0.925, (1, 8): 0.955, (1, 6): 1.095, (1, 1): 0.745, (6, 8): 1.42, (1, 3): 1.6,
           (18, 18): 3.76, (11, 11): 3.08, (11, 17): 2.36, (1, 17): 1.28, (7, 7): 1.1}  # fmt: skip
WAVENUMBERS = {(1, 9): 4200, (1, 8): 3990, (1, 6): 3060, (1, 1): 4380, (6, 8): 1050, (1, 3): 1400,
               (18, 18): 31, (11, 11): 159, (11, 17): 365, (1, 17): 2960, (7, 7): 2400}  # fmt: skip
"""Bond to length in Angstrom and to wavenumber in cm-1."""
WATER = [(0, 0, 0), (0.757, 0.582, 0), (-0.757, 0.582, 0)]


def label(
    name: str,
    numbers: list[int],
    structures: list | np.ndarray,
    bonds: list[tuple[int, int]],
    zero: float = 0.0,
) -> Reaction:
    """Energies from a zero (kcal/mol), forces and Hessians of bonds of Morse's form and weak bends."""
    pairs = [tuple(sorted((numbers[i], numbers[j]))) for i, j in bonds]
    lengths = torch.tensor([LENGTHS[pair] for pair in pairs], dtype=torch.float64)
    reduced = np.array([1 / sum(1 / atomic_masses[z] for z in pair) for pair in pairs])
    constants = torch.tensor((np.array([WAVENUMBERS[pair] for pair in pairs]) / WAVENUMBER) ** 2 * reduced)
    first, second = torch.tensor(bonds).T
    ends = [(i, j) for i in range(len(numbers)) for j in range(i) if {(i, j), (j, i)}.isdisjoint(bonds)]
    apart = np.array(structures[0], dtype=float)
    rest = torch.tensor([np.linalg.norm(apart[i] - apart[j]) for i, j in ends], dtype=torch.float64)

    def energy(flat: torch.Tensor) -> torch.Tensor:
        points = flat.reshape(-1, 3)
        change = (points[first] - points[second]).norm(dim=1) - lengths
        total = (constants / (2 * 1.9**2) * (1 - torch.exp(-1.9 * change)) ** 2).sum()
        for (i, j), length in zip(ends, rest, strict=True):
            total = total + 20 * ((points[i] - points[j]).norm() - length) ** 2
        return total

    points = np.array(structures, dtype=float)
    flat = [torch.tensor(point.ravel(), requires_grad=True) for point in points]
    forces = [-torch.autograd.grad(energy(item), item)[0].numpy().reshape(-1, 3) for item in flat]
    hessians = [torch.autograd.functional.hessian(energy, item).numpy() for item in flat]
    energies = np.array([zero + energy(item).item() for item in flat])
    species = np.array(numbers, dtype=np.uint8)
    return Reaction(name, species, points, energies, np.array(forces), np.array(hessians))
