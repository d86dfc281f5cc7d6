"""Many models of one architecture, parameters stacked: energies, forces and Hessians in one computation.

docs/derivatives.md derives the recursions; here every tensor has the model as its first axis.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from hessbench.potential.ani.architecture import Activation
from hessbench.potential.ani.model import ANI
from hessbench.potential.ani.network import differentiable_activation
from hessbench.potential.ani.stacked_descriptors import Descriptors, ElementTables, path_features
from hessbench.potential.interface import Derivatives
from hessbench.potential.stack import Stack, StackPrediction


class StackedLayer(nn.Module):
    """One linear layer of M models: weight (M, outputs, inputs) and bias (M, 1, outputs), or None."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())
        self.bias = None if bias is None else nn.Parameter(bias.clone())

    def forward(self, values: Tensor) -> Tensor:
        """Apply to values (n, inputs), shared by the models, or (M, n, inputs)."""
        product = values @ self.weight.transpose(1, 2)
        return product if self.bias is None else product + self.bias


class StackedNetwork(nn.Module):
    """Networks of one element of M models, the first layer on features less a mean and scaled.

    Attributes
    ----------
    layers
        The last one is linear, an activation follows each of the others.
    mean, scale
        (F,) what is subtracted from features, and what the differences are divided by.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, layers: Sequence[StackedLayer], mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.register_buffer("mean", mean.clone())
        self.register_buffer("scale", scale.clone())

    @property
    def hidden(self) -> list[StackedLayer]:
        """All layers but the last."""
        return list(self.layers)[:-1]  # type: ignore[return-value]

    @property
    def output(self) -> StackedLayer:
        """The last layer."""
        return self.layers[-1]  # type: ignore[return-value]


class StackedModels(Stack):
    """The trainable parameters of M models, cut to the features and elements of one composition.

    What is cut away multiplies zeros, so it neither matters nor has a gradient.

    Parameters
    ----------
    models
        Of one architecture, feature mean and scale; copied.
    descriptors
        Of the structure.
    energy_unit
        What the networks' outputs are multiplied by, kcal/mol.
    """

    def __init__(self, models: Sequence[ANI], descriptors: Descriptors, energy_unit: float = 1.0) -> None:
        super().__init__()
        self.descriptors = descriptors
        self.energy_unit = energy_unit
        self.activation: Activation = models[0].architecture.activation
        self.dtype = models[0].dtype
        columns = descriptors.columns
        self.networks = nn.ModuleDict(
            {
                str(table.element): StackedNetwork(
                    _stack([model.layers(table.element) for model in models], columns),
                    models[0].feature_mean[table.element][columns],
                    models[0].feature_scale[table.element][columns],
                )
                for table in descriptors.tables
            }
        )

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        """Convert or move the descriptors, too."""
        super()._apply(fn, recurse)
        self.descriptors = self.descriptors.map(fn)
        return self

    def network(self, element: int) -> StackedNetwork:
        """Networks of the element of this index."""
        return self.networks[str(element)]  # type: ignore[return-value]

    def energies(self, coordinates: np.ndarray) -> Tensor:
        """Energies of other geometries, see `Stack.energies`."""
        known = self.descriptors
        total: Tensor | float = 0.0
        for element, found in path_features(known.architecture, known.numbers, coordinates, self.dtype):
            network = self.network(element)
            values = found.to(network.mean)
            activated = ((values - network.mean) / network.scale).flatten(0, 1)
            for layer in network.hidden:
                activated = differentiable_activation(self.activation, layer(activated), 0)[0]
            atomic = network.output(activated)
            total = total + atomic.view(atomic.shape[0], *values.shape[:2]).sum(-1)
        assert isinstance(total, Tensor)
        return self.energy_unit * total

    def predict(self, derivatives: Derivatives) -> StackPrediction:
        """Predict for the structure, see `Stack.predict`."""
        descriptors = self.descriptors
        energies: Tensor | float = 0.0
        hessians: Tensor | float = 0.0
        gradients = []
        for tables in descriptors.tables:
            atomic, gradient, hessian = self._element(tables, derivatives)
            energies = energies + atomic
            if gradient is not None:
                gradients.append(gradient.flatten(1))
            if hessian is not None:
                hessians = hessians + hessian
        assert isinstance(energies, Tensor)
        if derivatives == 0:
            return StackPrediction(energies, None, None)
        gradient = torch.cat(gradients, 1)
        forces = -(gradient @ descriptors.jacobian)
        if derivatives == 1:
            return StackPrediction(energies, forces, None)
        return StackPrediction(
            energies, forces, hessians + _symmetric(gradient @ descriptors.curvature, descriptors)
        )

    def _element(
        self, tables: ElementTables, derivatives: int
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Energies (M,), gradients by the features (M, n, F), tangent part of the Hessians (M, 3 N, 3 N)."""
        network = self.network(tables.element)
        activated = (tables.features - network.mean) / network.scale
        slopes, seconds = [], []
        for layer in network.hidden:
            activated, *of_activation = differentiable_activation(
                self.activation, layer(activated), derivatives
            )
            slopes.extend(of_activation[:1])
            seconds.extend(of_activation[1:])
        energies = self.energy_unit * network.output(activated).sum((1, 2))
        if derivatives == 0:
            return energies, None, None
        adjoint = (self.energy_unit * network.output.weight).expand(-1, len(tables.features), -1)
        curvatures = []
        for depth in reversed(range(len(slopes))):
            if derivatives > 1:
                curvatures.append(adjoint * seconds[depth])
            adjoint = (adjoint * slopes[depth]) @ network.hidden[depth].weight
        gradient = adjoint / network.scale
        if derivatives == 1:
            return energies, gradient, None
        return energies, gradient, self._tangents(network, tables, slopes, curvatures[::-1])

    def _tangents(
        self, network: StackedNetwork, tables: ElementTables, slopes: list[Tensor], curvatures: list[Tensor]
    ) -> Tensor:
        """Sum over atoms and layers of T' D T, T = dz/dx, (M, 3 N, 3 N)."""
        count, rank, _ = tables.rows.shape
        tangents = (tables.rows / network.scale).flatten(0, 1) @ network.hidden[0].weight.transpose(1, 2)
        tangents = tangents.unflatten(1, (count, rank))  # (M, n, r, width)
        total: Tensor | float = 0.0
        for depth, (slope, curvature) in enumerate(zip(slopes, curvatures, strict=True)):
            total = total + (tangents * curvature.unsqueeze(2)) @ tangents.transpose(2, 3)
            if depth + 1 < len(slopes):
                scaled = (tangents * slope.unsqueeze(2)).flatten(1, 2)
                weight = network.hidden[depth + 1].weight
                tangents = (scaled @ weight.transpose(1, 2)).unflatten(1, (count, rank))
        assert isinstance(total, Tensor)
        half = (total @ tables.expansion).flatten(1, 2)  # (M, n r, 3 N)
        return tables.expansion.flatten(0, 1).T @ half


def _stack(networks: Sequence[list[nn.Linear]], columns: Tensor) -> list[StackedLayer]:
    """Stack the layers of networks, the first cut to some features."""
    stacked = []
    for depth, layers in enumerate(zip(*networks, strict=True)):
        weight = torch.stack([layer.weight.detach() for layer in layers])
        bias = None
        if layers[0].bias is not None:
            bias = torch.stack([layer.bias.detach() for layer in layers]).unsqueeze(1)
        stacked.append(StackedLayer(weight if depth else weight[:, :, columns], bias))
    return stacked


def _symmetric(upper: Tensor, descriptors: Descriptors) -> Tensor:
    """Fill symmetric matrices (M, 3 N, 3 N) from upper triangles (M, 3 N (3 N + 1) / 2)."""
    size = descriptors.size
    index = torch.empty(size, size, dtype=torch.int64)
    row, column = torch.triu_indices(size, size)
    index[row, column] = index[column, row] = torch.arange(len(row))
    return upper[:, index.flatten().to(upper.device)].unflatten(1, (size, size))
