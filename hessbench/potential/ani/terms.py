"""Closed forms of the ANI symmetry functions and their derivatives (docs/derivatives.md, "Descriptors").

Constants are rounded to float32 as in the buffers of torchani's modules, so that both see the same numbers.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from hessbench.potential.ani.architecture import Cutoff, SymmetryFunctions

SMALLEST_W = 0.0115
"""Below this 1 - (r / rc)^2 the smooth cutoff, under 5e-38, is zero: its derivatives overflow float32."""

SLACK = 0.95
"""Factor torchani applies to the cosine before acos, which keeps collinear triples regular."""


@dataclass(frozen=True)
class Constants:
    """Parameters of the symmetry functions as torchani's buffers hold them (rounded to float32)."""

    cutoff: Cutoff
    radial_cutoff: float
    angular_cutoff: float
    radial_eta: float
    radial_shifts: tuple[float, ...]
    angular_eta: float
    zeta: float
    angular_shifts: tuple[float, ...]
    angular_sections: tuple[float, ...]


@cache
def constants_of(functions: SymmetryFunctions) -> Constants:
    """Round the parameters to float32, as torchani's buffers do."""

    def rounded(*values: float) -> tuple[float, ...]:
        return tuple(torch.tensor(values, dtype=torch.float32).tolist())

    return Constants(
        cutoff=functions.cutoff,
        radial_cutoff=functions.radial_cutoff,
        angular_cutoff=functions.angular_cutoff,
        radial_eta=rounded(functions.radial_eta)[0],
        radial_shifts=rounded(*functions.radial_shifts),
        angular_eta=rounded(functions.angular_eta)[0],
        zeta=rounded(functions.zeta)[0],
        angular_shifts=rounded(*functions.angular_shifts),
        angular_sections=rounded(*functions.angular_sections),
    )


@cache
def _values(values: tuple[float, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Make a tensor of constants once: copying to a GPU waits for it."""
    return torch.tensor(values, dtype=dtype, device=device)


def cutoff_terms(kind: Cutoff, rc: float, r: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cutoff function and its first two derivatives at distances r <= rc."""
    if kind == "cosine":
        k = math.pi / rc
        cosine = torch.cos(k * r)
        return 0.5 * cosine + 0.5, -0.5 * k * torch.sin(k * r), -0.5 * k * k * cosine
    w = (1 - (r / rc) ** 2).clamp(min=SMALLEST_W)
    value = torch.where(w > SMALLEST_W, torch.exp(1 - 1 / w), 0.0)
    e1 = -2 * r / (rc**2 * w**2)
    e2 = -2 / (rc**2 * w**2) - 8 * r**2 / (rc**4 * w**3)
    return value, value * e1, value * (e2 + e1 * e1)


def radial_terms(constants: Constants, r: Tensor, order: int = 2) -> list[Tensor]:
    """Radial features R_k(r) and their derivatives up to `order` (at most 2), each (pairs, shifts)."""
    f0, f1, f2 = (item.unsqueeze(1) for item in cutoff_terms(constants.cutoff, constants.radial_cutoff, r))
    eta = constants.radial_eta
    d = r.unsqueeze(1) - _values(constants.radial_shifts, r.dtype, r.device)
    h0 = 0.25 * torch.exp(-eta * d * d)
    terms = [h0 * f0]
    if order > 0:
        h1 = -2 * eta * d * h0
        terms.append(h1 * f0 + h0 * f1)
    if order > 1:
        h2 = (4 * eta * eta * d * d - 2 * eta) * h0
        terms.append(h2 * f0 + 2 * h1 * f1 + h0 * f2)
    return terms


def shell_terms(constants: Constants, r1: Tensor, r2: Tensor, order: int = 2) -> Tensor:
    """h_n and its derivatives up to `order` by the mean distance, (order + 1, triples, shifts)."""
    eta = constants.angular_eta
    d = (0.5 * (r1 + r2)).unsqueeze(1) - _values(constants.angular_shifts, r1.dtype, r1.device)
    terms = [torch.exp(-eta * d * d)]
    if order > 0:
        terms.append(-2 * eta * d * terms[0])
    if order > 1:
        terms.append((4 * eta * eta * d * d - 2 * eta) * terms[0])
    return torch.stack(terms)


def angle_terms(constants: Constants, c: Tensor, order: int = 2) -> Tensor:
    """A_z and its derivatives up to `order` with respect to the cosine c, (order + 1, triples, sections).

    A = 2 ((1 + cos(theta - theta_z)) / 2)^zeta with theta = acos(0.95 c); no acos is taken.
    """
    zeta = constants.zeta
    sections = _values(constants.angular_sections, torch.float64, c.device)
    cosines, sines = torch.cos(sections).to(c.dtype), torch.sin(sections).to(c.dtype)
    c = c.unsqueeze(1)
    s = torch.sqrt(1 - SLACK**2 * c * c)
    y0 = SLACK * c * cosines + s * sines
    p = (0.5 + 0.5 * y0).clamp(min=0)  # rounding may leave -1e-8
    power2 = p ** (zeta - 2)
    power1 = power2 * p
    terms = [2 * power1 * p]
    if order > 0:
        y1 = SLACK * cosines - (SLACK**2 * c / s) * sines
        terms.append(zeta * power1 * y1)
    if order > 1:
        y2 = -(SLACK**2) / s**3 * sines
        terms.append(zeta * (0.5 * (zeta - 1) * power2 * y1 * y1 + power1 * y2))
    return torch.stack(terms)
