"""Potentials in ASE: eV and Angstrom, one or several of them, one molecule or many at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

from hessbench.errors import HessbenchError
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import as_array, given, predict_each, total_energies
from hessbench.potential.interface import Potential
from hessbench.units import EV

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Members:
    """What each of k potentials says about many structures, eV and Angstrom.

    Attributes
    ----------
    energies
        (k, M), energies of the free atoms included.
    forces
        (k, N, 3) of each structure; empty if only energies were asked for.
    hessians
        (k, 3 N, 3 N) of each structure; empty if not asked for.
    """

    energies: Floats
    forces: list[Floats]
    hessians: list[Floats]


def predict(
    potentials: Potential | Sequence[Potential], structures: Iterable[Atoms], derivatives: int = 1
) -> Members:
    """Energies, forces and Hessians of many structures in one evaluation (replicas of MD, images of a NEB).

    Parameters
    ----------
    potentials
        One potential or the members of an ensemble.
    structures
        Molecules of any composition the potentials know.
    derivatives
        0, 1 (forces too) or 2 (Hessians too).

    Raises
    ------
    HessbenchError
        A structure is periodic or holds an element the potentials do not know; or trained members are of one
        architecture but not of one shape.
    """
    members = _as_list(potentials)
    batch = Batch.from_atoms(structures, torch.float64)
    with torch.no_grad():
        predictions = predict_each(members, batch, _checked(derivatives))
    energies = np.stack(
        [
            as_array(total_energies(member, batch.to(member.device), prediction))
            for member, prediction in zip(members, predictions, strict=True)
        ]
    )
    forces, hessians = [], []
    if derivatives > 0:
        stacked = np.stack([as_array(given(item.forces, "forces")) for item in predictions])
        forces = np.split(stacked / EV, batch.offsets[1:-1].tolist(), 1)
    if derivatives > 1:
        stacked = np.stack([as_array(given(item.hessians, "Hessians")) for item in predictions])
        parts = np.split(stacked / EV, batch.hessian_offsets[1:-1].tolist(), 1)
        sizes = (3 * batch.counts).tolist()
        hessians = [part.reshape(-1, size, size) for part, size in zip(parts, sizes, strict=True)]
    return Members(energies / EV, forces, hessians)


class HessbenchCalculator(Calculator):
    """ASE calculator of a potential, or of an ensemble of them.

    An ensemble gives the means; the spread, the standard deviation over its members (divisor k - 1), is in
    `results` as "energy_spread", "forces_spread" and "hessian_spread".

    Parameters
    ----------
    potentials
        One potential or the members of an ensemble.
    """

    implemented_properties = ["energy", "free_energy", "forces", "hessian"]  # noqa: RUF012  (as in ASE)

    def __init__(self, potentials: Potential | Sequence[Potential], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.potentials = _as_list(potentials)
        if not self.potentials:
            raise HessbenchError("A calculator needs at least one model.")

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Called by ASE; forces come with every energy, since whoever asks for one mostly wants both."""
        super().calculate(atoms, properties, system_changes)
        order = 2 if "hessian" in properties else 1
        if self.atoms is None:
            raise HessbenchError("The calculator was asked for results without atoms.")
        members = predict(self.potentials, [self.atoms], order)
        values = {"energy": members.energies[:, 0], "forces": members.forces[0]}
        if order > 1:
            values["hessian"] = members.hessians[0]
        for name, value in values.items():
            self.results[name] = value.mean(0)
            if len(self.potentials) > 1:
                self.results[f"{name}_spread"] = value.std(0, ddof=1)
        self.results["energy"] = float(self.results["energy"])
        self.results["free_energy"] = self.results["energy"]

    def energies_and_forces(self, structures: Sequence[Atoms]) -> tuple[Floats, list[Floats]]:
        """Energies (M,), eV, and forces of each of many molecules, eV/Angstrom, in one evaluation."""
        members = predict(self.potentials, structures)
        return members.energies.mean(0), [forces.mean(0) for forces in members.forces]

    def get_hessian(self, atoms: Atoms | None = None) -> Floats:
        """Hessian (3 N, 3 N), eV/Angstrom^2."""
        hessian: Floats = self.get_property("hessian", atoms)
        return hessian


def _as_list(potentials: Potential | Sequence[Potential]) -> list[Potential]:
    return list(potentials) if isinstance(potentials, Sequence) else [potentials]


def _checked(derivatives: int) -> Any:
    if derivatives not in (0, 1, 2):
        raise HessbenchError(f"derivatives is {derivatives}, expected 0, 1 or 2.")
    return derivatives
