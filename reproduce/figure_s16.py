"""Figure S16: the path of a reaction in which several bonds change at once.

As Figure 4; below it the barriers of all held-out reactions, with the share of bands that converged.
"""

from matplotlib.figure import Figure

from hessbench.experiments.neb import plot as neb
from hessbench.results.reader import Results

TITLE = "Reaction path of a multi-process reaction"
STAGES = ("neb",)
CLAIMS = ("neb_convergence", "neb_barrier")


def draw(results: Results) -> Figure:
    """Draw the path, and the barrier errors of the held-out reactions."""
    return neb.draw_reaction(results, "multi-process", held_out=True)
