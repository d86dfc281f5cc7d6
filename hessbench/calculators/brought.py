"""Potentials that users bring to a command: loaded, checked and named before the work begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import click
import numpy as np

from hessbench.calculators.card import Card, card_beside, read_card, same_level
from hessbench.calculators.check import check_calculator
from hessbench.calculators.separate import SeparatePotential
from hessbench.calculators.user_file import digest_of, name_of
from hessbench.config.device import chosen_device
from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch, Prediction
from hessbench.potential.evaluation import Array, as_array, given
from hessbench.potential.interface import Potential
from hessbench.potential.validation import example_structures

calculators_option = click.option(
    "--calculator",
    "calculators",
    multiple=True,
    help="Also a potential of your own: a Python file, which is run as code, that defines `calculator`, an "
    "ASE calculator or what gives one, or package.module:name. Its name in the tables is that of the file.",
)


@dataclass(frozen=True)
class Brought:
    """A user's potential.

    Attributes
    ----------
    name
        In the tables.
    load
        Makes it; picklable, for other processes.
    level
        The level of theory that it states; empty if none.
    card
        Its model card, if it has one.
    digest
        Tells it from others; an interrupted run goes on with the same one only.
    unchecked
        Why its derivatives could not be compared with differences; empty if they were.
    """

    name: str
    load: Callable[[], Potential]
    level: str = ""
    card: Card | None = None
    digest: str = ""
    unchecked: str = ""


def bring(
    source: Path | str,
    molecules: Sequence[Batch] | None = None,
    name: str | None = None,
    card: Path | None = None,
) -> Brought:
    """Load a user's potential, and compare its derivatives with differences.

    Parameters
    ----------
    source
        A file, or `package.module:name`.
    molecules
        Of one molecule each, to try it on; None: some small ones.
    name
        In the tables; None: that of the file.
    card
        Its model card; None: that beside the file, if there is one.

    Raises
    ------
    HessbenchError
        It cannot be loaded, fails for all molecules, a derivative is not one, or card and file state
        different levels of theory.
    """
    load = partial(SeparatePotential, source, str(chosen_device()))
    potential = load()
    if molecules is None:
        molecules = [Batch.from_atoms([item]) for item in example_structures(("H", "C", "N", "O"))]
    unchecked = check_calculator(potential, molecules)
    found = read_card(card) if card else card_beside(source)
    level = potential.level or (found.level if found else "")
    if found and not same_level(level, found.level):
        raise HessbenchError(f"{source} states level {level!r}, its card {found.level!r}; correct one.")
    return Brought(name or name_of(source), load, level, found, digest_of(source), unchecked)


@dataclass
class FailuresNotFinite(ArrayPotential):
    """A potential whose failures are energies and forces that are not finite, as dynamics understands them.

    Attributes
    ----------
    potential
        The one that may fail.
    reasons
        Formula of each molecule for which it did to what it said first.
    """

    potential: Potential
    reasons: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def energies_and_forces(self, batch: Batch) -> tuple[Array, Array]:
        """Energies and forces, see `ArrayPotential.energies_and_forces`."""
        try:
            return _arrays(self.potential.predict(batch, 1))
        except PotentialError as error:
            if len(batch) == 1:
                self.reasons.setdefault(batch.formula(0), str(error))
                return np.full(1, np.nan), np.full(batch.coordinates.shape, np.nan)
        # It may be one of many: which one shows when each is asked for alone.
        each = [self.energies_and_forces(batch.slice(index, index + 1)) for index in range(len(batch))]
        energies, forces = zip(*each, strict=True)
        return np.concatenate(energies), np.concatenate(forces)


def _arrays(prediction: Prediction) -> tuple[Array, Array]:
    return as_array(prediction.energies), as_array(given(prediction.forces, "forces"))
