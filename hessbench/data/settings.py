"""The section `split` of a profile: which structures train, validate and test."""

from typing import Literal, Self

from pydantic import Field, StrictInt, model_validator

from hessbench.config import paper
from hessbench.config.base import Section


class SplitConfig(Section):
    """Shares of one data set, in percent of all its structures."""

    by: Literal["structure", "reaction"] = Field(
        "structure",
        description="What is kept together: single structures (the paper's choice: other structures of a "
        "tested reaction may be trained on) or whole reactions.",
    )
    validation_percent: int = Field(10, ge=1, le=49, description="Structures for validation.")
    test_percent: int = Field(10, ge=1, le=49, description="Structures held out for the test.")
    training_percents: tuple[StrictInt, ...] = Field(
        paper.TRAINING_PERCENTS[-1:],
        min_length=1,
        description="Sizes of the nested training sets, in percent of all data; 100 minus validation and "
        "test is the full training part.",
    )
    seed: int = Field(0, ge=0, description="Seed of the shuffle.")

    @model_validator(mode="after")
    def _percents_fit(self) -> Self:
        full = 100 - self.validation_percent - self.test_percent
        percents = self.training_percents
        if list(percents) != sorted(set(percents)) or percents[0] < 1 or percents[-1] > full:
            raise ValueError(
                f"training_percents must rise within 1 to {full}, what validation and test leave"
            )
        return self
