"""An equivariant message-passing potential made of the networks of the library e3nn."""

from hessbench.potential.e3nn.settings import E3nnConfig
from hessbench.potential.registry import Architecture

ARCHITECTURE = Architecture(
    format="hessbench e3nn 1",
    settings=E3nnConfig,
    module="hessbench.potential.e3nn.potential",
    diagram="hessbench.potential.e3nn.diagram",
    packages=("e3nn",),
)
