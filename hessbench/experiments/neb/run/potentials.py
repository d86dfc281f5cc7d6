"""The trained potentials that an experiment compares: bands, spectra and transition state searches."""

from collections.abc import Callable, Sequence
from functools import partial

from hessbench.config.inputs import Inputs
from hessbench.potential.ensembles import (
    ensemble_folder,
    ensemble_inputs,
    ensemble_label,
    load_member,
    model_file,
    trained_seeds,
)
from hessbench.potential.interface import Potential

NamedPotential = tuple[str, int, Callable[[], Potential]]
"""Label of the loss, or name, of a potential; its seed; and what loads it, in whichever process needs it."""


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
        potentials += [
            (label, seed, partial(load_member, model_file(folder, seed)))
            for seed in trained_seeds(folder)[:seeds]
        ]
        made_from.append(ensemble_inputs(folder))
    return potentials, made_from
