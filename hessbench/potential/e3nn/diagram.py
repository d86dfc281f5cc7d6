"""What Figure S3 draws of a message-passing network of e3nn."""

from collections.abc import Mapping
from typing import Any

from hessbench.potential.diagram import AtomicNetworks
from hessbench.potential.e3nn.settings import E3nnConfig


def diagram(header: Mapping[str, Any]) -> AtomicNetworks:
    """Say what Figure S3 draws of a model, from the header of its file."""
    settings = E3nnConfig.model_validate(header["settings"])
    width = settings.channels * (settings.degree + 1) ** 2
    return AtomicNetworks(
        elements=settings.elements,
        radial=1,
        angular=0,
        hidden=dict.fromkeys(settings.elements, (width,) * (settings.layers - 1)),
        activation="SiLU",
        biases=False,
        notes=(
            "Features: the atom's element; each layer adds messages of",
            f"the neighbours within {settings.cutoff:g} Å, spherical harmonics up to l = {settings.degree}",
        ),
    )
