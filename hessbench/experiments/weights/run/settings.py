"""Section `weights` of a profile: weights of force and Hessian that E-F and E-F-H are trained with, too."""

from pydantic import Field, field_validator

from hessbench.config import paper
from hessbench.experiments.errors.variants.settings import StudyConfig
from hessbench.experiments.errors.variants.weights import Weights

PAPER_WEIGHTS = Weights(force=paper.FORCE_WEIGHT, hessian=paper.HESSIAN_WEIGHT)


class WeightsConfig(StudyConfig):
    """What is trained besides the ensembles of `training`, whose own weights are not repeated here."""

    pairs: tuple[Weights, ...] = Field(
        (PAPER_WEIGHTS,), min_length=1, description="Weights of force and Hessian, one ensemble each."
    )

    @field_validator("pairs")
    @classmethod
    def _apart(cls, pairs: tuple[Weights, ...]) -> tuple[Weights, ...]:
        forces = [f"{pair.force:g}" for pair in pairs]
        repeated = next((force for force in forces if forces.count(force) > 1), None)
        if repeated is not None:  # E-F has no other weight, and figures tell pairs apart by it
            raise ValueError(f"force weight {repeated} stands twice; give each pair another one")
        return pairs
