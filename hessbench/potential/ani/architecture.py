"""What an ANI model is made of: elements, symmetry functions and network shapes, as plain data.

The header of a model file is this description, so a file says all that is needed to rebuild the model.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, Self, get_args

from ase.data import atomic_numbers

from hessbench.errors import HessbenchError

Activation = Literal["gelu", "celu"]
Cutoff = Literal["cosine", "smooth"]
Repulsion = Literal["none", "zbl"]

CELU_ALPHA = 0.1
"""The alpha of CELU in every published ANI model."""


@dataclass(frozen=True)
class SymmetryFunctions:
    """Parameters of the atomic environment vectors; the defaults are those of ANI-1x.

    Lengths are in Angstrom, eta in 1/Angstrom^2, sections in radian. Smith, Isayev, Roitberg,
    Chem. Sci. 8, 3192 (2017), eqs. 2 - 4; parameters of J. Chem. Phys. 148, 241733 (2018).
    """

    cutoff: Cutoff = "cosine"
    radial_cutoff: float = 5.2
    angular_cutoff: float = 3.5
    radial_eta: float = 16.0
    radial_shifts: tuple[float, ...] = tuple(0.9 + (5.2 - 0.9) / 16 * k for k in range(16))
    angular_eta: float = 8.0
    zeta: float = 32.0
    angular_shifts: tuple[float, ...] = (0.9, 1.55, 2.2, 2.85)
    angular_sections: tuple[float, ...] = tuple(3.141592653589793 * (1 + 2 * k) / 16 for k in range(8))


@dataclass(frozen=True)
class Architecture:
    """Everything but the weights.

    Attributes
    ----------
    elements
        Chemical symbols; their order is the order of the networks and of the features.
    hidden
        Widths of the hidden layers, one tuple an element.
    activation
        "gelu" (exact, with erf) or "celu" (alpha 0.1).
    biases
        Whether the linear layers have biases.
    symmetry_functions
        Parameters of the descriptors.
    repulsion
        What is added to the networks' energies: nothing, or `hessbench.potential.repulsion`.
    """

    elements: tuple[str, ...]
    hidden: tuple[tuple[int, ...], ...]
    activation: Activation = "gelu"
    biases: bool = True
    symmetry_functions: SymmetryFunctions = SymmetryFunctions()
    repulsion: Repulsion = "none"

    def __post_init__(self) -> None:
        unknown = [symbol for symbol in self.elements if symbol not in atomic_numbers or symbol == "X"]
        if unknown:
            raise HessbenchError(f"Model elements {unknown} are no chemical symbols; write for example H, C.")
        if not self.elements or len(set(self.elements)) != len(self.elements):
            raise HessbenchError(f"Model elements {self.elements}: name each element exactly once.")
        if len(self.hidden) != len(self.elements) or not all(
            widths and min(widths) > 0 for widths in self.hidden
        ):
            raise HessbenchError(
                f"Hidden widths {self.hidden}: give one tuple of positive widths for each of {self.elements}."
            )
        if self.repulsion not in get_args(Repulsion):
            raise HessbenchError(
                f"Repulsion {self.repulsion!r}: write one of {', '.join(get_args(Repulsion))}."
            )
        if self.symmetry_functions.angular_cutoff >= self.symmetry_functions.radial_cutoff:
            raise HessbenchError("The angular cutoff must be shorter than the radial cutoff.")

    @property
    def numbers(self) -> tuple[int, ...]:
        """Atomic numbers of the elements."""
        return tuple(atomic_numbers[symbol] for symbol in self.elements)

    @property
    def radial_length(self) -> int:
        """Number of radial features of an atom, elements x shifts."""
        return len(self.elements) * len(self.symmetry_functions.radial_shifts)

    @property
    def features(self) -> int:
        """Length of an atomic environment vector."""
        n = len(self.elements)
        functions = self.symmetry_functions
        angular = len(functions.angular_shifts) * len(functions.angular_sections)
        return self.radial_length + n * (n + 1) // 2 * angular

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(
            (inputs + self.biases) * outputs
            for widths in self.hidden
            for inputs, outputs in pairwise((self.features, *widths, 1))
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote.

        Raises
        ------
        KeyError, TypeError
            Content is not such a description.
        """
        functions: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in content["symmetry_functions"].items()
        }
        return cls(
            elements=tuple(content["elements"]),
            hidden=tuple(tuple(widths) for widths in content["hidden"]),
            activation=content["activation"],
            biases=content["biases"],
            symmetry_functions=SymmetryFunctions(**functions),
            repulsion=content.get("repulsion", "none"),  # files of versions that had none lack it
        )


@dataclass(frozen=True)
class Shape:
    """A published choice of networks: widths by element (key "" for any other), activation, biases."""

    widths: Mapping[str, tuple[int, ...]]
    activation: Activation
    biases: bool

    def hidden(self, elements: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
        """Hidden widths for these elements."""
        return tuple(self.widths.get(symbol, self.widths[""]) for symbol in elements)


SHAPES: dict[str, Shape] = {
    # ANI-1x, as published with its weights
    "ani1x": Shape({"H": (160, 128, 96), "C": (144, 112, 96), "": (128, 112, 96)}, "celu", True),
    # the later code of the paper's authors (arXiv 2603.04523)
    "authors": Shape({"": (256, 64, 256)}, "celu", True),
    # GELU networks of torchani's newer models, for H and C
    "gelu": Shape({"": (256, 192, 160)}, "gelu", False),
}
"""Named network shapes of a profile. Input (384 features for four elements) and output (1) are implied."""
