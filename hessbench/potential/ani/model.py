"""The ANI model: torchani's AEVs and one network per element, energies in kcal/mol.

The exact derivatives (`hessbench.potential.engine`) read the parameters from this module; the oracle
(`hessbench.potential.ani.reference`) runs its torchani parts under autograd.
"""

import copy
import math
import os
from collections.abc import Mapping
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

os.environ.setdefault("TORCHANI_NO_WARN_EXTENSIONS", "1")  # its CUDA extensions are of no use here

from torchani.aev import AEVComputer, ANIAngular, ANIRadial
from torchani.nn import ANINetworks, AtomicNetwork

from hessbench.errors import HessbenchError
from hessbench.potential.ani.architecture import CELU_ALPHA, SHAPES, Architecture, SymmetryFunctions
from hessbench.potential.ani.settings import ModelConfig
from hessbench.potential.batch import Batch

Initialization = Literal["kaiming", "torchani"]


class ANI(nn.Module):
    """ANI potential of molecules.

    The first layer acts on features divided by `feature_scale` (element of the atom x feature), which
    is one unless set: dividing by the features' spread conditions the training. `folded` gives the same
    function as a plain ANI. Self-energies are kept apart in float64 and never enter network energies.

    Parameters
    ----------
    architecture
        Elements, symmetry functions and network shapes.
    seed
        Of the initial weights; the same seed gives the same weights whatever was drawn before.
    initialization
        "kaiming": normal with variance 2 / inputs in hidden layers and 1 / inputs in the last one, biases
        zero. "torchani": what torchani, through torch.nn.Linear, does by default.
    """

    feature_scale: Tensor
    self_energies: Tensor

    def __init__(
        self, architecture: Architecture, seed: int = 0, initialization: Initialization = "kaiming"
    ) -> None:
        super().__init__()
        self.architecture = architecture
        functions = architecture.symmetry_functions
        self.aev = AEVComputer(
            radial=ANIRadial(
                functions.radial_eta, functions.radial_shifts, functions.radial_cutoff, functions.cutoff
            ),
            angular=ANIAngular(
                functions.angular_eta,
                functions.zeta,
                functions.angular_shifts,
                functions.angular_sections,
                functions.angular_cutoff,
                functions.cutoff,
            ),
            num_species=len(architecture.elements),
        )
        with torch.random.fork_rng(devices=[]):  # torch.nn.Linear draws from the global generator
            self.networks = ANINetworks(
                {
                    symbol: AtomicNetwork(
                        (architecture.features, *widths, 1),
                        activation=nn.GELU() if architecture.activation == "gelu" else nn.CELU(CELU_ALPHA),
                        bias=architecture.biases,
                    )
                    for symbol, widths in zip(architecture.elements, architecture.hidden, strict=True)
                }
            )
        elements = len(architecture.elements)
        self.register_buffer("feature_scale", torch.ones(elements, architecture.features))
        self.register_buffer("self_energies", torch.zeros(elements, dtype=torch.float64))
        lookup = torch.full((max(architecture.numbers) + 1,), -1)
        lookup[list(architecture.numbers)] = torch.arange(elements)
        self.register_buffer("_element_of_number", lookup, persistent=False)
        self.initialize(seed, initialization)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols the model knows."""
        return self.architecture.elements

    @property
    def dtype(self) -> torch.dtype:
        """Floating point type of the parameters."""
        return self.feature_scale.dtype

    def layers(self, element: int) -> list[nn.Linear]:
        """Linear layers of one element's network, the last one gives the energy."""
        network = self.networks.atomics[self.elements[element]]
        return [*network.layers, network.final_layer]

    def initialize(self, seed: int, initialization: Initialization = "kaiming") -> None:
        """Draw new weights, see the class."""
        generator = torch.Generator().manual_seed(seed)
        for element in range(len(self.elements)):
            layers = self.layers(element)
            for depth, layer in enumerate(layers):
                shape, inputs = layer.weight.shape, layer.in_features
                with torch.no_grad():
                    if initialization == "kaiming":
                        gain = 1.0 if depth == len(layers) - 1 else 2.0
                        weight = torch.randn(shape, generator=generator) * math.sqrt(gain / inputs)
                        bias = torch.zeros(layer.out_features)
                    else:
                        weight = (2 * torch.rand(shape, generator=generator) - 1) / math.sqrt(inputs)
                        bias = (2 * torch.rand(layer.out_features, generator=generator) - 1) / math.sqrt(
                            inputs
                        )
                    layer.weight.copy_(weight)
                    if layer.bias is not None:
                        layer.bias.copy_(bias)

    def element_indices(self, numbers: Tensor) -> Tensor:
        """Index of each atom's element in `elements`, (A,) int64.

        Raises
        ------
        HessbenchError
            An atomic number the model does not know.
        """
        lookup: Tensor = self._element_of_number  # type: ignore[assignment]
        indices = lookup[numbers.clamp(0, len(lookup) - 1)]
        bad = (indices < 0) | (numbers >= len(lookup)) | (numbers < 0)
        if bad.any():
            raise HessbenchError(
                f"Atomic numbers {sorted(set(numbers[bad].tolist()))} are unknown to this model, "
                f"which knows {', '.join(self.elements)}."
            )
        return indices

    def self_energy(self, batch: Batch) -> Tensor:
        """Sum of the self-energies of each molecule, (M,) float64, kcal/mol."""
        atomic = self.self_energies[self.element_indices(batch.numbers)]
        return atomic.new_zeros(len(batch)).index_add_(0, batch.molecule, atomic)

    def folded(self) -> Self:
        """Return a plain ANI: a copy with the feature scale multiplied into the first layers."""
        plain = copy.deepcopy(self)
        with torch.no_grad():
            for element in range(len(self.elements)):
                plain.layers(element)[0].weight.div_(self.feature_scale[element])
            plain.feature_scale.fill_(1.0)
        return plain

    def extra_repr(self) -> str:
        """Name elements and widths."""
        architecture = self.architecture
        return f"elements={architecture.elements}, hidden={architecture.hidden}, {architecture.activation}"

    def _apply(self, fn: Any, recurse: bool = True) -> Self:
        """Convert or move, but leave the self-energies in float64: float32 holds them to 0.01 kcal/mol."""
        exact = self.self_energies
        super()._apply(fn, recurse)
        self.self_energies = exact.to(self.self_energies.device)
        return self


def build(config: ModelConfig, seed: int, self_energies: Mapping[str, float] | None = None) -> ANI:
    """Make the model a profile asks for.

    Parameters
    ----------
    config
        Section `model` of a profile.
    seed
        Of the initial weights.
    self_energies
        kcal/mol by element, zero where not given.
    """
    shape = SHAPES[config.shape]
    hidden = shape.hidden(config.elements)
    if isinstance(config.hidden, dict):
        missing = [symbol for symbol in config.elements if symbol not in config.hidden]
        if missing or len(config.hidden) != len(config.elements):
            raise HessbenchError(
                f"model.hidden names {', '.join(config.hidden)}, but model.elements "
                f"{', '.join(config.elements)}; give widths for exactly these elements."
            )
        hidden = tuple(config.hidden[symbol] for symbol in config.elements)
    elif config.hidden is not None:
        hidden = (config.hidden,) * len(config.elements)
    architecture = Architecture(
        elements=config.elements,
        hidden=hidden,
        activation=config.activation or shape.activation,
        biases=shape.biases if config.biases is None else config.biases,
        symmetry_functions=SymmetryFunctions(cutoff=config.cutoff),
    )
    model = ANI(architecture, seed, config.initialization)
    for symbol, value in (self_energies or {}).items():
        model.self_energies[architecture.elements.index(symbol)] = value
    return model
