"""The message-passing potential behind the interface: what `hessbench.potential.e3nn` registers."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from ase.data import atomic_numbers
from torch import Tensor

from hessbench.data.structures import Structures
from hessbench.errors import DataError, HessbenchError
from hessbench.potential.atomic_energies import compositions
from hessbench.potential.autograd import differentiate
from hessbench.potential.batch import Batch, Prediction, element_indices
from hessbench.potential.e3nn import ARCHITECTURE
from hessbench.potential.e3nn.settings import E3nnConfig
from hessbench.potential.files import read_header, read_tensors, write_model
from hessbench.potential.interface import Derivatives, TrainablePotential
from hessbench.system.reading import reading

try:
    from hessbench.potential.e3nn.network import atom_energies, make_network, neighbors
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("e3nn", "opt_einsum_fx"):
        raise
    raise HessbenchError(
        "models of kind e3nn need the library e3nn: python -m pip install 'hessbench[e3nn]'."
    ) from None


class E3nnPotential(TrainablePotential):
    """A message-passing network of e3nn, differentiated automatically.

    Parameters
    ----------
    settings
        Elements and size.
    seed
        Decides the initial parameters.

    Attributes
    ----------
    scale
        (), what the network's energies are multiplied by, kcal/mol; not trained.
    """

    scale: Tensor

    def __init__(self, settings: E3nnConfig, seed: int = 0) -> None:
        super().__init__(settings.elements)
        self.settings = settings
        self.network = make_network(settings, seed)
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))
        self.to(getattr(torch, settings.dtype))

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict for a batch, see `Potential.predict`; a Hessian takes a reverse pass per coordinate."""
        elements = element_indices(self.elements, batch.numbers)
        pairs = neighbors(batch, self.settings.cutoff)

        def energies_of(coordinates: Tensor) -> Tensor:
            atoms = self.scale * atom_energies(self.network, self.settings, elements, coordinates, pairs)
            return atoms.new_zeros(len(batch)).index_add(0, batch.molecule, atoms)

        keep = torch.is_grad_enabled() and any(item.requires_grad for item in self.parameters())
        with torch.set_grad_enabled(keep or derivatives > 0 or probes is not None):
            return differentiate(energies_of, batch, derivatives, probes, create_graph=keep)

    def prepare(self, training: Structures) -> None:
        """Fit the atomic energies; the scale is the spread of an atom's share of what they leave."""
        super().prepare(training)
        atoms = compositions(
            training.numbers, training.counts, [atomic_numbers[symbol] for symbol in self.elements]
        )
        left = training.energies - atoms @ self.atomic_energies.cpu().numpy()
        self.scale.fill_(np.sqrt(np.mean(left**2 / training.counts)) or 1.0)

    def save(self, path: Path, notes: Mapping[str, str] | None = None) -> None:
        """Write a model file, see `TrainablePotential.save`."""
        settings = self.settings.model_dump(mode="json") | {"dtype": str(self.dtype).removeprefix("torch.")}
        write_model(path, ARCHITECTURE.format, {"settings": settings}, self._stored(), notes)

    def _stored(self) -> dict[str, Tensor]:
        """What a model file holds; the network's other tensors are constants of e3nn."""
        return {
            **dict(self.named_parameters()),
            "scale": self.scale,
            "atomic_energies": self.atomic_energies,
        }


def build(settings: E3nnConfig, seed: int) -> E3nnPotential:
    """Make the untrained model that a profile asks for."""
    return E3nnPotential(settings, seed)


def load(path: Path) -> E3nnPotential:
    """Read a model that `E3nnPotential.save` wrote.

    Raises
    ------
    DataError
        The file is missing or damaged, or its tensors do not fit its description.
    """
    header = read_header(path)
    with reading(path, "its description of the model cannot be read", "write it again"):
        settings = E3nnConfig.model_validate(header["settings"])
    tensors = read_tensors(path)
    model = E3nnPotential(settings)
    stored = model._stored()
    if {name: item.shape for name, item in stored.items()} != {
        name: item.shape for name, item in tensors.items()
    }:
        raise DataError(path, "its tensors do not fit its description; write it again.")
    with torch.no_grad():
        for name, item in stored.items():
            item.copy_(tensors[name])
    return model
