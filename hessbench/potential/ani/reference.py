"""The paper's way: automatic differentiation through torchani, one pass per coordinate.

Slow and simple. It is the oracle of the exact derivatives and what `hessbench benchmark derivatives`
compares them with.
"""

import copy
from dataclasses import replace

import torch
from torch import Tensor
from torchani.neighbors import Neighbors

from hessbench.potential.ani.architecture import CELU_ALPHA
from hessbench.potential.ani.model import ANI
from hessbench.potential.autograd import differentiate
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.interface import Derivatives
from hessbench.potential.repulsion import repulsion_energies


def pad(batch: Batch, model: ANI) -> tuple[Tensor, Tensor, Tensor]:
    """Lay a ragged batch out as torchani wants it.

    Returns
    -------
    species (M, N) with -1 where there is no atom, coordinates (M, N, 3), and the flat positions of the
    batch's atoms in the first two axes, (A,).
    """
    size = int(batch.counts.max())
    local = torch.arange(len(batch.numbers)) - torch.repeat_interleave(batch.offsets[:-1], batch.counts)
    position = batch.molecule * size + local.to(batch.molecule.device)
    species = batch.numbers.new_full((len(batch) * size,), -1)
    species[position] = model.element_indices(batch.numbers)
    coordinates = batch.coordinates.new_zeros(len(batch) * size, 3)
    coordinates[position] = batch.coordinates
    return species.view(len(batch), size), coordinates.view(len(batch), size, 3), position


def energies_of(model: ANI, species: Tensor, coordinates: Tensor) -> Tensor:
    """Network energies (M,) of padded molecules through torchani's own modules."""
    return _energies(model, species, model.aev(species, coordinates))


def _energies(model: ANI, species: Tensor, features: Tensor) -> Tensor:
    element = species.clamp(min=0)
    scaled = (features - model.feature_mean[element]) / model.feature_scale[element]
    return model.networks(species, scaled)


def evaluate_by_autograd(
    model: ANI,
    batch: Batch,
    derivatives: Derivatives,
    probes: Tensor | None = None,
    *,
    create_graph: bool = True,
) -> Prediction:
    """Energies, forces and Hessians, a row at a time, see `differentiate`.

    Parameters
    ----------
    model, batch
        Model and molecules of one dtype and device.
    derivatives, probes, create_graph
        See `differentiate`.
    """

    def energies(coordinates: Tensor) -> Tensor:
        species, padded, _ = pad(replace(batch, coordinates=coordinates), model)
        found = energies_of(model, species, padded)
        if model.architecture.repulsion != "none":
            found = found + repulsion_energies(batch, coordinates)
        return found

    return differentiate(energies, batch, derivatives, probes, create_graph=create_graph, together=False)


def evaluate_by_vmap(model: ANI, batch: Batch) -> Prediction:
    """Energies, forces and Hessians by vmap over forward-mode derivatives of the gradient.

    The best that torch's transformations make of torchani as it is: all rows of a Hessian at once. Neighbour
    lists depend on values, which vmap cannot follow, so they are found outside.
    """
    species, coordinates, position = pad(batch, model)
    molecules, size = species.shape
    neighbors = model.aev.neighborlist(model.aev.radial.cutoff, species, coordinates)
    first, second = neighbors.indices

    def energies(displaced: Tensor) -> Tensor:
        flat = displaced.view(-1, 3)
        difference = flat[first] - flat[second]
        found = Neighbors(neighbors.indices, difference.norm(2, -1), difference)
        features = model.aev.compute_from_neighbors(species, displaced, found)
        return _energies(model, species, features)

    def gradient(displaced: Tensor) -> Tensor:
        return torch.func.grad(lambda x: energies(x).sum())(displaced)

    directions = torch.eye(3 * size, dtype=coordinates.dtype, device=coordinates.device)
    directions = directions.view(3 * size, 1, size, 3).expand(-1, molecules, -1, -1)
    rows = torch.func.vmap(lambda v: torch.func.jvp(gradient, (coordinates,), (v,))[1])(directions)
    padded = rows.flatten(2).transpose(0, 1)  # (M, 3 N, 3 N)
    hessians = torch.cat(
        [
            padded[index, : 3 * count, : 3 * count].flatten()
            for index, count in enumerate(batch.counts.tolist())
        ]
    )
    forces = -gradient(coordinates).reshape(-1, 3)[position]
    return Prediction(energies(coordinates), forces, hessians)


class ExactCELU(torch.nn.Module):
    """CELU whose float64 derivatives are those of its value.

    torch 2.13 rounds alpha to float32 in the backward pass of CELU, in float64 too: with alpha 0.1 its first
    derivative is off by 1e-8 and more, relative. As an oracle of float64 derivatives that is not enough.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Sigma(z)."""
        return torch.where(z > 0, z, CELU_ALPHA * (torch.exp(z.clamp(max=0) / CELU_ALPHA) - 1))


def oracle(model: ANI) -> ANI:
    """Return a copy of a model whose torchani part is exact in float64, see `ExactCELU`."""
    exact = copy.deepcopy(model)
    if exact.architecture.activation == "celu":
        for network in exact.networks.atomics.values():
            network.activation = ExactCELU()
    return exact
