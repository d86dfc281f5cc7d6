"""E-F-H at the paper's size: the mean of the four pretrained networks that come with the package."""

import hessbench
from hessbench.calculators.ase_calculator import HessbenchCalculator

level = "GFN2-xTB"


def calculator() -> HessbenchCalculator:
    """ASE calculator of the mean, with its exact Hessian."""
    return hessbench.load("efh").calculator()
