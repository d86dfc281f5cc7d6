"""Molecules as balls and sticks, seen along the direction of their least extent; CPK colours."""

import numpy as np
from ase.data import covalent_radii
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from hessbench.chemistry.bonds import AT_MOST, BONDED, relative_distances

CPK = {1: "#FFFFFF", 6: "#606060", 7: "#3050F8", 8: "#E02020"}
OTHER = "#C08000"
HEIGHT = 0.62
"""Height over width of a drawn molecule's frame."""


def common_view(structures: list[np.ndarray]) -> list[np.ndarray]:
    """Move structures (N, 3) of the same atoms onto the first one, its widest plane towards the viewer."""
    first = structures[0] - structures[0].mean(axis=0)
    _, _, axes = np.linalg.svd(first)
    aligned = []
    for structure in structures:
        centred = structure - structure.mean(axis=0)
        u, _, vt = np.linalg.svd(centred.T @ first)  # Kabsch
        u[:, -1] *= np.sign(np.linalg.det(u @ vt))
        aligned.append(centred @ u @ vt @ axes.T)
    return aligned


def extent(coordinates: np.ndarray) -> float:
    """Half the width in Angstrom that shows all atoms in a frame of the proportion `HEIGHT`."""
    across, up = np.abs(coordinates[..., :2]).reshape(-1, 2).max(axis=0) + 0.6
    return float(max(across, up / HEIGHT))


def draw_molecule(
    axes: Axes, numbers: np.ndarray, coordinates: np.ndarray, title: str = "", *, width: float
) -> None:
    """Draw atoms (N,) at coordinates (N, 3) in Angstrom, z towards the viewer, `width` to either side.

    Bonds are lines, those being made or broken dotted ones.
    """
    reach = relative_distances(numbers, coordinates)
    depth = coordinates[:, 2]
    for i, j in zip(*np.triu_indices(len(numbers), 1), strict=True):
        if reach[i, j] < AT_MOST and not (numbers[i] == numbers[j] == 1 and reach[i, j] > BONDED):
            whole = reach[i, j] < BONDED
            axes.plot(
                *coordinates[[i, j], :2].T,
                color="0.35",
                lw=1.8 if whole else 1.0,
                ls="-" if whole else (0, (1, 1)),
                zorder=2 + depth[[i, j]].mean() / 100,
                solid_capstyle="round",
            )
    for number, radius, (x, y, z) in zip(numbers, covalent_radii[numbers], coordinates, strict=True):
        axes.add_patch(
            Circle(
                (x, y),
                0.42 * radius,
                facecolor=CPK.get(int(number), OTHER),
                edgecolor="0.2",
                lw=0.5,
                zorder=3 + z / 100,
            )
        )
    axes.set_xlim(-width, width)
    axes.set_ylim(-HEIGHT * width, HEIGHT * width)
    axes.set_aspect("equal")
    axes.axis("off")
    axes.set_title(title, pad=1.5)
