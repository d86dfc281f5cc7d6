"""Results table of the cut through a surface, and what it is made from."""

from hessbench.config.inputs import Stage
from hessbench.results.store.tables import NUMBER, Table

SURFACE = Table("surface", {"x": NUMBER, "y": NUMBER, "energy": NUMBER})
"""Energy over two coordinates in Angstrom, on a rectangular grid."""

STAGE = Stage("surface", "hessbench.experiments.surface.run", files=("embedded:rtp.h5",))
