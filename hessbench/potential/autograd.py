"""Forces, Hessians and their products with vectors by nested automatic differentiation, for any energy.

The paper's way (section 2.3): one reverse pass for the gradient, and one more per coordinate of a molecule
for the rows of its Hessian, those of all molecules of a batch at once.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.interface import Derivatives


def differentiate(
    energies_of: Callable[[Tensor], Tensor],
    batch: Batch,
    derivatives: Derivatives,
    probes: Tensor | None = None,
    *,
    create_graph: bool = True,
    together: bool = True,
) -> Prediction:
    """Predict energies and their derivatives by the coordinates, wherever gradients are enabled.

    Parameters
    ----------
    energies_of
        Energies (M,) of the batch's molecules at coordinates (A, 3), each of which depends on those of its
        own molecule alone.
    batch
        M molecules with A atoms in all.
    derivatives
        0 for energies, 1 for forces too, 2 for Hessians too.
    probes
        (A, 3, k): also the products of each molecule's Hessian with its rows of k vectors.
    create_graph
        Whether the results can be differentiated for the parameters.
    together
        Whether one reverse pass gives all rows, by torch's vmap: several times faster for small batches, with
        the memory of all rows.

    Returns
    -------
    Prediction
        Without a graph, unless `create_graph`.
    """
    second = derivatives == 2 or probes is not None
    coordinates = batch.coordinates.detach().clone().requires_grad_(derivatives > 0 or second)
    energies = energies_of(coordinates)
    forces = products = hessians = None
    if derivatives > 0 or second:
        (gradient,) = torch.autograd.grad(energies.sum(), coordinates, create_graph=create_graph or second)
        forces = -gradient if derivatives > 0 else None

        def times(vectors: Tensor) -> Tensor:  # (K, A, 3)
            def backward(seed: Tensor) -> Tensor:
                (found,) = torch.autograd.grad(
                    gradient,
                    coordinates,
                    seed,
                    retain_graph=True,
                    create_graph=create_graph,
                    is_grads_batched=together,
                )
                return found

            return backward(vectors) if together else torch.stack([backward(item) for item in vectors])

        if probes is not None:
            products = times(probes.permute(2, 0, 1)).permute(1, 2, 0)
        if derivatives == 2:
            hessians = _by_molecule(times(_units(batch)), batch)
    parts = (energies, forces, hessians, products)
    if create_graph:
        return Prediction(*parts)
    return Prediction(*(None if item is None else item.detach() for item in parts))  # type: ignore[arg-type]


def _units(batch: Batch) -> Tensor:
    """Vectors (K, A, 3), K coordinates of the largest molecule: number k is one at coordinate k of each."""
    sizes = 3 * batch.counts
    coordinate = torch.arange(int(sizes.sum())) - torch.repeat_interleave(3 * batch.offsets[:-1], sizes)
    units = torch.nn.functional.one_hot(coordinate, int(sizes.max())).T
    return batch.there(units).to(batch.coordinates.dtype).reshape(-1, *batch.coordinates.shape)


def _by_molecule(rows: Tensor, batch: Batch) -> Tensor:
    """Hessians of the molecules, flat as in `Prediction`."""
    columns = rows.flatten(1)
    ends = (3 * batch.offsets).tolist()
    return torch.cat([columns[: stop - start, start:stop].flatten() for start, stop in pairwise(ends)])
