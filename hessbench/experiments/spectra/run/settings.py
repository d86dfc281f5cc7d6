"""Section `spectra` of a profile: frequencies along a reaction path (section 2.6 of the paper)."""

from pydantic import Field, PositiveInt

from hessbench.config import paper
from hessbench.config.base import Section


class SpectraConfig(Section):
    """Which models are compared with the reference along the path of the single hydrogen transfer."""

    losses: tuple[str, ...] = Field(("e", "ef", "efh"), min_length=1, description="Ensembles to compare.")
    percent: int = Field(
        paper.TRAINING_PERCENTS[-1], ge=1, le=99, description="Training set size of these ensembles."
    )
    seeds: PositiveInt = Field(1, description="Models of each ensemble; seeds 0, 1, ...")
