"""Figure S3: how the model makes the energy of formaldehyde.

Each atom's surroundings become a vector of features, each element has a network, the atomic energies add
up. Widths, features and activation are read from the header of a model that this run trained.
"""

from matplotlib.figure import Figure

from hessbench.plotting.figure import new_figure
from hessbench.plotting.network import draw_network
from hessbench.plotting.style import DOUBLE
from hessbench.potential.registry import diagram
from hessbench.results.reader import Results

TITLE = "Networks that make the energy of a formaldehyde molecule"
STAGES = ("train",)
CLAIMS = ()


def draw(results: Results) -> Figure:
    """Draw the diagram."""
    figure = new_figure(DOUBLE, 4.9)
    draw_network(figure.subplots(), diagram(results.model_header()))
    return figure
