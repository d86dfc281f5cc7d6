"""Figure S1: composition of the molecules trained on.

Numbers of heteroatoms (all but C and H), heavy atoms, and atoms of each element in a molecule.
"""

from matplotlib.figure import Figure

from hessbench.experiments.composition import plot as composition
from hessbench.plotting.sheet import letter, new_sheet
from hessbench.plotting.source import Source
from hessbench.plotting.style import DOUBLE

TITLE = "Atoms in the molecules of the data set"
STAGES = ("composition",)
CLAIMS = ()


def draw(source: Source) -> Figure:
    """Draw one histogram for each kind of atom."""
    table = composition.read(source)
    panels: list[tuple[str, str | None, str]] = [
        ("heteroatoms", None, "Heteroatoms in a molecule"),
        ("heavy_atoms", None, "Heavy atoms in a molecule"),
    ]
    elements = source.rows("composition", table, kind="element")
    panels += [
        ("element", name, f"{name} atoms in a molecule")
        for name in composition.element_order(elements["name"])
    ]
    figure = new_sheet(DOUBLE, 1.62 * -(-len(panels) // 3) + 0.3)
    axes = figure.subplots(-(-len(panels) // 3), 3).ravel()
    for ax, letter_, (kind, name, label) in zip(axes, "abcdefghijkl", panels, strict=False):
        rows = source.rows("composition", table, kind=kind)
        counts = rows["count"] if name is None else composition.element_counts(rows, name)
        composition.draw_histogram(ax, counts, label, composition.color_of(name or kind))
        letter(ax, letter_)
    for ax in axes[len(panels) :]:
        ax.remove()
    figure.suptitle(composition.size(source, elements))
    return figure
