"""Figure 4: the path of a single hydrogen transfer.

Nudged elastic bands with every model against the reference path; bands that did not converge are thin
lines, those that left the axes or exploded are named in the text. Diamonds: the barriers of the paper.
"""

from matplotlib.figure import Figure

from hessbench.experiments.neb import plot as neb
from hessbench.results.reader import Results

TITLE = "Reaction path of a single hydrogen transfer"
STAGES = ("neb",)
CLAIMS = ("neb_convergence", "neb_barrier")


def draw(results: Results) -> Figure:
    """Draw the path, and reactant, TS and product above it."""
    return neb.draw_reaction(results, "single hydrogen transfer")
