"""What the molecules of a data set are made of (SI, section A)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hessbench.experiments.composition.run.tables import COMPOSITION
from hessbench.plotting.style import ELEMENT_COLORS
from hessbench.results.reader import Results


def read(results: Results, test_set: str = "rtp") -> pd.DataFrame:
    """Read the counts of one set: columns reaction, structure, kind, name, count."""
    columns = ["set", "reaction", "structure", "kind", "name", "count"]
    return results.rows(COMPOSITION, results.table(COMPOSITION, columns), set=test_set)


def element_counts(table: pd.DataFrame, element: str) -> pd.Series:
    """Atoms of an element in every molecule; 0 where a molecule has no row for it."""
    rows = table[table["kind"] == "element"]
    molecules = rows[["reaction", "structure"]].drop_duplicates()
    found = rows.loc[rows["name"] == element, ["reaction", "structure", "count"]]
    return molecules.merge(found, how="left", on=["reaction", "structure"])["count"].fillna(0)


def draw_histogram(axes: Axes, counts: pd.Series, label: str, color: str) -> None:
    """Number of molecules by how often something occurs in them; every whole number is a bar."""
    values, molecules = np.unique(counts.to_numpy(dtype=int), return_counts=True)
    axes.bar(values, molecules, width=0.85, color=color, edgecolor="white", linewidth=0.3)
    axes.set_xlabel(label)
    axes.set_ylabel("Molecules")
    low, high = values.min(), max(values.max(), values.min() + 4)
    axes.set_xlim(low - 0.7, high + 0.7)
    axes.set_xticks(range(low, high + 1, 1 if high - low < 10 else 2))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axes.grid(axis="x", visible=False)
    axes.text(
        0.98,
        0.97,
        f"mean {counts.mean():.1f}",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=6,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )
    axes.margins(y=0.2)


def element_order(names: pd.Series) -> list[str]:
    """Elements as chemists write them: C, H, then by name."""
    found = sorted(set(names))
    return [name for name in ("C", "H") if name in found] + [name for name in found if name not in ("C", "H")]


def color_of(name: str) -> str:
    """Colour of an element, grey for other kinds of atoms."""
    return ELEMENT_COLORS.get(name, "#8C8C8C")


def size(results: Results, table: pd.DataFrame, what: str = "molecules") -> str:
    """Line that says how many molecules these are, and how many the paper has."""
    structures = table[["reaction", "structure"]].drop_duplicates()
    published = results.published.counts["rtp"]
    return (
        f"{len(structures):,} {what} of {structures['reaction'].nunique():,} reactions "
        f"(paper: {published.structures:,} structures of {published.reactions:,} reactions)"
    )
