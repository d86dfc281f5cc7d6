"""What the molecules of a data set are made of: elements, and bonds of reactants and products.

The content of Figures S1 and S2 of the paper.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from ase.data import chemical_symbols

from hessbench.chemistry.normal_modes import atomic_masses, normal_modes
from hessbench.data.layout import Reaction
from hessbench.errors import HessbenchError
from hessbench.formats.plausibility import stationary

ORDERS = ("single", "double", "triple", "aromatic")
"""Kinds of bonds, as RDKit names them in capitals."""
IMAGINARY = -30.0
"""Wavenumber below which a mode is imaginary, cm-1."""
ITERATIONS = 20_000
"""Assignments of bond orders that are tried before a molecule is given up."""


def composition(reactions: Iterable[Reaction], set_name: str = "rtp") -> pd.DataFrame:
    """Count elements, heavy atoms, heteroatoms and bonds of every structure.

    Bonds are counted in reactants and products (by the annotation `role`, else by forces and Hessian), as a
    transition state has none that could be counted. Hydrogens count as bonded by single bonds.

    Parameters
    ----------
    reactions
        The data.
    set_name
        Goes into the column `set`.

    Returns
    -------
    DataFrame
        Columns set, reaction, structure, kind, name, count, reason: one row for each kind "element" (name:
        its symbol), "heavy_atoms" (all but H), "heteroatoms" (all but H and C), and "bonds" (name: single,
        double, triple, aromatic) of each structure. Bonds that could not be perceived are a row with the name
        "unknown", no count and a reason.

    Raises
    ------
    HessbenchError
        RDKit is not installed.
    """
    rows = [row for reaction in reactions for row in _rows(reaction, set_name)]
    frame = pd.DataFrame(rows, columns=["set", "reaction", "structure", "kind", "name", "count", "reason"])
    return frame.astype({"count": "Int64"})


def count_bonds(numbers: np.ndarray, coordinates: np.ndarray, charge: int = 0) -> dict[str, int]:
    """Count bonds by order, perceived from a geometry by RDKit.

    Parameters
    ----------
    numbers, coordinates
        (N,) and (N, 3), Angstrom, of one structure at a minimum.
    charge
        Of the molecule.

    Returns
    -------
    dict
        Number of bonds of each of `ORDERS`.

    Raises
    ------
    ValueError
        No assignment of bond orders fits.
    HessbenchError
        RDKit is not installed.
    """
    try:
        from rdkit import Chem, rdBase
        from rdkit.Chem import rdDetermineBonds
    except ImportError:
        raise HessbenchError("counting bonds needs RDKit: pip install 'hessbench[composition]'.") from None
    lines = [str(len(numbers)), ""]
    lines += [
        f"{chemical_symbols[number]} {x:.8f} {y:.8f} {z:.8f}"
        for number, (x, y, z) in zip(numbers, coordinates, strict=True)
    ]
    with rdBase.BlockLogs():
        molecule = Chem.MolFromXYZBlock("\n".join(lines) + "\n")
        try:
            rdDetermineBonds.DetermineBonds(
                molecule,
                charge=charge,
                embedChiral=False,
                allowChargedFragments=True,
                maxIterations=ITERATIONS,
            )
            Chem.SanitizeMol(molecule)
        except (Chem.MolSanitizeException, RuntimeError) as error:
            raise ValueError(str(error)) from None
    kinds = Counter(str(bond.GetBondType()).lower() for bond in molecule.GetBonds())
    return {order: kinds[order] for order in ORDERS}


def _rows(reaction: Reaction, set_name: str) -> Iterator[tuple[Any, ...]]:
    numbers = reaction.numbers
    elements = Counter(chemical_symbols[number] for number in numbers)
    heavy = int(np.count_nonzero(numbers > 1))
    hetero = int(np.count_nonzero((numbers > 1) & (numbers != 6)))
    atoms = [("element", symbol, count) for symbol, count in sorted(elements.items())]
    atoms += [("heavy_atoms", "all but H", heavy), ("heteroatoms", "all but H and C", hetero)]
    minima = _minima(reaction)
    for structure in range(len(reaction)):
        head = (set_name, reaction.name, structure)
        yield from ((*head, *item, "") for item in atoms)
        if not minima[structure]:
            continue
        try:
            bonds = count_bonds(numbers, reaction.coordinates[structure], reaction.charge)
        except ValueError as error:
            reason = str(error).strip().splitlines() or ["no bond orders fit"]
            yield (*head, "bonds", "unknown", None, reason[0])
            continue
        yield from ((*head, "bonds", order, count, "") for order, count in bonds.items())


def _minima(reaction: Reaction) -> np.ndarray:
    """(n,) whether a structure is a reactant or a product."""
    if "role" in reaction.annotations:
        return np.isin(reaction.annotations["role"].astype(str), ("R", "P"))
    minima = stationary(reaction)
    if reaction.hessians is None or len(reaction.numbers) < 2:
        return minima
    masses = atomic_masses(reaction.numbers)
    for structure in np.flatnonzero(minima):
        modes = normal_modes(reaction.coordinates[structure], masses, reaction.hessians[structure])
        minima[structure] = not (modes.wavenumbers < IMAGINARY).any()
    return minima
