"""Potentials in ASE: eV and Angstrom, one model or an ensemble, one molecule or many at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from numpy.typing import NDArray

from hessbench.errors import HessbenchError
from hessbench.potential.ani.evaluation import evaluate_ensemble
from hessbench.potential.ani.model import ANI
from hessbench.potential.batch import Batch
from hessbench.units import EV

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Members:
    """What each of k models says about many structures, eV and Angstrom.

    Attributes
    ----------
    energies
        (k, M), self-energies included.
    forces
        (k, N, 3) of each structure; empty if only energies were asked for.
    hessians
        (k, 3 N, 3 N) of each structure; empty if not asked for.
    """

    energies: Floats
    forces: list[Floats]
    hessians: list[Floats]


def predict(models: ANI | Sequence[ANI], structures: Iterable[Atoms], derivatives: int = 1) -> Members:
    """Energies, forces and Hessians of many structures in one evaluation (replicas of MD, images of a NEB).

    Parameters
    ----------
    models
        One model or the members of an ensemble, of one architecture.
    structures
        Molecules of any composition the models know.
    derivatives
        0, 1 (forces too) or 2 (Hessians too).

    Raises
    ------
    HessbenchError
        A structure is periodic or holds an element the models do not know.
    """
    members = [models] if isinstance(models, ANI) else list(models)
    batch = Batch.from_atoms(structures, members[0].dtype).to(members[0].feature_scale.device)
    with torch.no_grad():
        predictions = evaluate_ensemble(members, batch, _checked(derivatives))
        energies = torch.stack(
            [
                item.energies.double() + model.self_energy(batch)
                for item, model in zip(predictions, members, strict=True)
            ]
        )
    atoms = batch.counts.tolist()
    forces, hessians = [], []
    if derivatives > 0:
        stacked = torch.stack([item.forces for item in predictions if item.forces is not None])
        forces = [_in_ev(part) for part in stacked.split(atoms, 1)]
    if derivatives > 1:
        stacked = torch.stack([item.hessians for item in predictions if item.hessians is not None])
        parts = stacked.split([9 * count**2 for count in atoms], 1)
        hessians = [
            _in_ev(part).reshape(-1, 3 * count, 3 * count) for part, count in zip(parts, atoms, strict=True)
        ]
    return Members(_in_ev(energies), forces, hessians)


class HessbenchCalculator(Calculator):
    """ASE calculator of an ANI model, or of an ensemble of them.

    An ensemble gives the means; the spread, the standard deviation over its members (divisor k - 1), is in
    `results` as "energy_spread", "forces_spread" and "hessian_spread".

    Parameters
    ----------
    models
        One model or the members of an ensemble, of one architecture.
    """

    implemented_properties = ["energy", "free_energy", "forces", "hessian"]  # noqa: RUF012  (as in ASE)

    def __init__(self, models: ANI | Sequence[ANI], **keywords: Any) -> None:
        super().__init__(**keywords)
        members = [models] if isinstance(models, ANI) else list(models)
        if not members:
            raise HessbenchError("A calculator needs at least one model.")
        self.models = [model.folded().requires_grad_(False) for model in members]

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
        members = predict(self.models, [self.atoms], order)
        values = {"energy": members.energies[:, 0], "forces": members.forces[0]}
        if order > 1:
            values["hessian"] = members.hessians[0]
        for name, value in values.items():
            self.results[name] = value.mean(0)
            if len(self.models) > 1:
                self.results[f"{name}_spread"] = value.std(0, ddof=1)
        self.results["energy"] = float(self.results["energy"])
        self.results["free_energy"] = self.results["energy"]

    def get_hessian(self, atoms: Atoms | None = None) -> Floats:
        """Hessian (3 N, 3 N), eV/Angstrom^2."""
        hessian: Floats = self.get_property("hessian", atoms)
        return hessian


def _in_ev(values: torch.Tensor) -> Floats:
    """From kcal/mol, in float64 on the CPU."""
    result: Floats = values.detach().cpu().double().numpy() / EV
    return result


def _checked(derivatives: int) -> Any:
    if derivatives not in (0, 1, 2):
        raise HessbenchError(f"derivatives is {derivatives}, expected 0, 1 or 2.")
    return derivatives
