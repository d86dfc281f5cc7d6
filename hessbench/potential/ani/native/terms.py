"""Closed forms of the ANI symmetry functions, one pair or triple at a time (see potential/terms.py).

Scalars are float64 whatever the model's type; only the long inner loops of other modules are float32.
"""

import math

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel
from hessbench.potential.ani.terms import SLACK, SMALLEST_W


@inner_kernel
def cutoff_terms(smooth, rc, r):
    """Cutoff function and its first two derivatives at r <= rc."""
    if not smooth:
        k = math.pi / rc
        cosine = math.cos(k * r)
        return 0.5 * cosine + 0.5, -0.5 * k * math.sin(k * r), -0.5 * k * k * cosine
    w = 1.0 - (r / rc) ** 2
    if w <= SMALLEST_W:
        return 0.0, 0.0, 0.0
    value = math.exp(1.0 - 1.0 / w)
    e1 = -2.0 * r / (rc * rc * w * w)
    e2 = -2.0 / (rc * rc * w * w) - 8.0 * r * r / (rc**4 * w**3)
    return value, value * e1, value * (e2 + e1 * e1)


@inner_kernel
def powers_of(exponent, bases, results):
    """bases^exponent for bases >= 0, by squaring if the exponent is a whole number; overwrites the bases."""
    whole = int(exponent)
    if whole != exponent or whole < 0:
        for z in range(len(bases)):
            results[z] = bases[z] ** exponent
        return
    results[:] = 1.0
    while whole > 0:
        if whole & 1:
            for z in range(len(bases)):
                results[z] *= bases[z]
        for z in range(len(bases)):
            bases[z] *= bases[z]
        whole >>= 1


@inner_kernel
def shell_terms(eta, shifts, mean, shells):
    """h_n and two derivatives with respect to the mean distance, into shells (3, N)."""
    for n in range(len(shifts)):
        d = mean - shifts[n]
        h = math.exp(-eta * d * d)
        shells[0, n] = h
        shells[1, n] = -2.0 * eta * d * h
        shells[2, n] = (4.0 * eta * eta * d * d - 2.0 * eta) * h


@inner_kernel
def angle_terms(zeta, cosines, sines, c, scratch, angles):
    """A_z and two derivatives with respect to the cosine c, into angles (3, Z); scratch is (3, Z)."""
    s = math.sqrt(1.0 - SLACK * SLACK * c * c)
    first, second = SLACK * SLACK * c / s, SLACK * SLACK / (s * s * s)
    for z in range(len(cosines)):
        p = max(0.5 + 0.5 * (SLACK * c * cosines[z] + s * sines[z]), 0.0)
        scratch[0, z] = p
        scratch[1, z] = p
    powers_of(zeta - 2.0, scratch[1], scratch[2])
    for z in range(len(cosines)):
        p, power2 = scratch[0, z], scratch[2, z]
        power1 = power2 * p
        y1 = SLACK * cosines[z] - first * sines[z]
        angles[0, z] = 2.0 * power1 * p
        angles[1, z] = zeta * power1 * y1
        angles[2, z] = zeta * (0.5 * (zeta - 1.0) * power2 * y1 * y1 - power1 * second * sines[z])


@inner_kernel
def cosine_gradients(u, r, p, q, c, w):
    """w1 = (u2 - c u1) / r1 and w2 of pairs p and q, into w (2, 3)."""
    for x in range(3):
        w[0, x] = (u[q, x] - c * u[p, x]) / r[p]
        w[1, x] = (u[p, x] - c * u[q, x]) / r[q]


@inner_kernel
def dot(a, b):
    """Scalar product of two 3-vectors."""
    return np.float64(a[0]) * b[0] + np.float64(a[1]) * b[1] + np.float64(a[2]) * b[2]


@inner_kernel
def dot_n(a, b):
    """Scalar product, summed in float64."""
    total = 0.0
    for n in range(len(b)):
        total += np.float64(a[n]) * b[n]
    return total
