"""The section `evaluation` of a profile: how ensembles are scored on the test sets."""

from pydantic import Field, PositiveInt

from hessbench.config import paper
from hessbench.config.base import Section


class EvaluationConfig(Section):
    """How predictions are made and which of them are kept."""

    batch_size: PositiveInt = Field(32, description="Molecules predicted at once.")
    processes: PositiveInt = Field(2, description="Models evaluated at the same time, one thread each.")
    hessians_stored_at_percents: tuple[int, ...] = Field(
        paper.TRAINING_PERCENTS[-1:],
        description="Training set sizes whose predicted Hessians are stored besides their errors "
        "(by far the largest part of the predictions).",
    )
