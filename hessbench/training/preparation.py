"""Models before their training, and what they are to learn: energies without those of the free atoms."""

from ase.data import atomic_numbers

from hessbench.config.device import chosen_device
from hessbench.data.structures import Structures
from hessbench.potential.atomic_energies import compositions
from hessbench.potential.interface import TrainablePotential
from hessbench.potential.registry import ModelConfig, build
from hessbench.training.batches import Examples


def prepared(settings: ModelConfig, seed: int, training: Structures) -> TrainablePotential:
    """Build a model, prepare it for its training structures, and put it on the device of params.yaml."""
    model = build(settings, seed)
    model.prepare(training)
    return model.to(chosen_device())


def examples(potential: TrainablePotential, structures: Structures) -> Examples:
    """Structures with their energies less the potential's atomic energies, subtracted in float64."""
    numbers = [atomic_numbers[symbol] for symbol in potential.elements]
    atoms = compositions(structures.numbers, structures.counts, numbers)
    return Examples(structures, structures.energies - atoms @ potential.atomic_energies.cpu().numpy())
