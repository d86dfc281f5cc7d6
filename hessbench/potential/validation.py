"""Find out whether an object is a potential: what an adapter of any program or model should pass.

Nearly every check compares what a potential predicts with what else it predicts, so nothing needs to be known
of it but its interface. An error names both values, where they stand, and what would make them agree.
"""

import math
from collections.abc import Iterable

import numpy as np
import torch
from ase import Atoms
from ase.build import molecule
from ase.data import atomic_numbers, covalent_radii

from hessbench.potential import validation_checks as checks
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import hessians
from hessbench.potential.interface import Potential
from hessbench.potential.probes import draw_probes
from hessbench.potential.validation_remedies import ENERGIES
from hessbench.potential.validation_subject import InvalidPotentialError, Subject

PROBES = 2
"""Vectors that Hessians are multiplied with."""
EXAMPLES = ("H2O", "H2CO", "CH3CN", "NH3", "CH4", "CO2", "N2", "H2")
COUNT = 3
"""At most so many of the examples are taken."""
STIFFNESS = {"H2O": 2400.0, "NH3": 2250.0, "CH4": 1800.0, "CO2": 5900.0, "N2": 5600.0}
"""Largest eigenvalue of the Hessian of a molecule at its minimum, kcal/mol/Angstrom^2, between those of
GFN2-xTB and wB97X-D/6-31G(d)."""
ACCURACY = 1.6
"""Factor by which a potential may miss the stiffness, much below that between two units of energy (4.2)."""


def validate(
    potential: Potential, structures: Iterable[Atoms] | None = None, *, physical: bool = True
) -> None:
    """Check a potential: shapes, types, derivatives, units, batches, symmetry and invariances.

    Parameters
    ----------
    potential
        Any; nothing in it is changed.
    structures
        Molecules to check it on, of different sizes and away from their minima; None: some small ones of its
        elements.
    physical
        Whether it is meant to describe molecules, so that its unit of energy shows in the stiffness of their
        bonds. False for a model before training.

    Raises
    ------
    InvalidPotentialError
        The first thing found that is not as `hessbench.potential.Potential` says.
    """
    checks.check_description(potential)
    atoms = example_structures(potential.elements) if structures is None else list(structures)
    batch = Batch.from_atoms(atoms, potential.dtype).to(potential.device)
    probes = draw_probes(batch, PROBES, "gaussian", torch.Generator().manual_seed(0))
    subject = Subject(potential, batch, probes, [item.get_chemical_formula() for item in atoms])
    checks.check_shapes(subject)
    together = subject.predict_all(batch, probes)
    checks.check_single_molecules(subject, together)
    checks.check_derivatives(subject, together)
    checks.check_symmetry(subject, together)
    checks.check_invariances(subject, together)
    checks.check_reverse_pass(subject)
    if physical:
        check_unit(potential)


def example_structures(elements: tuple[str, ...]) -> list[Atoms]:
    """Small distorted molecules of these elements, or three atoms near each other if there is none."""
    examples = [molecule(name) for name in EXAMPLES]
    known = [item for item in examples if set(item.get_chemical_symbols()) <= set(elements)][:COUNT]
    if not known:
        symbols = [elements[index % len(elements)] for index in range(3)]
        radius = max(covalent_radii[atomic_numbers[symbol]] for symbol in symbols)
        known = [Atoms(symbols, radius * np.array([[1.2, 0, 0], [-1.2, 0, 0], [0, 2, 0.1]]))]
    for seed, item in enumerate(known):
        item.rattle(0.08, seed=seed)
    return known


def check_unit(potential: Potential) -> None:
    """Tell the unit of energy from the stiffness of a molecule, if the potential knows one of `STIFFNESS`.

    Raises
    ------
    InvalidPotentialError
        It is another unit than kcal/mol, or the stiffness is that of no molecule.
    """
    known = [
        name for name in STIFFNESS if set(molecule(name).get_chemical_symbols()) <= set(potential.elements)
    ]
    if not known:
        return
    (hessian,) = hessians(potential, Batch.from_atoms([molecule(known[0])]))
    found, expected = float(np.linalg.eigvalsh(hessian)[-1]), STIFFNESS[known[0]]
    if expected / ACCURACY < found < expected * ACCURACY:
        return
    remedy = "if the potential is not meant to be accurate for molecules, pass physical=False"
    for unit, factor in ENERGIES.items():
        if found > 0 and abs(math.log(found * factor / expected)) < math.log(ACCURACY):
            remedy = (
                f"all values seem to be in {unit}: multiply energies, forces and Hessians by {factor:.6g}"
            )
    raise InvalidPotentialError(
        f"The largest eigenvalue of the Hessian of {known[0]} at its minimum is {found:.4g}, expected about "
        f"{expected:.4g} kcal/mol/Angstrom^2; {remedy}."
    )
