"""Whether a calculator's forces and Hessians are derivatives of its energies and forces, before it is used.

A Hessian in another unit, scale, sign or order of coordinates would be scored as if it were meant. Unlike
`hessbench.potential.validate`, which an adapter should pass, this asks little enough of a calculator that one
in single precision, or with the noise of a grid, passes.
"""

from collections.abc import Sequence

import numpy as np
import torch

from hessbench.calculators.calculator_potential import CalculatorPotential
from hessbench.calculators.separate import SeparatePotential
from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array
from hessbench.potential.validation_remedies import QUANTITIES, explain

STEP = 0.01
"""Displacement of central differences, Angstrom."""
RATTLE = 0.05
"""Displacement of a molecule out of its minimum, where forces vanish, Angstrom."""
TOLERANCE = 0.15
"""Part of the largest element by which a derivative may differ; the nearest two units differ by 0.47."""
SINGLE = 1e-6
"""Relative noise of energies in single precision, with some to spare."""
FORCE_NOISE = 0.5
"""Noise of forces, kcal/mol/Angstrom."""
TRIES = 10
"""Molecules on which it may fail."""

Checked = CalculatorPotential | SeparatePotential


def check_calculator(potential: Checked, molecules: Sequence[Batch]) -> str:
    """Compare forces and Hessian of one molecule with differences of energies and forces.

    Parameters
    ----------
    potential
        The calculator.
    molecules
        Of one molecule each; the first one for which the calculator works is taken.

    Returns
    -------
    str
        Why its derivatives could not be compared, although it works for some molecule; empty if they were.

    Raises
    ------
    HessbenchError
        It fails for all of the first molecules, or a derivative is not one.
    """
    failures, doubts = [], []
    for index, molecule in enumerate(molecules[:TRIES]):
        rattled = _rattled(molecule, index)
        try:
            _, forces = potential.energies_and_forces(rattled)
            hessian = potential.hessians(rattled)[0] if potential.has_own_hessian else None
        except PotentialError as error:
            failures.append(str(error))
            continue
        try:
            _check(potential, rattled, forces, hessian)
        except PotentialError as error:
            doubts.append(str(error))
        else:
            return ""
    if doubts:
        return doubts[0]
    if failures:
        tried = f"so for all of {len(failures)} molecules tried before the run"
        raise HessbenchError(f"{failures[0].rstrip('.')}; {tried}.")
    return ""


def _check(potential: Checked, molecule: Batch, forces: Array, hessian: Array | None) -> None:
    size = molecule.coordinates.numel()
    shifts = STEP * torch.cat([torch.eye(size), -torch.eye(size)]).double()
    displaced = (molecule.coordinates.double().reshape(1, -1) + shifts).reshape(-1, 3)
    states = None if molecule.states is None else molecule.states.repeat(2 * size, 1)
    counts = torch.full((2 * size,), size // 3)
    energies, near = potential.energies_and_forces(
        Batch(molecule.numbers.repeat(2 * size), displaced, counts, states)
    )
    slopes = (energies[size:] - energies[:size]).reshape(forces.shape) / (2 * STEP)
    noise = SINGLE * float(np.abs(energies).max()) / STEP
    _compare(molecule, forces, slopes, 1, noise)
    if hessian is not None:
        plus, minus = near.reshape(2, size, size)
        curvatures = (minus - plus) / (2 * STEP)
        _compare(molecule, hessian, (curvatures + curvatures.T) / 2, 2, FORCE_NOISE / STEP)


def _compare(molecule: Batch, found: Array, expected: Array, order: int, noise: float) -> None:
    """Compare a derivative with differences, where these are more than noise."""
    largest = float(np.abs(expected).max())
    tolerance = TOLERANCE * largest + noise
    difference = float(np.abs(found - expected).max())
    if difference <= tolerance or largest <= 2 * noise:
        return
    of, source = QUANTITIES[order], QUANTITIES[order - 1]
    formula = molecule.formula(0)
    place = np.unravel_index(int(np.abs(found - expected).argmax()), found.shape)
    unit = f"kcal/mol/Angstrom{'^2' if order == 2 else ''}"
    raise HessbenchError(
        f"The calculator's {of} are not the derivatives of its {source}: for {formula} an element is "
        f"{found[place]:.4g}, by differences {expected[place]:.4g} {unit}; "
        f"{explain(found, expected, tolerance, order)}."
    )


def _rattled(molecule: Batch, seed: int) -> Batch:
    random = torch.Generator().manual_seed(seed)
    shift = RATTLE * torch.randn(molecule.coordinates.shape, generator=random, dtype=torch.float64)
    return Batch(molecule.numbers, molecule.coordinates.double() + shift, molecule.counts, molecule.states)


def smallest_molecules(batch: Batch, number: int = TRIES) -> list[Batch]:
    """Smallest molecules of a batch, each of another composition."""
    found: dict[str, Batch] = {}
    for index in torch.argsort(batch.counts, stable=True).tolist():
        found.setdefault(batch.formula(index), batch.slice(index, index + 1))
        if len(found) == number:
            break
    return list(found.values())
