"""What is to be learned from structures: their energies without those of the free atoms."""

from ase.data import atomic_numbers

from hessbench.data.structures import Structures
from hessbench.potential.atomic_energies import compositions
from hessbench.potential.interface import TrainablePotential
from hessbench.training.batches import Examples


def examples(potential: TrainablePotential, structures: Structures) -> Examples:
    """Structures with their energies less the potential's atomic energies, subtracted in float64."""
    numbers = [atomic_numbers[symbol] for symbol in potential.elements]
    atoms = compositions(structures.numbers, structures.counts, numbers)
    return Examples(structures, structures.energies - atoms @ potential.atomic_energies.cpu().numpy())
