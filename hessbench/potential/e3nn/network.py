"""Molecules as graphs, and the message-passing network of e3nn that gives the energies of their atoms.

The network is e3nn's `MessagePassing` (M. Geiger, T. Smidt, arXiv:2207.09453): convolutions over the
neighbours, which are tensor products of features and spherical harmonics with weights that are functions of
the distance, and gates between them. What goes in is as in NequIP (S. Batzner et al., Nat. Commun. 13, 2453
(2022)): the element, spherical harmonics, and Bessel functions times a polynomial that ends at the cutoff
(J. Gasteiger, J. Gross, S. Guennemann, arXiv:2003.03123).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from e3nn import o3
from e3nn.math import soft_one_hot_linspace
from e3nn.nn.models.v2106.gate_points_message_passing import MessagePassing
from torch import Tensor
from torch.nn.functional import one_hot

from hessbench.potential.batch import Batch
from hessbench.potential.e3nn.settings import E3nnConfig

BASIS = 8
"""Bessel functions of a distance."""
RADIAL_WIDTH = 32
"""Hidden units of the networks that make weights of them."""
ENVELOPE = 6
"""Power p of the polynomial, 1 - (p + 1)(p + 2)/2 x^p + p (p + 2) x^(p+1) - p (p + 1)/2 x^(p+2)."""


def make_network(settings: E3nnConfig, seed: int) -> MessagePassing:
    """Build the network in float64, as exact as its constants are; the seed alone decides its parameters."""
    scalars = o3.Irreps([(len(settings.elements), (0, 1))])
    hidden = o3.Irreps(
        [(settings.channels, (degree, (-1) ** degree)) for degree in range(settings.degree + 1)]
    )
    with _float64(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MessagePassing(
            irreps_node_sequence=[scalars, *[hidden] * (settings.layers - 1), "0e"],
            irreps_node_attr=scalars,
            irreps_edge_attr=o3.Irreps.spherical_harmonics(settings.degree),
            fc_neurons=[BASIS, RADIAL_WIDTH],
            num_neighbors=settings.neighbors,
        )


def neighbors(batch: Batch, cutoff: float) -> tuple[Tensor, Tensor]:
    """Pairs of atoms of one molecule that are nearer than the cutoff (Angstrom), each in both orders.

    Returns
    -------
    receivers and senders of messages, (P,) int64 each.
    """
    counts = batch.counts
    sizes = torch.repeat_interleave(counts, counts)  # (A,) atoms of each atom's molecule
    first = torch.repeat_interleave(batch.offsets[:-1], counts)
    receiver = torch.repeat_interleave(torch.arange(len(sizes)), sizes)
    sender = torch.arange(len(receiver)) - (sizes.cumsum(0) - sizes - first)[receiver]
    receiver, sender = batch.there(receiver), batch.there(sender)
    distances = (batch.coordinates[receiver] - batch.coordinates[sender]).norm(dim=1)
    near = (receiver != sender) & (distances < cutoff)
    return receiver[near], sender[near]


def atom_energies(
    network: MessagePassing,
    settings: E3nnConfig,
    elements: Tensor,
    coordinates: Tensor,
    pairs: tuple[Tensor, Tensor],
) -> Tensor:
    """Energies (A,) of the atoms of a graph.

    Parameters
    ----------
    network, settings
        See `make_network`.
    elements
        (A,) index of each atom's element.
    coordinates
        (A, 3), Angstrom.
    pairs
        See `neighbors`.
    """
    receiver, sender = pairs
    count = len(settings.elements)
    element = count**0.5 * one_hot(elements, count).to(coordinates)  # e3nn takes features of mean square one
    vectors = coordinates[sender] - coordinates[receiver]
    harmonics = o3.spherical_harmonics(
        list(range(settings.degree + 1)), vectors, normalize=True, normalization="component"
    )
    radial = radial_functions(vectors.norm(dim=1), settings.cutoff)
    energies: Tensor = network(element, element, sender, receiver, harmonics, radial)
    return energies.squeeze(1)


def radial_functions(distances: Tensor, cutoff: float) -> Tensor:
    """Functions (P, BASIS) of distances (P,), Angstrom; they and two derivatives are zero at the cutoff.

    Times the cutoff, they are of the order of one for bonded atoms, as e3nn's networks expect.
    """
    x, p = distances / cutoff, ENVELOPE
    end = 1 - x**p * ((p + 1) * (p + 2) / 2 - p * (p + 2) * x + p * (p + 1) / 2 * x**2)
    bessel: Tensor = soft_one_hot_linspace(distances, 0.0, cutoff, BASIS, basis="bessel", cutoff=True)
    return cutoff * bessel * end[:, None]


@contextmanager
def _float64() -> Iterator[None]:
    """Make tensors in float64 where no type is named, as e3nn's modules do when they are built."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
