"""Section `cost` of a profile: estimators of the Hessian's error that E-F-H is compared with."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from hessbench.config.base import Section
from hessbench.experiments.errors.variants.settings import StudyConfig


class Estimator(Section):
    """How the error of a Hessian is estimated, see `hessbench.training.settings.Term`."""

    kind: Literal["rademacher", "gaussian", "rows"] = Field(description="Kind of the random vectors.")
    count: PositiveInt = Field(description="Products, or rows, of a molecule and step.")

    @property
    def text(self) -> str:
        """For tables and figures: "E-F-HVP, 2 probes"."""
        noun = {"rademacher": "probe", "gaussian": "Gaussian probe", "rows": "row"}[self.kind]
        return f"E-F-HVP, {self.count} {noun}{'s' if self.count > 1 else ''}"


class CostConfig(StudyConfig):
    """What is trained beside E-F and E-F-H, all with the settings of `training`."""

    estimators: tuple[Estimator, ...] = Field(
        (
            Estimator(kind="rademacher", count=1),
            Estimator(kind="rademacher", count=2),
            Estimator(kind="rademacher", count=4),
            Estimator(kind="rows", count=1),
        ),
        description="In place of the exact error of E-F-H.",
    )
    lengths: tuple[PositiveFloat, ...] = Field(
        (0.5, 1.0), min_length=1, description="Trainings of each loss, in units of training.epochs."
    )
    seeds: PositiveInt = Field(1, description="Models of each variant; from training.first_seed on.")

    @field_validator("estimators", "lengths")
    @classmethod
    def _apart(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        repeated = next((value for value in values if values.count(value) > 1), None)
        if repeated is not None:
            raise ValueError(f"{repeated} stands twice; give each once")
        return values
