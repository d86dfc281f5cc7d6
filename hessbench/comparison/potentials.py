"""The trained potentials that an experiment compares: bands, spectra and transition state searches."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from hessbench.calculators.brought import Brought
from hessbench.chemistry.level_potential import LevelPotential
from hessbench.config.inputs import Inputs, digest
from hessbench.config.loss_labels import REFERENCE
from hessbench.potential.ensembles import (
    ensemble_folder,
    ensemble_inputs,
    ensemble_label,
    load_member,
    model_file,
    trained_seeds,
)
from hessbench.potential.interface import Potential

REFERENCE_SEED = -1


class NamedPotential(NamedTuple):
    """A potential as tables name it.

    Attributes
    ----------
    loss, seed
        Label of the loss, or name; "reference" is the level of theory.
    load
        Makes it, in whichever process needs it.
    digest
        Tells it from others; what was computed with another one is computed anew.
    """

    loss: str
    seed: int
    load: Callable[[], Potential]
    digest: str


def brought_potential(item: Brought) -> NamedPotential:
    """Name a user's potential; it counts as an ensemble of one."""
    return NamedPotential(item.name, 0, item.load, item.digest)


def level_potential(level: str) -> NamedPotential:
    """Name the level of theory of the reference."""
    return NamedPotential(REFERENCE, REFERENCE_SEED, partial(LevelPotential, level), level)


def trained_potentials(
    losses: Sequence[str], percent: int, seeds: int
) -> tuple[list[NamedPotential], list[Inputs]]:
    """Name the first models of each ensemble.

    Parameters
    ----------
    losses
        Names of the losses in `training.losses`.
    percent
        Training set size of the ensembles, percent of all structures.
    seeds
        Models of each at most.

    Returns
    -------
    the potentials, and what the models of each ensemble are made from.

    Raises
    ------
    DataError
        An ensemble is missing, not finished, or does not say what it was made from.
    """
    potentials: list[NamedPotential] = []
    made_from = []
    for loss in losses:
        folder = ensemble_folder(loss, percent)
        label = ensemble_label(folder)
        files = {seed: model_file(folder, seed) for seed in trained_seeds(folder)[:seeds]}
        potentials += [
            NamedPotential(label, seed, partial(load_member, file), digest(file.read_bytes()))
            for seed, file in files.items()
        ]
        made_from.append(ensemble_inputs(folder))
    return potentials, made_from
