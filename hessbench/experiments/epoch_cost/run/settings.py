"""Section `epoch_cost` of a profile: time of a training epoch (section 3.8 of the paper)."""

from pydantic import Field, PositiveInt

from hessbench.config import paper
from hessbench.config.base import Section


class EpochCostConfig(Section):
    """What is timed; one thread, one model at a time."""

    losses: tuple[str, ...] = Field(("e", "ef", "efh"), min_length=1, description="Losses to time.")
    percents: tuple[int, ...] = Field(
        paper.TRAINING_PERCENTS, min_length=1, description="Training set sizes, percent of all structures."
    )
    repeats: PositiveInt = Field(3, description="Epochs timed for each loss and size.")
    loop_structures: PositiveInt = Field(
        32,
        description="The paper's autograd loop is timed on so many structures and its time of an epoch "
        "extrapolated, in proportion to their number.",
    )
