"""Minima of many molecules at once: ASE's L-BFGS of each, in step, one call of the potential an iteration."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.optimize import LBFGS

from hessbench.chemistry.evaluated import hold
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array, energies_and_forces
from hessbench.potential.interface import Potential
from hessbench.units import EV

INITIAL_CURVATURE = 40.0
"""L-BFGS starts from this curvature, eV/Angstrom^2, which suits molecules better than ASE's 70."""


@dataclass(frozen=True)
class Relaxed:
    """Where an optimization of one molecule ended.

    Attributes
    ----------
    positions
        (N, 3), Angstrom.
    reason
        Why it failed; empty if it converged.
    """

    positions: Array
    reason: str


def relax(molecules: Sequence[Atoms], potential: Potential, fmax_ev: float, steps: int) -> list[Relaxed]:
    """Minimise the energy of each molecule.

    Parameters
    ----------
    molecules
        Where to start.
    potential
        Whose energy is minimized.
    fmax_ev
        Largest force on an atom, eV/Angstrom.
    steps
        At most.
    """
    atoms = [Atoms(item.numbers, item.positions) for item in molecules]
    optimizers = [LBFGS(item, logfile=os.devnull, alpha=INITIAL_CURVATURE) for item in atoms]
    reasons = ["not converged"] * len(atoms)
    running = list(range(len(atoms)))
    for step in range(steps + 1):
        batch = Batch.from_atoms(atoms[index] for index in running)
        energies, flat = energies_and_forces(potential, batch)
        pieces = np.split(flat / EV, batch.offsets[1:-1].tolist())
        still = []
        for index, energy, force in zip(running, energies / EV, pieces, strict=True):
            largest = float(np.linalg.norm(force, axis=1).max())
            if not np.isfinite(largest):
                reasons[index] = f"forces not finite after {step} steps"
            elif largest < fmax_ev:
                reasons[index] = ""
            elif step == steps:
                reasons[index] = f"largest force {largest:.3g} eV/Angstrom after {steps} steps"
            else:
                hold(atoms[index], energy, force)
                optimizers[index].step()
                still.append(index)
        running = still
        if not running:
            break
    return [Relaxed(item.positions.copy(), reason) for item, reason in zip(atoms, reasons, strict=True)]
