"""What Figure S3 draws of an ANI model."""

from collections.abc import Mapping
from typing import Any

from hessbench.potential.ani.architecture import Architecture
from hessbench.potential.diagram import AtomicNetworks


def diagram(header: Mapping[str, Any]) -> AtomicNetworks:
    """Say what Figure S3 draws of a model, from the header of its file."""
    architecture = Architecture.from_dict(header["architecture"])
    functions, elements = architecture.symmetry_functions, len(architecture.elements)
    shifts, sections = len(functions.angular_shifts), len(functions.angular_sections)
    return AtomicNetworks(
        elements=architecture.elements,
        radial=architecture.radial_length,
        angular=architecture.features - architecture.radial_length,
        hidden=dict(zip(architecture.elements, architecture.hidden, strict=True)),
        activation=architecture.activation.upper(),
        biases=architecture.biases,
        notes=(
            f"Radial: {len(functions.radial_shifts)} shifts × {elements} elements, "
            f"cutoff {functions.radial_cutoff:g} Å",
            f"Angular: {shifts} shifts × {sections} sections × {elements * (elements + 1) // 2} pairs, "
            f"cutoff {functions.angular_cutoff:g} Å",
        ),
    )
