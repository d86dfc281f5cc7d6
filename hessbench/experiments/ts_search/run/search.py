"""One search for a transition state, from a displaced one.

Sella (Hermes, Sargsyan, Najm, Zador, J. Chem. Theory Comput. 18, 6974 (2022)), in Cartesian coordinates. With
"exact" it is given the potential's Hessian at every point; with "none" it finds the lowest mode by
differences of gradients, and updates its Hessian.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import all_changes

from hessbench.calculators.ase_calculator import HessbenchCalculator
from hessbench.chemistry.normal_modes import atomic_masses, normal_modes, translations_rotations
from hessbench.comparison.kept import Content, Keeping
from hessbench.comparison.potentials import NamedPotential
from hessbench.errors import PotentialError
from hessbench.experiments.ts_search.run.settings import TsSearchConfig
from hessbench.experiments.ts_search.run.tables import STAGE
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array, hessians
from hessbench.potential.interface import Potential
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.superposition import rmsd
from hessbench.system.processes import Report, Workers
from hessbench.system.sources import code_digest
from hessbench.units import EV

Use = Literal["exact", "none"]
USES: tuple[Use, ...] = ("exact", "none")


NOT_OF_A_SEARCH = {"reactions", "geometries", "level", "losses", "percent", "processes"}
"""Settings that say what is searched; a finished search is the same whichever others there are."""


@dataclass(frozen=True)
class SearchTask:
    """One search: a reaction, by its number, with one potential and one use of its Hessian."""

    reaction: int
    potential: NamedPotential
    hessian: Use


@dataclass(frozen=True)
class Searches:
    """What all searches share: the reactions and the settings."""

    reactions: Sequence[ReactionGeometries]
    config: TsSearchConfig


def keeping_searches(processes: int | Workers, folder: Path, shared: Searches) -> Keeping:
    """Workers of `run_search` that keep each search in a folder at once.

    A search that failed is not kept: it is tried again when the command goes on.
    """
    settings = shared.config.model_dump_json(exclude=NOT_OF_A_SEARCH)

    def made_from(task: SearchTask) -> object:
        loss, seed, _, digest = task.potential
        reaction = shared.reactions[task.reaction]
        saddle = reaction.coordinates["TS"]
        return settings, loss, seed, digest, task.hessian, reaction.name, reaction.numbers, saddle

    return Keeping(processes, folder, "searches", code_digest(STAGE.package), made_from, _packed, dict)


def _packed(row: Content) -> Content | None:
    return None if row["status"] == "failed" else row


def run_search(task: SearchTask, shared: Searches, report: Report) -> dict[str, Any]:
    """Search from the displaced transition state; runs in a process of its own.

    Returns
    -------
    dict
        A row of `hessbench.experiments.ts_search.run.tables.SEARCHES`.
    """
    reaction, config = shared.reactions[task.reaction], shared.config
    saddle = reaction.coordinates["TS"]
    start = displaced(saddle, config.displacement_a, f"{config.seed} {reaction.name}")
    loss, seed, load, _ = task.potential
    row = find_saddle(reaction.numbers, start, saddle, load(), task.hessian, config)
    report(1)
    return {"reaction": reaction.name, "loss": loss, "seed": seed, "hessian": task.hessian} | row


def displaced(coordinates: Array, length: float, key: str) -> Array:
    """Displace a molecule at random, without moving or turning it as a whole.

    Parameters
    ----------
    coordinates
        (N, 3), Angstrom.
    length
        Root mean square displacement of the atoms, Angstrom.
    key
        Equal keys give equal displacements.
    """
    generator = np.random.default_rng(list(hashlib.sha256(key.encode()).digest()))
    shift = generator.standard_normal(coordinates.size)
    rigid = translations_rotations(coordinates, np.ones(len(coordinates)))
    shift -= rigid @ (rigid.T @ shift)
    shift *= length * np.sqrt(len(coordinates)) / np.linalg.norm(shift)
    return coordinates + shift.reshape(-1, 3)


def find_saddle(
    numbers: np.ndarray, start: Array, saddle: Array, potential: Potential, use: Use, config: TsSearchConfig
) -> dict[str, Any]:
    """Search a transition state of a potential and compare it with that of the reference.

    It is "found" if the search converged, the potential's Hessian has exactly one imaginary mode there
    (translations and rotations projected out, no threshold), and it is within `config.same_a` of the
    reference.

    Parameters
    ----------
    numbers
        (N,) atomic numbers.
    start, saddle
        (N, 3), Angstrom: where the search begins, and the transition state of the reference.
    potential, use, config
        Whose transition state is searched, how its Hessian is used, and the criteria.

    Returns
    -------
    dict
        What the search adds to a row of the results.
    """
    os.environ.setdefault("JAX_PLATFORMS", "cpu")  # before Sella loads jax
    from sella import Sella  # takes seconds: only where it is used

    calculator = _Counting(potential)
    atoms = Atoms(numbers, start, calculator=calculator)
    exact = use == "exact"
    begin = time.process_time()
    row: dict[str, Any] = {"reason": "", "imaginary": None, "rmsd": None}
    steps = 0
    try:
        search = Sella(
            atoms,
            order=1,
            internal=False,
            logfile=os.devnull,
            hessian_function=calculator.hessian if exact else None,
            diag_every_n=-1 if exact else None,  # -1: at every point
        )
        for _ in search.irun(fmax=config.fmax_ev_a, steps=config.steps):
            steps = search.nsteps
        converged = bool(search.converged())
        row["rmsd"] = rmsd(atoms.positions, saddle)
        if not converged:
            row["status"] = "not converged"
    except (PotentialError, RuntimeError, ValueError, np.linalg.LinAlgError) as error:
        row |= {"status": "failed", "reason": " ".join(str(error).split()) or type(error).__name__}
    row |= {
        "steps": steps,
        "gradient_calls": calculator.gradient_calls,
        "hessian_calls": calculator.hessian_calls,
        "cpu_s": time.process_time() - begin,
    }
    if "status" in row:
        return row | {"reason": row["reason"] or f"largest force above {config.fmax_ev_a:g} eV/Angstrom"}
    try:
        own = calculator.hessian(atoms) * EV
    except PotentialError as error:
        return row | {"status": "failed", "reason": str(error)}
    imaginary = normal_modes(atoms.positions, atomic_masses(numbers), own).imaginary
    same = imaginary == 1 and row["rmsd"] <= config.same_a
    return row | {"imaginary": imaginary, "status": "found" if same else "elsewhere"}


class _Counting(HessbenchCalculator):
    """A potential as an ASE calculator that counts what it is asked for."""

    def __init__(self, potential: Potential) -> None:
        super().__init__(potential)
        self.gradient_calls = self.hessian_calls = 0

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Called by ASE; energies come with forces."""
        self.gradient_calls += 1
        super().calculate(atoms, properties, system_changes)

    def hessian(self, atoms: Atoms) -> Array:
        """Hessian (3 N, 3 N), eV/Angstrom^2."""
        self.hessian_calls += 1
        (found,) = hessians(self.potentials[0], Batch.from_atoms([atoms]))
        return found / EV
