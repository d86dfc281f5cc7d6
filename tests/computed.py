"""Small molecules computed at GFN2-xTB, the content of the files that the tests write in every format."""

import numpy as np

from hessbench.chemistry.levels import make_level
from hessbench.data.layout import Metadata, Reaction

METADATA = Metadata("test", "1", "GFN2-xTB", "made up", "none", "none", "tests")


ISOMERS = {
    "R": [(0.000835, 0, 0), (1.192919, 0, 0), (-0.596877, 0.92715, 0), (-0.596877, -0.92715, 0)],
    "TS": [
        (-0.408705, -0.007101, 0.008125),
        (0.918468, 0.051461, -0.016208),
        (-0.776679, -1.056531, -0.043659),
        (0.266916, 1.012171, 0.051741),
    ],
    "P": [
        (-0.667373, 0.053996, 0),
        (0.637457, 0.029762, 0),
        (-0.978323, -1.01579, 0),
        (1.008239, 0.932032, 0),
    ],
}
"""H2CO, its TS and HCOH (C, O, H, H), optimised at GFN2-xTB, Angstrom."""
METHANOL = [
    (-0.143116, 0.333705, 0),
    (-0.135412, -1.07264, 0),
    (-1.188254, 0.637569, 0),
    (0.345167, 0.741639, 0.891712),
    (0.345167, 0.741639, -0.891712),
    (0.776447, -1.381913, 0),
]


def label(name: str, species: list[int], points: list, annotations: dict) -> Reaction:
    """Energies, forces and Hessians at GFN2-xTB."""
    numbers = np.array(species, dtype=np.uint8)
    coordinates = [np.array(point) for point in points]
    level = make_level("GFN2-xTB", numbers)
    energies, gradients = zip(*(level.gradient(point) for point in coordinates), strict=True)
    return Reaction(
        name,
        numbers,
        np.array(coordinates),
        np.array(energies),
        -np.array(gradients),
        np.array([level.hessian(point) for point in coordinates]),
        annotations,
    )
