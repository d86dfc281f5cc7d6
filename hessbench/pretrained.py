"""Models for users: the trained ensembles of the archive, `hessbench.load("efh")`.

In a clone they are those of archive/full; a wheel brings the same files as hessbench/archived (setup.py).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from hessbench.calculators.ase_calculator import HessbenchCalculator
from hessbench.errors import HessbenchError
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.ensembles import PROVENANCE, ensemble_label, load_ensemble, model_file, trained_seeds
from hessbench.potential.evaluation import predict_each
from hessbench.potential.interface import Derivatives, Potential

ARCHIVE = Path("archive/full")
"""The archive whose models are given to users, in the clone."""
PACKAGED = Path(__file__).parent / "archived"
"""The same models in a wheel: archived/<percent>/<loss>."""


class Ensemble:
    """Models of one loss that differ by their seeds, used as one potential: the mean of its members.

    Parameters
    ----------
    members
        At least one model; all know the same elements.
    label
        What the loss is called in tables and figures.
    """

    def __init__(self, members: Sequence[Potential], label: str) -> None:
        self.members = tuple(members)
        self.label = label

    def __repr__(self) -> str:
        return f"<Ensemble of {len(self.members)} {self.label} models>"

    def calculator(self) -> HessbenchCalculator:
        """ASE calculator of the means; `results` has the spread of the members, "energy_spread" and so on."""
        return HessbenchCalculator(self.members)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols of the elements it knows."""
        return self.members[0].elements

    @property
    def atomic_energies(self) -> Tensor:
        """Mean energies of the free atoms by element, (elements,) float64, kcal/mol."""
        return torch.stack([member.atomic_energies for member in self.members]).mean(0)

    @property
    def dtype(self) -> torch.dtype:
        """Floating point type of its members."""
        return self.members[0].dtype

    @property
    def device(self) -> torch.device:
        """Device of its members."""
        return self.members[0].device

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict the mean of the members, see `hessbench.potential.interface.Potential.predict`."""
        found = predict_each(self.members, batch, derivatives, probes)
        return Prediction(
            torch.stack([item.energies for item in found]).mean(0),
            _mean([item.forces for item in found]),
            _mean([item.hessians for item in found]),
            _mean([item.products for item in found]),
        )


def load(loss: str) -> Ensemble:
    """Load the archived ensemble of a loss, trained at the largest share of the data.

    Parameters
    ----------
    loss
        Its name: "e", "ef", "efh", or another one that the archive has.

    Raises
    ------
    HessbenchError
        No models have been archived, or none of this loss; the message names those there are.
    DataError
        A model file is damaged.
    """
    folders = archived_ensembles()
    if not folders:
        raise HessbenchError(
            f"There are no pretrained models yet: neither {ARCHIVE} of a clone nor the installed package has "
            "any; `hessbench archive create` archives a run."
        )
    if loss not in folders:
        raise HessbenchError(f"There is no pretrained ensemble {loss!r}; there are {', '.join(folders)}.")
    folder = folders[loss]
    return Ensemble(load_ensemble(folder), ensemble_label(folder))


def archived_ensembles() -> dict[str, Path]:
    """Name of the loss to folder of each pretrained ensemble, of the largest share of the data there is."""
    models = PACKAGED if PACKAGED.exists() else Path(__file__).parents[1] / ARCHIVE / "models"
    found: dict[str, Path] = {}
    for path in sorted(models.glob(f"*/*/{PROVENANCE}"), key=lambda path: int(path.parent.parent.name)):
        if all(model_file(path.parent, seed).exists() for seed in trained_seeds(path.parent)):
            found[path.parent.name] = path.parent
    return dict(sorted(found.items()))


def _mean(values: Sequence[Tensor | None]) -> Tensor | None:
    present = [value for value in values if value is not None]
    return torch.stack(present).mean(0) if present else None
