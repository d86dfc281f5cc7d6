"""Screened repulsion of nuclei that come closer than a bond, as a part of a potential that is not trained.

Where no training structure has been, networks often fall into a hole: two atoms on one another. The
universal potential of Ziegler, Biersack and Littmark (The Stopping and Range of Ions in Solids, Pergamon
1985), switched off at distances shorter than a triple bond, stands there instead. Added to what a network
predicts, it is subtracted from what the network learns; structures without such close atoms do not see it.
"""

from dataclasses import dataclass

import torch
from ase.data import covalent_radii
from ase.units import Bohr, Hartree, kcal, mol
from torch import Tensor

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.interface import Derivatives

SCREENING = ((0.18175, 3.1998), (0.50986, 0.94229), (0.28022, 0.4029), (0.028171, 0.20162))
"""Weights and decays of the universal screening function."""
COULOMB = Hartree * Bohr / (kcal / mol)
"""Energy of two unit charges at 1 Angstrom, kcal/mol."""
REACH = 0.75
"""Where it ends, as a share of the sum of the covalent radii: N2, C2H2, HCN and CO have 0.77 - 0.80 of it."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of atoms of one molecule.

    Attributes
    ----------
    first, second
        (P,) indices of the atoms in the batch, first < second.
    """

    first: Tensor
    second: Tensor


def pairs_of(batch: Batch) -> Pairs:
    """All pairs of atoms within each molecule, on the device of the coordinates."""
    atoms = torch.arange(len(batch.numbers))
    ends = torch.repeat_interleave(batch.offsets[1:], batch.counts)
    partners = ends - atoms - 1
    first = torch.repeat_interleave(atoms, partners)
    begins = torch.cat([partners.new_zeros(1), partners.cumsum(0)[:-1]])
    second = first + 1 + torch.arange(len(first)) - torch.repeat_interleave(begins, partners)
    return Pairs(batch.there(first), batch.there(second))


def repulsion_energies(batch: Batch, coordinates: Tensor) -> Tensor:
    """Repulsion (M,) in kcal/mol of molecules at other coordinates (A, 3), for automatic differentiation."""
    pairs = pairs_of(batch)
    distance = (coordinates[pairs.first] - coordinates[pairs.second]).norm(dim=1)
    energy, _, _ = _pair_terms(batch, pairs, distance)
    return coordinates.new_zeros(len(batch)).index_add(0, batch.molecule[pairs.first], energy)


def repulsion(batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
    """Repulsion of molecules with its derivatives, to be added to what a potential predicts.

    Parameters
    ----------
    batch
        The molecules.
    derivatives, probes
        What is asked for, see `hessbench.potential.interface.Potential.predict`.
    """
    pairs = pairs_of(batch)
    difference = batch.coordinates[pairs.first] - batch.coordinates[pairs.second]
    distance = difference.norm(dim=1)
    energy, slope, curvature = _pair_terms(batch, pairs, distance)
    energies = distance.new_zeros(len(batch)).index_add(0, batch.molecule[pairs.first], energy)
    direction = difference / distance.unsqueeze(1)
    forces = hessians = products = None
    if derivatives > 0:
        pull = slope.unsqueeze(1) * direction
        zero = torch.zeros_like(batch.coordinates)
        forces = zero.index_add(0, pairs.first, -pull).index_add(0, pairs.second, pull)
    if derivatives > 1 or probes is not None:
        along = direction.unsqueeze(2) * direction.unsqueeze(1)
        across = torch.eye(3).to(along) - along
        blocks = curvature.view(-1, 1, 1) * along + (slope / distance).view(-1, 1, 1) * across
        if derivatives > 1:
            hessians = _assembled(batch, pairs, blocks)
        if probes is not None:
            push = blocks @ (probes[pairs.first] - probes[pairs.second])
            zero = torch.zeros_like(probes)
            products = zero.index_add(0, pairs.first, push).index_add(0, pairs.second, -push)
    return Prediction(energies, forces, hessians, products)


def _pair_terms(batch: Batch, pairs: Pairs, distance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Energy of each pair (P,) and its first and second derivative by the distance.

    E(r) = k Z Z' phi(r / a) / r f(r / c), a = 0.8854 a0 / (Z^0.23 + Z'^0.23), c a share of the sum of the
    covalent radii and f(u) = 1 - 28 u^6 + 48 u^7 - 21 u^8, which ends at u = 1 with two derivatives zero.
    """
    charges = batch.numbers.to(distance)
    first, second = charges[pairs.first], charges[pairs.second]
    length = 0.8854 * Bohr / (first**0.23 + second**0.23)
    radii = torch.as_tensor(covalent_radii).to(distance)[batch.numbers]
    end = REACH * (radii[pairs.first] + radii[pairs.second])

    screening, screening_1, screening_2 = (torch.zeros_like(distance) for _ in range(3))
    for weight, decay in SCREENING:
        term = weight * torch.exp(-decay * distance / length)
        screening = screening + term
        screening_1 = screening_1 - decay / length * term
        screening_2 = screening_2 + (decay / length) ** 2 * term
    strength = COULOMB * first * second
    bare = strength * screening / distance
    bare_1 = (strength * screening_1 - bare) / distance
    bare_2 = (strength * screening_2 - 2 * bare_1) / distance

    u = (distance / end).clamp(max=1.0)
    cut = 1 - u**6 * (28 - 48 * u + 21 * u**2)
    cut_1 = -168 * u**5 * (1 - u) ** 2 / end
    cut_2 = -168 * u**4 * (5 - 12 * u + 7 * u**2) / end**2
    return (
        bare * cut,
        bare_1 * cut + bare * cut_1,
        bare_2 * cut + 2 * bare_1 * cut_1 + bare * cut_2,
    )


def _assembled(batch: Batch, pairs: Pairs, blocks: Tensor) -> Tensor:
    """Add blocks (P, 3, 3) of pairs up to flat Hessians, see `Prediction.hessians`."""
    starts, sizes = batch.there(batch.hessian_offsets[:-1]), batch.there(3 * batch.counts)
    atoms = torch.arange(len(batch.numbers)) - torch.repeat_interleave(batch.offsets[:-1], batch.counts)
    local = batch.there(atoms)
    molecule = batch.molecule[pairs.first]
    axis = torch.arange(3).to(molecule)
    flat = blocks.new_zeros(int(batch.hessian_offsets[-1]))
    for row, column, sign in (
        (pairs.first, pairs.first, 1),
        (pairs.second, pairs.second, 1),
        (pairs.first, pairs.second, -1),
        (pairs.second, pairs.first, -1),
    ):
        rows = (3 * local[row]).view(-1, 1, 1) + axis.view(1, 3, 1)
        columns = (3 * local[column]).view(-1, 1, 1) + axis.view(1, 1, 3)
        place = starts[molecule].view(-1, 1, 1) + rows * sizes[molecule].view(-1, 1, 1) + columns
        flat = flat.index_add(0, place.flatten(), sign * blocks.flatten())
    return flat
