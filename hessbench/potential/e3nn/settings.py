"""The section `model` of a profile whose kind is `e3nn`: the size of a message-passing network."""

from typing import Annotated, Literal

from ase.data import atomic_numbers
from pydantic import AfterValidator, Field, PositiveFloat

from hessbench.potential.registry import ModelConfig


def _known(elements: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [symbol for symbol in elements if symbol not in atomic_numbers]
    if unknown or len(set(elements)) < len(elements):
        raise ValueError("name different chemical elements")
    return elements


class E3nnConfig(ModelConfig):
    """Elements and size of a message-passing network of e3nn."""

    kind: Literal["e3nn"] = "e3nn"
    elements: Annotated[tuple[str, ...], AfterValidator(_known)] = Field(
        ("H", "C", "N", "O"), min_length=1, description="Elements the model knows."
    )
    layers: int = Field(
        2,
        ge=1,
        le=8,
        description="Convolutions over the neighbours; the last one gives the energies of atoms.",
    )
    channels: int = Field(16, ge=1, le=256, description="Features of an atom for each degree l.")
    degree: int = Field(
        1,
        ge=0,
        le=3,
        description="Largest degree l of spherical harmonics and features; 1: scalars and vectors.",
    )
    cutoff: PositiveFloat = Field(
        5.0, description="Angstrom; atoms that are further apart are no neighbours."
    )
    neighbors: PositiveFloat = Field(
        10.0, description="Typical number of neighbours; sums of messages are divided by its root."
    )
    dtype: Literal["float32", "float64"] = Field("float32", description="Precision of the parameters.")
