"""Labels of structures (energy, forces, Hessian) and the form in which a reaction's labels are recorded."""

import numpy as np

from hessbench.chemistry.level import Level
from hessbench.data.layout import Reaction
from hessbench.data.states import lowest_multiplicity
from hessbench.system.journal import Outcome

_LABELS = ("numbers", "coordinates", "energies", "forces", "hessians", "state")


def label(level: Level, coordinates: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Label one structure.

    Parameters
    ----------
    level
        Of theory, for the molecule.
    coordinates
        (N, 3), Angstrom.

    Returns
    -------
    energy
        kcal/mol.
    forces
        (N, 3), kcal/mol/Angstrom.
    hessian
        (3N, 3N), kcal/mol/Angstrom^2.

    Raises
    ------
    LevelError
        A single point failed.
    """
    energy, gradient = level.gradient(coordinates)
    return energy, -gradient, level.hessian(coordinates)


def collect(
    numbers: np.ndarray,
    coordinates: list[np.ndarray],
    labels: list[tuple[float, np.ndarray, np.ndarray]],
    **annotations: list[object],
) -> dict[str, np.ndarray]:
    """Put the labelled structures of a reaction into the arrays of an outcome; none if there are none."""
    if not labels:
        return {}
    energies, forces, hessians = zip(*labels, strict=True)
    return {
        "numbers": np.asarray(numbers),
        "coordinates": np.stack(coordinates),
        "energies": np.array(energies),
        "forces": np.stack(forces),
        "hessians": np.stack(hessians),
        **{key: np.array(value) for key, value in annotations.items()},
    }


def state_of(numbers: np.ndarray, charge: int = 0, multiplicity: int | None = None) -> list[object]:
    """Charge and multiplicity to be recorded with labels; without a multiplicity, the lowest one."""
    return [charge, lowest_multiplicity(numbers, charge) if multiplicity is None else multiplicity]


def to_reaction(outcome: Outcome) -> Reaction:
    """Make the reaction of the data layout from an outcome with arrays."""
    arrays = outcome.arrays
    charge, multiplicity = np.asarray(arrays.get("state", state_of(arrays["numbers"]))).tolist()
    return Reaction(
        name=outcome.name,
        numbers=arrays["numbers"],
        coordinates=arrays["coordinates"],
        energies=arrays["energies"],
        forces=arrays["forces"],
        hessians=arrays["hessians"],
        annotations={key: value for key, value in arrays.items() if key not in _LABELS},
        charge=charge,
        multiplicity=multiplicity,
    )
