"""Random directions, and the products of Hessians with them.

Every kind has mean p p' = 1 over the coordinates of a molecule, so |H p|^2 is on average |H|^2 (Frobenius),
and a loss on products estimates the loss on whole Hessians. Rademacher and Gaussian probes as in Projected
Hessian Learning (arXiv 2603.04523); probes with one entry, whose products are random
rows of H times sqrt(3 N), as in HORM (arXiv 2505.12447).
"""

from typing import Literal

import torch
from torch import Tensor

from hessbench.potential.batch import Batch

ProbeKind = Literal["rademacher", "gaussian", "rows"]


def draw_probes(batch: Batch, count: int, kind: ProbeKind, generator: torch.Generator) -> Tensor:
    """Draw `count` probes for every molecule of a batch.

    Parameters
    ----------
    batch
        The molecules; dtype and device of the result are those of its coordinates.
    count
        Probes of each molecule.
    kind
        "rademacher": +1 or -1; "gaussian": standard normal; "rows": sqrt(3 N) at one coordinate, different
        ones while there are any, so that 3 N of them are the whole Hessian.
    generator
        Source of randomness, on the CPU, so that probes do not depend on the device.

    Returns
    -------
    Tensor
        (A, 3, count).
    """
    atoms = len(batch.numbers)
    if kind == "gaussian":
        probes = torch.randn(atoms, 3, count, generator=generator, dtype=torch.float64)
    elif kind == "rademacher":
        probes = torch.randint(0, 2, (atoms, 3, count), generator=generator).double() * 2 - 1
    else:
        probes = torch.zeros(3 * atoms, count, dtype=torch.float64)
        for start, size in zip((3 * batch.offsets[:-1]).tolist(), (3 * batch.counts).tolist(), strict=True):
            rounds = [torch.randperm(size, generator=generator) for _ in range(-(-count // size))]
            chosen = torch.cat(rounds)[:count]
            probes[start + chosen, torch.arange(count)] = size**0.5
        probes = probes.view(atoms, 3, count)
    return probes.to(batch.coordinates)


def hessian_products(hessians: Tensor, batch: Batch, probes: Tensor) -> Tensor:
    """Multiply each molecule's Hessian with its probes.

    Parameters
    ----------
    hessians
        Flat, as in `Prediction`.
    batch
        The molecules.
    probes
        (A, 3, k).

    Returns
    -------
    Tensor
        (A, 3, k).
    """
    vectors = probes.flatten(0, 1)
    products = []
    for index, count in enumerate(batch.counts.tolist()):
        first, last = batch.hessian_offsets[index : index + 2].tolist()
        start = 3 * int(batch.offsets[index])
        products.append(hessians[first:last].view(3 * count, 3 * count) @ vectors[start : start + 3 * count])
    return torch.cat(products).view(probes.shape)
