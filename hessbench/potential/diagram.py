"""What a diagram shows of a model that sums the energies of atoms (Figure S3)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AtomicNetworks:
    """Features of an atom's surroundings, one network per element, and the sum of what they give.

    Attributes
    ----------
    elements
        Chemical symbols.
    radial, angular
        Numbers of features of an atom that depend on one neighbour, and on two. Each element has as many
        radial features as any other, each unordered pair of elements as many angular ones.
    hidden
        Widths of the hidden layers by element.
    activation
        Name of the activation function.
    biases
        Whether the layers have biases.
    notes
        Lines about the features.
    """

    elements: tuple[str, ...]
    radial: int
    angular: int
    hidden: dict[str, tuple[int, ...]]
    activation: str
    biases: bool
    notes: tuple[str, ...]
