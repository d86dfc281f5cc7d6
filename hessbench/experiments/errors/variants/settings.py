"""What the sections of experiments that train variants have in common."""

from pydantic import Field, PositiveInt

from hessbench.config.base import Section


class StudyConfig(Section):
    """Section of a profile that says which variants are trained."""

    seeds: PositiveInt = Field(2, description="Models of each variant; from training.first_seed on.")
