"""Second derivatives of the descriptors contracted with g: the part g . K of the Hessian.

Every pair and every triple contributes 3 x 3 blocks in the coordinates of the neighbours relative to
the centre, closed forms of a few scalars that are linear in g (docs/derivatives.md).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from hessbench.potential.ani.geometry import (
    Geometry,
    Triples,
    contract,
    cosine_gradients,
    first_derivatives,
    split,
)


class Blocks(NamedTuple):
    """g . K in relative coordinates: (P, 3, 3) of pairs; (T, 3, 3) of triples, between 1-1, 1-2 and 2-2."""

    pairs: Tensor
    first: Tensor
    mixed: Tensor
    second: Tensor


def curvature_blocks(geometry: Geometry, gradient: Tensor) -> Blocks:
    """Contract g (A, F) with the second derivatives of the features; linear in g and differentiable."""
    pairs, triples = geometry.pairs, geometry.triples
    radial, angular = split(geometry, gradient)
    g = radial[pairs.center, pairs.element]
    slope = _matrix((g * pairs.radial[1]).sum(1) / pairs.r)
    bend = _matrix((g * pairs.radial[2]).sum(1))
    eye = torch.eye(3, dtype=gradient.dtype, device=gradient.device)
    of_pairs = (bend - slope) * _outer(pairs.u, pairs.u) + slope * eye

    s = contract(triples, angular, 2)
    p1, p2, pc = (_vector(item) for item in first_derivatives(triples, s))
    p11, p22, p12, p1c, p2c, pcc = (_vector(item) for item in _second_derivatives(triples, s))
    r1, r2, c = _vector(pairs.r[triples.first]), _vector(pairs.r[triples.second]), _vector(triples.c)
    u1, u2 = pairs.u[triples.first], pairs.u[triples.second]
    w1, w2 = cosine_gradients(pairs, triples)

    def same(pii: Tensor, pi: Tensor, pic: Tensor, r: Tensor, u: Tensor, w: Tensor) -> Tensor:
        # Hii = Pii u u' + (Pic - Pc/r) (u w' + w u') + Pcc w w' + (Pi/r - c Pc/r^2) (I - u u')
        a, b = pic - pc / r, (pi - c * pc / r) / r
        return _outer(u, (pii - b) * u + a * w) + _outer(w, a * u + pcc * w) + b.unsqueeze(2) * eye

    # H12 = P12 u1 u2' + P1c u1 w2' + P2c w1 u2' + Pcc w1 w2' + m (I - u1 u1' - u2 u2' + c u1 u2')
    m = pc / (r1 * r2)
    mixed = _outer(u1, (p12 + c * m) * u2 + p1c * w2 - m * u1) + _outer(w1, p2c * u2 + pcc * w2)
    mixed = mixed - _outer(u2, m * u2) + m.unsqueeze(2) * eye
    return Blocks(of_pairs, same(p11, p1, p1c, r1, u1, w1), mixed, same(p22, p2, p2c, r2, u2, w2))


def _second_derivatives(triples: Triples, s: dict[tuple[int, int], Tensor]) -> tuple[Tensor, ...]:
    """P11, P22, P12, P1c, P2c, Pcc of P = sum_nz g_nz h_n((r1 + r2) / 2) A_z(c) f(r1) f(r2)."""
    (f1, g1, k1), (f2, g2, k2) = triples.cutoffs
    f, left, right = f1 * f2, g1 * f2, f1 * g2
    quarter = 0.25 * s[2, 0] * f
    return (
        quarter + s[1, 0] * left + s[0, 0] * k1 * f2,
        quarter + s[1, 0] * right + s[0, 0] * f1 * k2,
        quarter + 0.5 * s[1, 0] * (left + right) + s[0, 0] * g1 * g2,
        0.5 * s[1, 1] * f + s[0, 1] * left,
        0.5 * s[1, 1] * f + s[0, 1] * right,
        s[0, 2] * f,
    )


def _outer(left: Tensor, right: Tensor) -> Tensor:
    return left.unsqueeze(2) * right.unsqueeze(1)


def _vector(scalar: Tensor) -> Tensor:
    return scalar.view(-1, 1)


def _matrix(scalar: Tensor) -> Tensor:
    return scalar.view(-1, 1, 1)
