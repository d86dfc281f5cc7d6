"""Symmetry functions of every pair and triple and their derivatives: the closed forms of `terms` in one pass.

`terms` says what they are and is what these are tested against; here an atom's neighbours are looked at once,
and nothing is kept that only the next line needs.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hessbench.potential.ani.native.compiler import inner_kernel, kernel
from hessbench.potential.ani.native.layout import Floats
from hessbench.potential.ani.terms import SLACK, SMALLEST_W, Constants


class Functions(NamedTuple):
    """Constants of the symmetry functions, lengths in Angstrom; arrays have the type of the tables."""

    smooth: bool  # the cutoff function
    radial_cutoff: float
    angular_cutoff: float
    radial_eta: float
    radial_shifts: Floats  # (K,)
    angular_eta: float
    angular_shifts: Floats  # (N,)
    zeta: float
    power: int  # zeta - 2 where that is a whole number, else -1
    cosines: Floats  # (Z,) SLACK cos(theta_z)
    sines: Floats  # (Z,)
    lowest: float  # exponent below which a Gaussian is zero, as it would be denormal


@lru_cache(8)
def functions_of(constants: Constants, dtype: np.dtype) -> Functions:
    """Convert what depends on neither coordinates nor elements."""
    sections, power = np.array(constants.angular_sections), constants.zeta - 2
    return Functions(
        constants.cutoff == "smooth", constants.radial_cutoff, constants.angular_cutoff,
        constants.radial_eta, np.array(constants.radial_shifts, dtype),
        constants.angular_eta, np.array(constants.angular_shifts, dtype),
        constants.zeta, int(power) if power >= 0 and power.is_integer() else -1,
        (SLACK * np.cos(sections)).astype(dtype), np.sin(sections).astype(dtype),
        math.log(np.finfo(dtype).tiny),
    )  # fmt: skip


@kernel
def fill_functions(first, last, layout, neighbors, tables, functions, order):
    """Fill all of `Tables` up to `angles` for the atoms of chunks first to last - 1."""
    for e in range(layout.chunk_slots.shape[1]):
        for slot in range(layout.chunk_slots[first, e, 0], layout.chunk_slots[last - 1, e, 1]):
            start, stop = neighbors.pair_start[slot], neighbors.pair_start[slot + 1]
            near, triple = start + neighbors.near[slot], neighbors.triple_start[slot]
            _fill_pairs(start, near, stop, neighbors.vectors, functions, tables, order)
            for p in range(start, near):
                for q in range(p + 1, near):
                    pair = layout.pair_of[neighbors.pair_element[p], neighbors.pair_element[q]]
                    tables.triples[triple, 0], tables.triples[triple, 1] = p, q
                    tables.triples[triple, 2] = len(layout.pair_of) * layout.radial + pair * layout.angular
                    triple += 1
            _fill_shells(neighbors.triple_start[slot], triple, functions, tables, order)
            _fill_angles(neighbors.triple_start[slot], triple, functions, tables, order)


@inner_kernel
def _fill_pairs(first, near_end, last, vectors, functions, tables, order):
    """Fill distance, direction, cutoffs and radial functions of an atom's pairs."""
    real, shifts, radial = tables.r.dtype.type, functions.radial_shifts, tables.radial
    smooth, rc, angular_rc = functions.smooth, real(functions.radial_cutoff), real(functions.angular_cutoff)
    eta, lowest, quarter = real(functions.radial_eta), real(functions.lowest), real(0.25)
    two, places = real(2), np.uint64(len(shifts))
    for p in range(first, last):
        x, y, z = vectors[p, 0], vectors[p, 1], vectors[p, 2]
        length = math.sqrt(x * x + y * y + z * z)
        tables.r[p] = r = real(length)
        tables.u[p, 0], tables.u[p, 1], tables.u[p, 2] = x / length, y / length, z / length
        if p < near_end:
            f0, f1, f2 = _cutoff(smooth, angular_rc, r)
            tables.cutoffs[0, p], tables.cutoffs[1, p], tables.cutoffs[2, p] = f0, f1, f2
        for n in range(places):
            d = r - shifts[n]
            radial[0, p, n] = quarter * _gaussian(-eta * d * d, lowest)
        f0, f1, f2 = _cutoff(smooth, rc, r)
        for n in range(places):  # by itself, as the exponential does not vectorize
            d, h0 = r - shifts[n], radial[0, p, n]
            slope = -two * eta * d
            radial[0, p, n] = h0 * f0
            if order > 0:
                radial[1, p, n] = h0 * (slope * f0 + f1)
            if order > 1:
                bend = slope * slope - two * eta
                radial[2, p, n] = h0 * (bend * f0 + two * slope * f1 + f2)


@inner_kernel
def _gaussian(exponent, lowest):
    """Exponential; zero where it would be denormal, which most are and where it takes three times as long."""
    value = math.exp(max(exponent, lowest))
    return value if exponent > lowest else value - value


@inner_kernel
def _cutoff(smooth, rc, r):
    """Cutoff function and its first two derivatives at a distance r <= rc."""
    real = type(r)
    half, one, two = real(0.5), real(1), real(2)
    if not smooth:
        k = real(math.pi) / rc
        cosine, sine = math.cos(k * r), math.sin(k * r)
        return half * cosine + half, -half * k * sine, -half * k * k * cosine
    w = one - (r / rc) * (r / rc)
    if w <= SMALLEST_W:
        return real(0), real(0), real(0)
    value, scale = math.exp(one - one / w), one / (rc * rc * w * w)
    e1 = -two * r * scale
    e2 = -two * scale - real(8) * r * r * scale / (rc * rc * w)
    return value, value * e1, value * (e2 + e1 * e1)


@inner_kernel
def _fill_shells(first, last, functions, tables, order):
    """Fill cosines of an atom's triples, their derivatives in the neighbours' coordinates, and shells."""
    real, shifts, shells, u = tables.r.dtype.type, functions.angular_shifts, tables.shells, tables.u
    eta, lowest, half, two = real(functions.angular_eta), real(functions.lowest), real(0.5), real(2)
    places = np.uint64(len(shifts))
    for t in range(first, last):
        p, q = tables.triples[t, 0], tables.triples[t, 1]
        r1, r2 = tables.r[p], tables.r[q]
        c = u[p, 0] * u[q, 0] + u[p, 1] * u[q, 1] + u[p, 2] * u[q, 2]
        mean = half * (r1 + r2)
        tables.c[t] = c
        if order > 0:
            for x in range(3):
                tables.turning[t, 0, x] = (u[q, x] - c * u[p, x]) / r1
                tables.turning[t, 1, x] = (u[p, x] - c * u[q, x]) / r2
        for n in range(places):
            d = mean - shifts[n]
            h0 = _gaussian(-eta * d * d, lowest)
            slope = -two * eta * d
            shells[0, t, n] = h0
            if order > 0:
                shells[1, t, n] = slope * h0
            if order > 1:
                shells[2, t, n] = (slope * slope - two * eta) * h0


@inner_kernel
def _fill_angles(first, last, functions, tables, order):
    """Fill the functions of the angles of an atom's triples and their derivatives in the cosines."""
    real, angles, cosines, sines = tables.r.dtype.type, tables.angles, functions.cosines, functions.sines
    places, zeta, slack = np.uint64(len(cosines)), real(functions.zeta), real(SLACK)
    half, zero, one, two = real(0.5), real(0), real(1), real(2)
    bases = np.empty(((last - first), len(cosines)), angles.dtype)
    for t in range(first, last):
        c, base = tables.c[t], bases[t - first]
        s = real(math.sqrt(one - slack * slack * c * c))
        for z in range(places):
            base[z] = max(half + half * (c * cosines[z] + s * sines[z]), zero)  # rounding may leave -1e-8
    powers = _power(bases.reshape(bases.size), functions.power, real(functions.zeta - 2.0))
    powers = powers.reshape(bases.shape)
    for t in range(first, last):
        c, base, power = tables.c[t], bases[t - first], powers[t - first]
        s = real(math.sqrt(one - slack * slack * c * c))
        along, across = -slack * slack * c / s, -slack * slack / (s * s * s)
        for z in range(places):
            angles[0, t, z] = two * power[z] * base[z] * base[z]
        if order > 0:
            for z in range(places):
                angles[1, t, z] = zeta * power[z] * base[z] * (cosines[z] + along * sines[z])
        if order > 1:
            for z in range(places):
                y1 = cosines[z] + along * sines[z]
                bend = half * (zeta - one) * y1 * y1 + base[z] * across * sines[z]
                angles[2, t, z] = zeta * power[z] * bend


@inner_kernel
def _power(bases, whole, exponent):
    """Bases to a power, by squaring if it is a whole number, `whole` >= 0: that vectorizes."""
    result = np.ones_like(bases)
    count = np.uint64(len(bases))
    if whole < 0:
        for n in range(count):
            result[n] = bases[n] ** exponent
        return result
    squares = bases.copy()
    while whole > 0:
        if whole % 2 == 1:
            for n in range(count):
                result[n] *= squares[n]
        whole //= 2
        if whole > 0:
            for n in range(count):
                squares[n] *= squares[n]
    return result
