"""Section `ts_search` of a profile: transition state searches from displaced transition states."""

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from hessbench.config import paper
from hessbench.config.base import Section
from hessbench.config.data_file import DataFile
from hessbench.embedded import EMBEDDED


class TsSearchConfig(Section):
    """Which transition states are searched, with which models, and when one counts as found."""

    reactions: NonNegativeInt = Field(0, description="Held-out reactions; 0 searches none.")
    geometries: DataFile | None = Field(
        EMBEDDED / "geometries.h5", description="Reactions to choose from, as in the section neb."
    )
    level: str | None = Field(
        None, description="Level of theory of the transition states where the data do not state theirs."
    )
    losses: tuple[str, ...] = Field(("e", "ef", "efh"), min_length=1, description="Ensembles to run.")
    percent: int = Field(
        paper.TRAINING_PERCENTS[-1], ge=1, le=99, description="Training set size of these ensembles."
    )
    displacement_a: PositiveFloat = Field(
        0.1, description="Root mean square displacement of the atoms from the transition state, Angstrom."
    )
    same_a: PositiveFloat = Field(
        0.2,
        description="A search ended at the transition state if no more than this root mean square distance "
        "of the atoms is between the two, Angstrom.",
    )
    fmax_ev_a: PositiveFloat = Field(0.01, description="Converged when no force is larger, eV/Angstrom.")
    steps: PositiveInt = Field(100, description="Steps of a search at most.")
    seed: int = Field(0, ge=0, description="Chooses reactions and displacements.")
    processes: PositiveInt = Field(2, description="Searches at the same time, one thread each.")
