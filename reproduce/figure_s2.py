"""Figure S2: bonds in the reactants and products trained on.

Numbers of single, double, triple and aromatic bonds in a molecule; a TS has no such count.
"""

from matplotlib.figure import Figure

from hessbench.experiments.composition import plot as composition
from hessbench.plotting.sheet import letter, new_sheet
from hessbench.plotting.source import Source
from hessbench.plotting.style import DOUBLE

TITLE = "Bonds in the molecules of the data set"
STAGES = ("composition",)
CLAIMS = ()
ORDERS = ("single", "double", "triple", "aromatic")


def draw(source: Source) -> Figure:
    """Draw one histogram for each bond order."""
    table = source.rows("composition", composition.read(source), kind="bonds")
    figure = new_sheet(DOUBLE, 3.5)
    for ax, label, order in zip(figure.subplots(2, 2).ravel(), "abcd", ORDERS, strict=True):
        counts = source.rows("composition", table, name=order)["count"]
        composition.draw_histogram(ax, counts, f"{order.capitalize()} bonds in a molecule", "#8C8C8C")
        letter(ax, label)
    unknown = int((table["name"] == "unknown").sum())
    figure.suptitle(
        composition.size(source, table, "reactants and products")
        + (f"\n{unknown:,} of them without a bond assignment, left out" if unknown else "")
    )
    return figure
