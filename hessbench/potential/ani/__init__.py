"""The ANI potential with exact first and second derivatives."""

from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.registry import Architecture

ARCHITECTURE = Architecture(
    format="hessbench ANI 1",
    settings=ANIConfig,
    module="hessbench.potential.ani.potential",
    diagram="hessbench.potential.ani.diagram",
    packages=("torchani",),
)
