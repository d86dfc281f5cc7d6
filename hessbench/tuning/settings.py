"""What a search tries (reproduce/tuning.yaml): how candidates are halved, and what they are drawn from."""

from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from hessbench.config import paper
from hessbench.config.base import Section
from hessbench.training.settings import Quantity

SECTIONS = ("model", "training")
"""Sections of a profile whose settings can be searched."""


class Rung(Section):
    """A round of the search: the candidates that are left are trained anew, for longer."""

    candidates: PositiveInt = Field(description="How many take part, the best of the round before.")
    epochs: PositiveInt = Field(
        description="Passes over the training structures; the learning rates end there."
    )
    seeds: PositiveInt = Field(1, description="Models of each candidate; seeds 0, 1, ...")


class TuningConfig(Section):
    """A random search with successive halving, the same for every loss."""

    percent: PositiveInt = Field(
        max(paper.TRAINING_PERCENTS), description="Share of the data that is trained on."
    )
    seed: int = Field(0, ge=0, description="Of the random choices, which are the same for every loss.")
    rungs: tuple[Rung, ...] = Field(min_length=1, description="The rounds, each with fewer candidates.")
    space: dict[str, tuple[Any, ...]] = Field(
        description="Settings of the profile, as section.key.key, to the values that are chosen from."
    )
    weights: dict[Quantity, tuple[PositiveFloat, ...]] = Field(
        {},
        description="Weights of a loss's terms, by quantity, to choose from; terms it lacks are skipped.",
    )

    @field_validator("rungs")
    @classmethod
    def _fewer(cls, rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
        counts = [rung.candidates for rung in rungs]
        if counts != sorted(counts, reverse=True):
            raise ValueError("a round cannot have more candidates than the one before it")
        return rungs

    @field_validator("space")
    @classmethod
    def _known(cls, space: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
        for path, values in space.items():
            if path.split(".")[0] not in SECTIONS:
                raise ValueError(f"{path}: settings of {' and '.join(SECTIONS)} can be searched")
            if not values:
                raise ValueError(f"{path}: give values to choose from")
        return space
