"""ANI behind the interface of potentials: what `hessbench.potential.ani` registers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from hessbench.data.structures import Structures
from hessbench.errors import DataError, HessbenchError
from hessbench.potential.ani import ARCHITECTURE
from hessbench.potential.ani.architecture import SHAPES, Architecture, SymmetryFunctions
from hessbench.potential.ani.evaluation import evaluate, evaluate_ensemble
from hessbench.potential.ani.model import ANI, Features, Initialization
from hessbench.potential.ani.preparation import feature_statistics, structure_statistics
from hessbench.potential.ani.reference import evaluate_by_autograd
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.ani.stacked import StackedModels
from hessbench.potential.ani.stacked_descriptors import describe
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.files import read_header, read_tensors, write_model
from hessbench.potential.interface import Derivatives
from hessbench.system.reading import reading, sentence


class ANIPotential(ANI):
    """An ANI potential with exact first and second derivatives.

    Parameters
    ----------
    architecture, seed, initialization
        See `ANI`.
    features
        What of the features `prepare` and `stacked` take from the structures, see `ANIConfig.features`.
    """

    def __init__(
        self,
        architecture: Architecture,
        seed: int = 0,
        initialization: Initialization = "kaiming",
        features: Features = "scaled",
    ) -> None:
        super().__init__(architecture, seed, initialization)
        self.features = features

    def predict(self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None) -> Prediction:
        """Predict for a batch, see `Potential.predict` and `hessbench.potential.ani.evaluation`."""
        return evaluate(self, batch, derivatives, probes)

    def reference_predict(
        self, batch: Batch, derivatives: Derivatives, probes: Tensor | None = None
    ) -> Prediction:
        """Predict by automatic differentiation through torchani, a coordinate at a time."""
        keep = torch.is_grad_enabled()
        with torch.enable_grad():
            return evaluate_by_autograd(self, batch, derivatives, probes, create_graph=keep)

    def prepare(self, training: Structures) -> None:
        """Fit the atomic energies, and the mean and scale of features, to the training structures."""
        super().prepare(training)
        if self.features == "raw":
            return
        mean, spread = feature_statistics(self, training)
        self.feature_scale.copy_(spread)
        if self.features == "standardized":
            self.feature_mean.copy_(mean)

    def save(self, path: Path, notes: Mapping[str, str] | None = None) -> None:
        """Write a model file, see `TrainablePotential.save`; features' mean and scale are folded in first."""
        plain = self.folded()
        tensors: dict[str, Tensor] = dict(plain.networks.named_parameters())
        tensors[ATOMIC_ENERGIES] = plain.atomic_energies
        write_model(path, ARCHITECTURE.format, {"architecture": self.architecture.to_dict()}, tensors, notes)

    @classmethod
    def predict_ensemble(
        cls, members: Sequence[Self], batch: Batch, derivatives: Derivatives, probes: Tensor | None = None
    ) -> list[Prediction]:
        """Predict with several models; the geometry is evaluated once."""
        return evaluate_ensemble(members, batch, derivatives, probes)

    @classmethod
    def stacked(
        cls, members: Sequence[Self], numbers: np.ndarray, coordinates: np.ndarray, energy_unit: float
    ) -> StackedModels:
        """Stack the parameters of models, see `TrainablePotential.stacked`; the descriptors are shared."""
        first = members[0]
        if first.architecture.repulsion != "none":
            raise HessbenchError(
                "Models that learn one structure have no repulsion; set single_ts.model.repulsion: none."
            )
        if first.features != "raw":
            for element, columns, mean, spread in structure_statistics(
                first.architecture, numbers, coordinates
            ):
                for member in members:
                    member.feature_scale[element, columns] = spread.to(member.dtype)
                    if first.features == "standardized":
                        member.feature_mean[element, columns] = mean.to(member.dtype)
        descriptors = describe(first.architecture, numbers, coordinates, first.dtype)
        return StackedModels(members, descriptors, energy_unit)


ATOMIC_ENERGIES = "self_energies"
"""Name of the atomic energies in a model file."""


def build(settings: ANIConfig, seed: int) -> ANIPotential:
    """Make the untrained model that a profile asks for.

    Raises
    ------
    HessbenchError
        The settings contradict each other.
    """
    shape = SHAPES[settings.shape]
    hidden = shape.hidden(settings.elements)
    if isinstance(settings.hidden, dict):
        missing = [symbol for symbol in settings.elements if symbol not in settings.hidden]
        if missing or len(settings.hidden) != len(settings.elements):
            raise HessbenchError(
                f"model.hidden names {', '.join(settings.hidden)}, but model.elements "
                f"{', '.join(settings.elements)}; give widths for exactly these elements."
            )
        hidden = tuple(settings.hidden[symbol] for symbol in settings.elements)
    elif settings.hidden is not None:
        hidden = (settings.hidden,) * len(settings.elements)
    architecture = Architecture(
        elements=settings.elements,
        hidden=hidden,
        activation=settings.activation or shape.activation,
        biases=shape.biases if settings.biases is None else settings.biases,
        symmetry_functions=SymmetryFunctions(cutoff=settings.cutoff),
        repulsion=settings.repulsion,
    )
    if settings.features == "standardized" and not architecture.biases:
        raise HessbenchError(
            "model.features: standardized needs networks with biases; set model.biases: true."
        )
    potential = ANIPotential(architecture, seed, settings.initialization, settings.features)
    return potential.to(getattr(torch, settings.dtype))


def load(path: Path) -> ANIPotential:
    """Read a model that `ANIPotential.save` wrote.

    Raises
    ------
    DataError
        The file is missing or damaged, or its tensors do not fit its description.
    """
    header = read_header(path)
    problem = "its description of the model cannot be read"
    try:
        with reading(path, problem, "write it again"):
            architecture = Architecture.from_dict(header["architecture"])
            claimed = architecture.parameters
    except DataError:
        raise
    except HessbenchError as error:
        raise DataError(path, sentence(problem, error, "write it again")) from None
    tensors = read_tensors(path)
    if claimed > sum(tensor.numel() for tensor in tensors.values()):  # before they are made
        raise DataError(path, "its tensors do not fit its description; write it again.")
    model = ANIPotential(architecture)
    atomic_energies = tensors.pop(ATOMIC_ENERGIES, None)
    expected = {name: parameter.shape for name, parameter in model.networks.named_parameters()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if atomic_energies is None or atomic_energies.shape != model.atomic_energies.shape or expected != found:
        raise DataError(path, "its tensors do not fit its description; write it again.")
    model.to(next(iter(tensors.values())).dtype)
    model.networks.load_state_dict(tensors)
    model.atomic_energies.copy_(atomic_energies)
    return model
