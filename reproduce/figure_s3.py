"""Figure S3: how the model makes the energy of formaldehyde.

Each atom's surroundings become a vector of features, each element has a network, the atomic energies add
up. Widths, features and activation are read from the header of a model that this run trained.
"""

from matplotlib.figure import Figure

from hessbench.plotting.network import draw_network
from hessbench.plotting.sheet import new_sheet
from hessbench.plotting.source import Source
from hessbench.plotting.style import DOUBLE

TITLE = "Networks that make the energy of a formaldehyde molecule"
STAGES = ("train",)
CLAIMS = ()


def draw(source: Source) -> Figure:
    """Draw the diagram."""
    figure = new_sheet(DOUBLE, 4.9)
    draw_network(figure.subplots(), source.networks())
    return figure
