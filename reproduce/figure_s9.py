"""Figure S9: Energy predictions of the E-F models against the reference.

Density of all predicted values on the three test sets; the red dotted line is perfect agreement.
"""

from matplotlib.figure import Figure

from hessbench.experiments.correlation.plot import draw_sets
from hessbench.results.reader import Results

TITLE = "Energy predictions of E-F models against the reference"
STAGES = ("correlation", "evaluate")
CLAIMS = ()


def draw(results: Results) -> Figure:
    """Draw one panel per test set."""
    return draw_sets(results, "E-F", "energy")
