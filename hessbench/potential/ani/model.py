"""The parameters of an ANI model: torchani's AEVs and one network per element, energies in kcal/mol.

The exact derivatives (`hessbench.potential.ani.evaluation`) read them from here; the oracle
(`hessbench.potential.ani.reference`) runs the torchani parts under autograd.
"""

import copy
import math
import os
from typing import Literal, Self

import torch
from torch import Tensor, nn

os.environ.setdefault("TORCHANI_NO_WARN_EXTENSIONS", "1")  # its CUDA extensions are of no use here

from torchani.aev import AEVComputer, ANIAngular, ANIRadial
from torchani.nn import ANINetworks, AtomicNetwork

from hessbench.potential.ani.architecture import CELU_ALPHA, Architecture
from hessbench.potential.batch import element_indices
from hessbench.potential.interface import TrainablePotential

Initialization = Literal["kaiming", "lecun", "torchani"]
Features = Literal["raw", "scaled", "standardized"]


class ANI(TrainablePotential):
    """Parameters of an ANI potential; `hessbench.potential.ani.potential.ANIPotential` adds what it predicts.

    The first layer acts on features less `feature_mean`, divided by `feature_scale` (element of the atom x
    feature), which are zero and one unless set: that conditions the training. `first_layer` and `folded`
    give the same function of the features as they are. A mean needs biases.

    Parameters
    ----------
    architecture
        Elements, symmetry functions and network shapes.
    seed
        Of the initial weights; the same seed gives the same weights whatever was drawn before.
    initialization
        "kaiming": normal with variance 2 / inputs in hidden layers and 1 / inputs in the last one, biases
        zero. "lecun": the same with variance 1 / inputs in every layer. "torchani": what torchani,
        through torch.nn.Linear, does by default.
    """

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(
        self, architecture: Architecture, seed: int = 0, initialization: Initialization = "kaiming"
    ) -> None:
        super().__init__(architecture.elements)
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
        self.register_buffer("feature_mean", torch.zeros(elements, architecture.features))
        self.register_buffer("feature_scale", torch.ones(elements, architecture.features))
        self.initialize(seed, initialization)

    @property
    def dtype(self) -> torch.dtype:
        """Floating point type of the parameters; each step asks, so no module is searched for it."""
        return self.feature_scale.dtype

    @property
    def is_plain(self) -> bool:
        """Whether mean and scale of the features are zero and one, as a model file's are; False on a GPU.

        There the answer would have to be waited for, while dividing by ones costs little.
        """
        mean, scale = self.feature_mean, self.feature_scale
        return scale.device.type == "cpu" and not mean.any() and bool((scale == 1).all())

    def layers(self, element: int) -> list[nn.Linear]:
        """Linear layers of one element's network, the last one gives the energy."""
        network = self.networks.atomics[self.elements[element]]
        return [*network.layers, network.final_layer]

    def first_layer(self, element: int) -> tuple[Tensor, Tensor | None]:
        """Weight and bias of one element's first layer for features as they are, differentiable."""
        layer = self.layers(element)[0]
        weight = layer.weight / self.feature_scale[element]
        return weight, None if layer.bias is None else layer.bias - weight @ self.feature_mean[element]

    def initialize(self, seed: int, initialization: Initialization = "kaiming") -> None:
        """Draw new weights, see the class."""
        generator = torch.Generator().manual_seed(seed)
        for element in range(len(self.elements)):
            layers = self.layers(element)
            for depth, layer in enumerate(layers):
                shape, inputs = layer.weight.shape, layer.in_features
                with torch.no_grad():
                    if initialization != "torchani":
                        last = depth == len(layers) - 1
                        gain = 1.0 if last or initialization == "lecun" else 2.0
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
        """Index of each atom's element in `elements`, see `hessbench.potential.batch.element_indices`."""
        return element_indices(self.elements, numbers)

    def folded(self) -> Self:
        """Return a plain ANI: a copy whose first layers act on the features as they are."""
        plain = copy.deepcopy(self)
        with torch.no_grad():
            for element in range(len(self.elements)):
                layer = plain.layers(element)[0]
                weight, bias = self.first_layer(element)
                layer.weight.copy_(weight)
                if bias is not None:
                    layer.bias.copy_(bias)
            plain.feature_mean.fill_(0.0)
            plain.feature_scale.fill_(1.0)
        return plain

    def extra_repr(self) -> str:
        """Name elements and widths."""
        architecture = self.architecture
        return f"elements={architecture.elements}, hidden={architecture.hidden}, {architecture.activation}"
