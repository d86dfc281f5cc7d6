"""The paper's numbers and claims: reproduce/published.yaml, read into typed values."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import Field, PositiveFloat, PositiveInt

from hessbench.config.base import Section, read_yaml, validate

PUBLISHED = Path("reproduce/published.yaml")

Loss: TypeAlias = Literal["e", "ef", "efh"]
TestSet: TypeAlias = Literal["rtp", "irc", "nms"]


class Cell(NamedTuple):
    """One cell of Tables 2-4: mean RMSE over the models, and what follows its plus-minus sign."""

    rmse: Annotated[float, Field(gt=0)]
    spread: Annotated[float, Field(ge=0)]


class Failure(NamedTuple):
    """One cell of Table S1: temperature (K) and simulation time (fs) at failure."""

    temperature: Annotated[float, Field(ge=0)]
    time: Annotated[float, Field(ge=0)]


class Count(Section):
    """Size of a data set."""

    structures: PositiveInt
    reactions: PositiveInt


class Cells(Section):
    """A row of Tables 2-4: kcal/mol, kcal/mol/Angstrom, kcal/mol/Angstrom^2."""

    energy: Cell
    force: Cell
    hessian: Cell


class Trainings(Section):
    """A whole table of RMSEs: one row a loss."""

    e: Cells
    ef: Cells
    efh: Cells


class RmseTables(Section):
    """Tables 2, 3 and 4."""

    rtp: Trainings
    irc: Trainings
    nms: Trainings


class Failures(Section):
    """A row of Table S1."""

    e: Failure
    ef: Failure
    efh: Failure


class Stability(Section):
    """Table S1: molecule to its row."""

    failure: dict[str, Failures]


class Converged(Section):
    """Which models' paths converged."""

    e: bool
    ef: bool
    efh: bool


class ReactionPath(Section):
    """One path of section 3.6: the barrier by E-F-H in kcal/mol, and what became of the bands."""

    barrier: PositiveFloat
    converged: Converged


class Spectra(Section):
    """CPU seconds of section 3.7, for all images."""

    reference_total: PositiveFloat
    model_total: PositiveFloat


class EpochCost(Section):
    """Time per epoch of E-F-H over that of E-F (section 3.8)."""

    ratio: PositiveFloat


class Claim(Section):
    """What the text concludes: the line that it is judged by, beside the sentence that it is taken from.

    Attributes
    ----------
    section
        Where the sentence stands.
    quote
        The sentence, or the parts of it that matter, in its own words.
    statement
        What is judged, in one line.
    """

    section: str
    quote: str
    statement: str


class Published(Section):
    """Everything the paper states that a run can be compared with."""

    counts: dict[TestSet, Count]
    rmse: RmseTables
    stability: Stability
    neb: dict[str, ReactionPath]
    spectra: Spectra
    epoch_cost: EpochCost
    claims: dict[str, Claim]

    def cell(self, test_set: str, loss: str, quantity: str) -> Cell:
        """Look up one cell of Tables 2-4, e.g. ``cell("irc", "efh", "force")``."""
        cell: Cell = getattr(getattr(getattr(self.rmse, test_set), loss), quantity)
        return cell


def read_published(path: Path = PUBLISHED) -> Published:
    """Read and validate the paper's numbers.

    Raises
    ------
    ConfigurationError
        The file is missing, or a key is missing, unknown or of the wrong kind; each is named with its path.
    """
    return validate(Published, read_yaml(path), source=path)
