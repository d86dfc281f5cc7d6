"""Many models of one architecture, parameters stacked: energies, forces and Hessians in one computation.

docs/derivatives.md derives the recursions; here every tensor has the model as its first axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hessbench.evaluation.single_ts_descriptors import Descriptors, ElementTables
from hessbench.potential import ANI
from hessbench.potential.architecture import Activation
from hessbench.potential.network import differentiable_activation


@dataclass(frozen=True)
class Stack:
    """Networks of one element of M models.

    Attributes
    ----------
    weights
        Of each layer (M, outputs, inputs), the first on scaled features.
    biases
        Of each layer (M, 1, outputs), or None.
    scale
        (F,) what features are divided by.
    """

    weights: list[Tensor]
    biases: list[Tensor | None]
    scale: Tensor


@dataclass(frozen=True)
class Predictions:
    """Of M models for one structure, kcal/mol and Angstrom: (M,), (M, 3 N), (M, 3 N, 3 N)."""

    energies: Tensor
    forces: Tensor | None
    hessians: Tensor | None


class StackedModels(nn.Module):
    """The trainable parameters of M models, cut to the features and elements of one composition.

    What is cut away multiplies zeros, so it neither matters nor has a gradient.

    Parameters
    ----------
    models
        Of one architecture and feature scale; copied.
    columns
        Features to keep.
    elements
        Indices of the elements to keep.
    energy_unit
        What the networks' outputs are multiplied by, kcal/mol.
    """

    def __init__(
        self, models: Sequence[ANI], columns: Tensor, elements: Sequence[int], energy_unit: float = 1.0
    ) -> None:
        super().__init__()
        self.energy_unit = energy_unit
        self.elements = tuple(elements)
        self.activation: Activation = models[0].architecture.activation
        self._stacks: dict[int, Stack] = {}
        self.stacked = nn.ParameterList()
        for element in elements:
            layers = [model.layers(element) for model in models]
            weights: list[Tensor] = []
            biases: list[Tensor | None] = []
            for depth in range(len(layers[0])):
                weight = torch.stack([item[depth].weight.detach() for item in layers])
                weights.append(self._parameter(weight[:, :, columns] if depth == 0 else weight))
                bias = layers[0][depth].bias
                biases.append(
                    None
                    if bias is None
                    else self._parameter(
                        torch.stack([item[depth].bias.detach() for item in layers]).unsqueeze(1)
                    )
                )
            scale = models[0].feature_scale[element][columns].clone()
            self._stacks[element] = Stack(weights, biases, scale)

    def _parameter(self, tensor: Tensor) -> nn.Parameter:
        parameter = nn.Parameter(tensor.clone())
        self.stacked.append(parameter)
        return parameter

    def energies(self, features: Sequence[tuple[int, Tensor]]) -> Tensor:
        """Energies (M, P) of P structures, given their features (P, n, F) by element."""
        total: Tensor | float = 0.0
        for element, values in features:
            stack = self._stacks[element]
            activated = (values / stack.scale).flatten(0, 1)
            for weight, bias in zip(stack.weights[:-1], stack.biases[:-1], strict=True):
                activated = differentiable_activation(self.activation, _linear(activated, weight, bias), 0)[0]
            atomic = _linear(activated, stack.weights[-1], stack.biases[-1])
            total = total + atomic.view(atomic.shape[0], *values.shape[:2]).sum(-1)
        assert isinstance(total, Tensor)
        return self.energy_unit * total

    def forward(self, descriptors: Descriptors, derivatives: int) -> Predictions:
        """Predict for the structure of the descriptors, with derivatives up to the given order."""
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
            return Predictions(energies, None, None)
        gradient = torch.cat(gradients, 1)
        forces = -(gradient @ descriptors.jacobian)
        if derivatives == 1:
            return Predictions(energies, forces, None)
        return Predictions(
            energies, forces, hessians + _symmetric(gradient @ descriptors.curvature, descriptors)
        )

    def _element(
        self, tables: ElementTables, derivatives: int
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Energies (M,), gradients by the features (M, n, F), tangent part of the Hessians (M, 3 N, 3 N)."""
        stack = self._stacks[tables.element]
        activated = tables.features / stack.scale
        slopes, seconds = [], []
        for weight, bias in zip(stack.weights[:-1], stack.biases[:-1], strict=True):
            z = _linear(activated, weight, bias)
            activated, *of_activation = differentiable_activation(self.activation, z, derivatives)
            slopes.extend(of_activation[:1])
            seconds.extend(of_activation[1:])
        energies = self.energy_unit * _linear(activated, stack.weights[-1], stack.biases[-1]).sum((1, 2))
        if derivatives == 0:
            return energies, None, None
        adjoint = (self.energy_unit * stack.weights[-1]).expand(-1, len(tables.features), -1)
        curvatures = []
        for depth in reversed(range(len(slopes))):
            if derivatives > 1:
                curvatures.append(adjoint * seconds[depth])
            adjoint = (adjoint * slopes[depth]) @ stack.weights[depth]
        gradient = adjoint / stack.scale
        if derivatives == 1:
            return energies, gradient, None
        return energies, gradient, self._tangents(stack, tables, slopes, curvatures[::-1])

    def _tangents(
        self, stack: Stack, tables: ElementTables, slopes: list[Tensor], curvatures: list[Tensor]
    ) -> Tensor:
        """Sum over atoms and layers of T' D T, T = dz/dx, (M, 3 N, 3 N)."""
        count, rank, _ = tables.rows.shape
        tangents = (tables.rows / stack.scale).flatten(0, 1) @ stack.weights[0].transpose(1, 2)
        tangents = tangents.unflatten(1, (count, rank))  # (M, n, r, width)
        total: Tensor | float = 0.0
        for depth, (slope, curvature) in enumerate(zip(slopes, curvatures, strict=True)):
            total = total + (tangents * curvature.unsqueeze(2)) @ tangents.transpose(2, 3)
            if depth + 1 < len(slopes):
                scaled = (tangents * slope.unsqueeze(2)).flatten(1, 2)
                tangents = (scaled @ stack.weights[depth + 1].transpose(1, 2)).unflatten(1, (count, rank))
        assert isinstance(total, Tensor)
        half = (total @ tables.expansion).flatten(1, 2)  # (M, n r, 3 N)
        return tables.expansion.flatten(0, 1).T @ half


def _linear(values: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Apply M layers (M, outputs, inputs) to values (n, inputs), shared, or (M, n, inputs)."""
    product = values @ weight.transpose(1, 2)
    return product if bias is None else product + bias


def _symmetric(upper: Tensor, descriptors: Descriptors) -> Tensor:
    """Fill symmetric matrices (M, 3 N, 3 N) from upper triangles (M, 3 N (3 N + 1) / 2)."""
    size = descriptors.size
    index = torch.empty(size, size, dtype=torch.int64)
    row, column = torch.triu_indices(size, size)
    index[row, column] = index[column, row] = torch.arange(len(row))
    return upper[:, index.flatten()].unflatten(1, (size, size))
