"""How networks make the energy of a molecule, drawn from a trained model's description (SI B)."""

from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch, Rectangle

from hessbench.plotting.molecule import CPK
from hessbench.plotting.style import ELEMENT_COLORS
from hessbench.potential.diagram import AtomicNetworks

Molecule = list[tuple[str, tuple[float, float]]]
FORMALDEHYDE: Molecule = [("C", (0.0, 0.0)), ("O", (0.0, 1.2)), ("H", (-0.94, -0.55)), ("H", (0.94, -0.55))]
"""Planar coordinates in Angstrom near the experimental geometry; a sketch, nothing is computed from them."""
BONDS = ((0, 1), (0, 2), (0, 3))
NUMBERS = {"H": 1, "C": 6, "N": 7, "O": 8}
ROWS = {"atom": 0.9, "feature": 2.55, "network": 4.6, "energy": 8.35, "sum": 9.5}
"""Where the columns of the diagram stand."""


def widths(networks: AtomicNetworks, element: str) -> list[int]:
    """Widths of an element's network, from features to the one output."""
    return [networks.radial + networks.angular, *networks.hidden[element], 1]


def parameters(networks: AtomicNetworks, element: str) -> int:
    """Number of weights, and biases if there are any, of an element's network."""
    sizes = widths(networks, element)
    weights = sum(a * b for a, b in pairwise(sizes))
    return weights + (sum(sizes[1:]) if networks.biases else 0)


def draw_network(axes: Axes, networks: AtomicNetworks) -> None:
    """Atoms, their feature vectors, one network per atom (ringed in the colour of its element), and the sum.

    Parameters
    ----------
    networks
        Of the model.
    """
    axes.set_xlim(-1.9, 10.4)
    axes.set_ylim(-5.15, 3.35)
    axes.set_aspect("equal")
    axes.axis("off")
    heights = [2.0, 0.35, -1.3, -2.95]
    _draw_molecule(axes)
    for row, ((element, _), y) in enumerate(zip(FORMALDEHYDE, heights, strict=True)):
        color = ELEMENT_COLORS[element]
        axes.annotate("", (ROWS["atom"] - 0.28, y), (-0.05, -0.35 + 0.2 * y), arrowprops=_arrow("0.6"))
        axes.add_patch(Circle((ROWS["atom"], y), 0.24, fc=CPK[NUMBERS[element]], ec="0.2", lw=0.6))
        axes.text(
            ROWS["atom"],
            y,
            element,
            ha="center",
            va="center",
            fontsize=6.5,
            color="black" if element == "H" else "white",
        )
        _draw_features(axes, networks, row, y)
        _draw_layers(axes, widths(networks, element), y, color)
        axes.annotate("", (ROWS["feature"] - 0.62, y), (ROWS["atom"] + 0.28, y), arrowprops=_arrow())
        axes.annotate("", (ROWS["network"] - 0.52, y), (ROWS["feature"] + 0.62, y), arrowprops=_arrow())
        axes.annotate("", (ROWS["energy"] - 0.3, y), (7.72, y), arrowprops=_arrow())
        axes.text(
            ROWS["energy"],
            y,
            rf"$E_{{\mathrm{{{element}}}{_index(row)}}}$",
            ha="center",
            va="center",
            fontsize=8,
        )
        axes.annotate(
            "", (ROWS["sum"] - 0.33, -0.47 + 0.07 * y), (ROWS["energy"] + 0.3, y), arrowprops=_arrow()
        )
    axes.add_patch(Circle((ROWS["sum"], -0.47), 0.32, fc="white", ec="black", lw=0.8))
    axes.text(ROWS["sum"], -0.47, "Σ", ha="center", va="center", fontsize=10)
    axes.text(ROWS["sum"] + 0.1, -1.35, "$E_T$ of\nCH$_2$O", ha="center", va="center", fontsize=7)
    for x, title in (
        (-1.0, "Molecule"),
        (ROWS["atom"], "Atoms"),
        (ROWS["feature"], f"Features $G$\n{networks.radial} radial + {networks.angular} angular"),
        (6.1, f"Networks, one per element\n({_activation(networks)})"),
        (ROWS["energy"], "Atomic\nenergies"),
        (ROWS["sum"], "Sum"),
    ):
        axes.text(x, 3.3, title, ha="center", va="top", fontsize=6.8, fontweight="bold")
    used = list(dict.fromkeys(element for element, _ in FORMALDEHYDE))
    sizes = [
        f"{element}: {'–'.join(map(str, widths(networks, element)))}, "
        f"{parameters(networks, element):,} parameters"
        for element in networks.elements
    ]
    unused = [element for element in networks.elements if element not in used]
    axes.text(
        -1.85,
        -3.75,
        "Networks of this model\n" + "\n".join(sizes),
        ha="left",
        va="top",
        fontsize=6,
        linespacing=1.35,
    )
    axes.text(
        5.1,
        -3.75,
        "\n".join(networks.notes) + "\n"
        "Both hydrogens share one network" + (f"; {', '.join(unused)} is not in CH$_2$O" if unused else ""),
        ha="left",
        va="top",
        fontsize=6,
        linespacing=1.35,
    )


def _draw_molecule(axes: Axes) -> None:
    middle = np.array([-1.0, -0.47])
    places = [middle + 0.55 * np.array(xy) for _, xy in FORMALDEHYDE]
    for i, j in BONDS:
        ends = np.array([places[i], places[j]])
        shifts = ([-0.05, 0.0], [0.05, 0.0]) if (i, j) == (0, 1) else ([0.0, 0.0],)  # C=O is a double bond
        for shift in shifts:
            axes.plot(*(ends + shift).T, color="0.35", lw=1.4, zorder=1)
    for (element, _), place in zip(FORMALDEHYDE, places, strict=True):
        size = 0.2 if element == "H" else 0.27
        axes.add_patch(Circle(tuple(place), size, fc=CPK[NUMBERS[element]], ec="0.2", lw=0.6, zorder=2))


def _draw_features(axes: Axes, networks: AtomicNetworks, row: int, y: float) -> None:
    """A strip with one cell per block of features: a block per element, then one per pair of elements."""
    elements, radial, angular = networks.elements, networks.radial, networks.angular
    blocks = len(elements) + len(elements) * (len(elements) + 1) // 2
    sizes = np.array(
        [radial / len(elements)] * len(elements)
        + [angular / (blocks - len(elements))] * (blocks - len(elements))
    )
    edges = np.concatenate([[0], np.cumsum(sizes) / sizes.sum()]) * 1.16 + ROWS["feature"] - 0.58
    for k, (left, right) in enumerate(pairwise(edges)):
        color = (
            ELEMENT_COLORS.get(elements[k], "0.5")
            if k < len(elements)
            else str(0.55 + 0.35 * ((k % 2) or 0.3))
        )
        axes.add_patch(
            Rectangle((left, y - 0.17), right - left, 0.34, fc=color, ec="white", lw=0.3, alpha=0.75)
        )
    axes.text(
        ROWS["feature"],
        y + 0.25,
        f"$G_{{{row + 1},1}} … G_{{{row + 1},{radial + angular}}}$",
        ha="center",
        va="bottom",
        fontsize=5.6,
    )


def _draw_layers(axes: Axes, sizes: list[int], y: float, color: str) -> None:
    left, right = ROWS["network"], 7.55
    axes.add_patch(
        FancyBboxPatch(
            (left - 0.42, y - 0.68),
            right - left + 0.55,
            1.36,
            boxstyle="round,pad=0,rounding_size=0.35",
            fc="white",
            ec=color,
            lw=1.6,
        )
    )
    xs = np.linspace(left, right - 0.2, len(sizes))
    columns = []
    for x, size in zip(xs, sizes, strict=True):
        nodes = 1 if size == 1 else 5
        ys = y + 0.08 + np.linspace(-0.42, 0.42, nodes) if nodes > 1 else np.array([y + 0.08])
        columns.append((x, ys))
    for (x0, ys0), (x1, ys1) in pairwise(columns):
        for y0 in ys0:
            for y1 in ys1:
                axes.plot([x0, x1], [y0, y1], color="0.75", lw=0.25, zorder=2)
    for (x, ys), size in zip(columns, sizes, strict=True):
        for node in ys:
            axes.add_patch(Circle((x, node), 0.075, fc="white", ec=color, lw=0.9, zorder=3))
        axes.text(x, y - 0.6, str(size), ha="center", va="bottom", fontsize=5, zorder=3)


def _activation(networks: AtomicNetworks) -> str:
    return f"{networks.activation}, {'with' if networks.biases else 'without'} biases"


def _arrow(color: str = "0.3") -> dict[str, Any]:
    return {"arrowstyle": "-|>", "lw": 0.7, "color": color, "mutation_scale": 6, "shrinkA": 0, "shrinkB": 0}


def _index(row: int) -> str:
    """Number among atoms of the same element; none where there is only one."""
    element = FORMALDEHYDE[row][0]
    same = [k for k, (other, _) in enumerate(FORMALDEHYDE) if other == element]
    return str(same.index(row) + 1) if len(same) > 1 else ""
