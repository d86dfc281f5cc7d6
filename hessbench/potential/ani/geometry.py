"""Descriptors of a batch and their first and second derivatives, in plain torch on any device.

Nothing here depends on a trainable parameter, so nothing here needs autograd except what is linear in
the gradient g. Names: i the central atom, j or 1 and 2 its neighbours, v the vector from i to a
neighbour, r its length, u = v / r, c the cosine between u1 and u2.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.terms import (
    Constants,
    angle_terms,
    constants_of,
    cutoff_terms,
    radial_terms,
    shell_terms,
)
from hessbench.potential.batch import Batch

Index = TypeVar("Index", Tensor, int)


@dataclass(frozen=True)
class Pairs:
    """Neighbours within the radial cutoff, sorted by central atom; P pairs, each of two atoms twice."""

    center: Tensor  # (P,)
    neighbor: Tensor  # (P,)
    element: Tensor  # (P,) of the neighbour
    r: Tensor  # (P,)
    u: Tensor  # (P, 3)
    near: Tensor  # (P,) bool, within the angular cutoff
    near_pairs: Tensor  # indices of those that are near, ascending
    radial: list[Tensor]  # R, R', R'' (P, K)


@dataclass(frozen=True)
class Triples:
    """Pairs of near neighbours of one centre, T of them; `first` and `second` index `Pairs`."""

    center: Tensor  # (T,)
    first: Tensor  # (T,)
    second: Tensor  # (T,)
    slot: Tensor  # (T,) centre x element pairs + element pair: row of the angular features
    c: Tensor  # (T,)
    cutoffs: Tensor  # (2, 3, T): f, f', f'' of both neighbours
    shells: Tensor  # (3, T, N): h, h', h''
    angles: Tensor  # (3, T, Z): A, A', A''


@dataclass(frozen=True)
class Geometry:
    """All that is needed of the coordinates of a batch."""

    constants: Constants
    elements: int
    element: Tensor  # (A,)
    atoms: tuple[Tensor, ...]  # by element the indices of its atoms, ascending
    pairs: Pairs
    triples: Triples
    features: Tensor  # (A, F)


class PairScalars(NamedTuple):
    """First derivatives of a function of r1, r2 and c, per triple."""

    p1: Tensor
    p2: Tensor
    pc: Tensor


def build(model: ANI, batch: Batch) -> Geometry:
    """Find neighbours and evaluate the features and all tables their derivatives need."""
    constants = constants_of(model.architecture.symmetry_functions)
    elements = len(model.elements)
    element = model.element_indices(batch.numbers)
    with torch.no_grad():
        atoms = torch.argsort(element, stable=True).split(count(element, elements).tolist())
        pairs = _find_pairs(constants, batch, element)
        triples = _find_triples(constants, elements, pairs)
        features = torch.cat(
            [
                _radial_sum(elements, len(element), pairs, pairs.radial[0]),
                _angular_sum(elements, len(element), triples, _angular_values(triples)),
            ],
            1,
        )
    return Geometry(constants, elements, element, atoms, pairs, triples, features)


def count(values: Tensor, kinds: int) -> Tensor:
    """How often each of 0 ... kinds - 1 occurs, (kinds,); other than `torch.bincount` it waits for no GPU."""
    return values.new_zeros(kinds).index_add_(0, values, torch.ones_like(values))


def directional_features(geometry: Geometry, vectors: Tensor) -> Tensor:
    """J v: derivative of the features along displacements of the atoms.

    Parameters
    ----------
    geometry
        The batch.
    vectors
        (A, 3, k).

    Returns
    -------
    Tensor
        (A, k, F).
    """
    pairs, triples = geometry.pairs, geometry.triples
    displacement = vectors[pairs.neighbor] - vectors[pairs.center]  # (P, 3, k)
    dr = torch.einsum("px,pxk->pk", pairs.u, displacement)
    radial = _radial_sum(
        geometry.elements, len(vectors), pairs, torch.einsum("pk,pf->pkf", dr, pairs.radial[1])
    )
    w1, w2 = cosine_gradients(pairs, triples)
    dc = torch.einsum("tx,txk->tk", w1, displacement[triples.first])
    dc = dc + torch.einsum("tx,txk->tk", w2, displacement[triples.second])
    dr1, dr2 = dr[triples.first], dr[triples.second]
    (f1, g1, _), (f2, g2, _) = triples.cutoffs
    f = f1 * f2
    # d(h A f) = A (h' f (dr1 + dr2) / 2 + h (f1' f2 dr1 + f1 f2' dr2)) + A' h f dc
    along_mean = 0.5 * f.unsqueeze(1) * (dr1 + dr2)
    along_cutoff = (g1 * f2).unsqueeze(1) * dr1 + (f1 * g2).unsqueeze(1) * dr2
    shells = torch.einsum("tk,tn->tkn", along_mean, triples.shells[1])
    shells = shells + torch.einsum("tk,tn->tkn", along_cutoff, triples.shells[0])
    angular = torch.einsum("tkn,tz->tknz", shells, triples.angles[0])
    turned = torch.einsum("tk,tn->tkn", dc * f.unsqueeze(1), triples.shells[0])
    angular = angular + torch.einsum("tkn,tz->tknz", turned, triples.angles[1])
    return torch.cat([radial, _angular_sum(geometry.elements, len(vectors), triples, angular.flatten(2))], -1)


def adjoint_features(geometry: Geometry, gradient: Tensor) -> Tensor:
    """J^T g: pull derivatives with respect to features back to the atoms; minus the forces if g = dE/dG.

    Parameters
    ----------
    geometry
        The batch.
    gradient
        (A, F); differentiable.

    Returns
    -------
    Tensor
        (A, 3).
    """
    pairs, triples = geometry.pairs, geometry.triples
    radial, angular = split(geometry, gradient)
    p = (radial[pairs.center, pairs.element] * pairs.radial[1]).sum(1)
    forces = p.unsqueeze(1) * pairs.u  # on the neighbours
    s = contract(triples, angular, 1)
    p1, p2, pc = first_derivatives(triples, s)
    w1, w2 = cosine_gradients(pairs, triples)
    on_first = p1.unsqueeze(1) * pairs.u[triples.first] + pc.unsqueeze(1) * w1
    on_second = p2.unsqueeze(1) * pairs.u[triples.second] + pc.unsqueeze(1) * w2
    forces = forces.index_add(0, triples.first, on_first).index_add(0, triples.second, on_second)
    result = gradient.new_zeros(len(gradient), 3)
    return result.index_add(0, pairs.neighbor, forces).index_add(0, pairs.center, -forces)


def split(geometry: Geometry, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """View g as radial (A, elements, K) and angular (A x element pairs, N Z) parts."""
    length = geometry.elements * len(geometry.constants.radial_shifts)
    radial = gradient[:, :length].unflatten(1, (geometry.elements, -1))
    pairs = geometry.elements * (geometry.elements + 1) // 2
    return radial, gradient[:, length:].reshape(len(gradient) * pairs, -1)


def contract(triples: Triples, angular: Tensor, order: int) -> dict[tuple[int, int], Tensor]:
    """S_ab = sum_nz g_nz h_n^(a) A_z^(b) of each triple, a + b <= order."""
    weights = angular.index_select(0, triples.slot).unflatten(1, (triples.shells.shape[2], -1))
    result = {}
    for b in range(order + 1):
        turned = (weights * triples.angles[b].unsqueeze(1)).sum(2)
        for a in range(order + 1 - b):
            result[a, b] = (turned * triples.shells[a]).sum(1)
    return result


def first_derivatives(triples: Triples, s: dict[tuple[int, int], Tensor]) -> PairScalars:
    """Return dP/dr1, dP/dr2 and dP/dc of P = sum_nz g_nz h_n A_z f(r1) f(r2)."""
    (f1, g1, _), (f2, g2, _) = triples.cutoffs
    half = 0.5 * s[1, 0] * f1 * f2
    return PairScalars(half + s[0, 0] * g1 * f2, half + s[0, 0] * f1 * g2, s[0, 1] * f1 * f2)


def cosine_gradients(pairs: Pairs, triples: Triples) -> tuple[Tensor, Tensor]:
    """w1 = dc/dv1 = (u2 - c u1) / r1 and w2, each (T, 3)."""
    u1, u2 = pairs.u[triples.first], pairs.u[triples.second]
    c = triples.c.unsqueeze(1)
    return (
        (u2 - c * u1) / pairs.r[triples.first].unsqueeze(1),
        (u1 - c * u2) / pairs.r[triples.second].unsqueeze(1),
    )


def _find_pairs(constants: Constants, batch: Batch, element: Tensor) -> Pairs:
    device = batch.coordinates.device
    per_atom = batch.there(batch.counts)[batch.molecule]
    total = int((batch.counts**2).sum())  # counts are on the CPU: a GPU need not be waited for
    atoms = torch.arange(len(per_atom), device=device)
    center = torch.repeat_interleave(atoms, per_atom, output_size=total)
    first = torch.cumsum(per_atom, 0) - per_atom
    partner = torch.arange(total, device=device) - first[center]
    neighbor = batch.there(batch.offsets)[batch.molecule][center] + partner
    v = batch.coordinates[neighbor] - batch.coordinates[center]
    r = torch.linalg.vector_norm(v, dim=1)
    keep = ((r <= constants.radial_cutoff) & (center != neighbor)).nonzero().squeeze(1)
    center, neighbor, r = center[keep], neighbor[keep], r[keep]
    near = r <= constants.angular_cutoff
    return Pairs(
        center,
        neighbor,
        element[neighbor],
        r,
        v[keep] / r.unsqueeze(1),
        near,
        near.nonzero().squeeze(1),
        radial_terms(constants, r),
    )


def _find_triples(constants: Constants, elements: int, pairs: Pairs) -> Triples:
    near = pairs.near_pairs
    center = pairs.center[near]
    last = torch.searchsorted(center, center, right=True)  # first near pair of the next centre
    position = torch.arange(len(near), device=near.device)
    following = last - position - 1
    first = torch.repeat_interleave(position, following)
    start = torch.cumsum(following, 0) - following
    second = first + 1 + torch.arange(len(first), device=near.device) - start[first]
    first, second, center = near[first], near[second], center[first]
    c = (pairs.u[first] * pairs.u[second]).sum(1)
    r1, r2 = pairs.r[first], pairs.r[second]
    low = torch.minimum(pairs.element[first], pairs.element[second])
    high = torch.maximum(pairs.element[first], pairs.element[second])
    slot = center * (elements * (elements + 1) // 2) + element_pair(elements, low, high)
    f1 = torch.stack(cutoff_terms(constants.cutoff, constants.angular_cutoff, r1))
    f2 = torch.stack(cutoff_terms(constants.cutoff, constants.angular_cutoff, r2))
    return Triples(
        center,
        first,
        second,
        slot,
        c,
        torch.stack([f1, f2]),
        shell_terms(constants, r1, r2),
        angle_terms(constants, c),
    )


def element_pair(elements: int, low: Index, high: Index) -> Index:
    """Index of an unordered pair of elements, low <= high, in the order of torchani's features."""
    return low * elements - low * (low - 1) // 2 + high - low


def _angular_values(triples: Triples) -> Tensor:
    values = (triples.shells[0].unsqueeze(2) * triples.angles[0].unsqueeze(1)).flatten(1)
    return values * (triples.cutoffs[0, 0] * triples.cutoffs[1, 0]).unsqueeze(1)


def _radial_sum(elements: int, atoms: int, pairs: Pairs, values: Tensor) -> Tensor:
    """Sum (P, ..., K) over the neighbours of each element: (A, ..., elements x K)."""
    total = values.new_zeros(atoms * elements, *values.shape[1:])
    total.index_add_(0, pairs.center * elements + pairs.element, values)
    return total.unflatten(0, (atoms, elements)).movedim(1, -2).flatten(-2)


def _angular_sum(elements: int, atoms: int, triples: Triples, values: Tensor) -> Tensor:
    """Sum (T, ..., N Z) over the triples of each centre and element pair: (A, ..., element pairs x N Z)."""
    slots = elements * (elements + 1) // 2
    total = values.new_zeros(atoms * slots, *values.shape[1:])
    total.index_add_(0, triples.slot, values)
    return total.unflatten(0, (atoms, slots)).movedim(1, -2).flatten(-2)
