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
from hessbench.errors import HessbenchError, PotentialError
from hessbench.potential.array_potential import ArrayPotential
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import Array
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
    potential = SeparatePotential(source)
    if molecules is None:
        molecules = [Batch.from_atoms([item]) for item in example_structures(("H", "C", "N", "O"))]
    unchecked = check_calculator(potential, molecules)
    found = read_card(card) if card else card_beside(source)
    level = potential.level or (found.level if found else "")
    if found and not same_level(level, found.level):
        raise HessbenchError(f"{source} states level {level!r}, its card {found.level!r}; correct one.")
    load = partial(SeparatePotential, source)
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
        energies = np.full(len(batch), np.nan)
        forces = np.full(batch.coordinates.shape, np.nan)
        for index in range(len(batch)):
            first, last = batch.offsets[index : index + 2].tolist()
            try:
                prediction = self.potential.predict(batch.slice(index, index + 1), 1)
            except PotentialError as error:
                self.reasons.setdefault(batch.formula(index), str(error))
                continue
            energies[index] = float(prediction.energies[0])
            assert prediction.forces is not None
            forces[first:last] = prediction.forces.numpy()
        return energies, forces
