"""Figure S2: bonds in the reactants and products trained on.

Numbers of single, double, triple and aromatic bonds in a molecule; a TS has no such count.
"""

from matplotlib.figure import Figure

from hessbench.experiments.composition import plot as composition
from hessbench.experiments.composition.run.tables import COMPOSITION
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import DOUBLE
from hessbench.results.reader import Results

TITLE = "Bonds in the molecules of the data set"
STAGES = ("composition",)
CLAIMS = ()
ORDERS = ("single", "double", "triple", "aromatic")


def draw(results: Results) -> Figure:
    """Draw one histogram for each bond order."""
    table = results.rows(COMPOSITION, composition.read(results), kind="bonds")
    figure = new_figure(DOUBLE, 3.5)
    for ax, label, order in zip(figure.subplots(2, 2).ravel(), "abcd", ORDERS, strict=True):
        counts = results.rows(COMPOSITION, table, name=order)["count"]
        composition.draw_histogram(ax, counts, f"{order.capitalize()} bonds in a molecule", "#8C8C8C")
        letter(ax, label)
    unknown = int((table["name"] == "unknown").sum())
    figure.suptitle(
        composition.size(results, table, "reactants and products")
        + (f"\n{unknown:,} of them without a bond assignment, left out" if unknown else "")
    )
    return figure
