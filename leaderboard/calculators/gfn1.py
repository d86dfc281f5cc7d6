"""GFN1-xTB through tblite (extra `generate`); Hessians are central differences of its forces."""

from ase.calculators.calculator import Calculator
from tblite.ase import TBLite

level = "GFN1-xTB"


def calculator() -> Calculator:
    """ASE calculator, converged tightly enough for differences of forces."""
    return TBLite(method="GFN1-xTB", verbosity=0, accuracy=0.1)
