"""Figure S1: composition of the molecules trained on.

Numbers of heteroatoms (all but C and H), heavy atoms, and atoms of each element in a molecule.
"""

from matplotlib.figure import Figure

from hessbench.experiments.composition import plot as composition
from hessbench.experiments.composition.run.tables import COMPOSITION
from hessbench.plotting.figure import letter, new_figure
from hessbench.plotting.style import DOUBLE
from hessbench.results.reader import Results

TITLE = "Atoms in the molecules of the data set"
STAGES = ("composition",)
CLAIMS = ()


def draw(results: Results) -> Figure:
    """Draw one histogram for each kind of atom."""
    table = composition.read(results)
    panels: list[tuple[str, str | None, str]] = [
        ("heteroatoms", None, "Heteroatoms in a molecule"),
        ("heavy_atoms", None, "Heavy atoms in a molecule"),
    ]
    elements = results.rows(COMPOSITION, table, kind="element")
    panels += [
        ("element", name, f"{name} atoms in a molecule")
        for name in composition.element_order(elements["name"])
    ]
    figure = new_figure(DOUBLE, 1.62 * -(-len(panels) // 3) + 0.3)
    axes = figure.subplots(-(-len(panels) // 3), 3).ravel()
    for ax, letter_, (kind, name, label) in zip(axes, "abcdefghijkl", panels, strict=False):
        rows = results.rows(COMPOSITION, table, kind=kind)
        counts = rows["count"] if name is None else composition.element_counts(rows, name)
        composition.draw_histogram(ax, counts, label, composition.color_of(name or kind))
        letter(ax, letter_)
    for ax in axes[len(panels) :]:
        ax.remove()
    figure.suptitle(composition.size(results, elements))
    return figure
