"""Section `robustness` of a profile: recipes by which E, E-F and E-F-H are trained, too."""

import re

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from hessbench.config.base import Section
from hessbench.experiments.errors.variants.settings import StudyConfig
from hessbench.experiments.errors.variants.weights import Weights
from hessbench.potential.registry import ModelConfig
from hessbench.training.settings import OptimizerConfig


class Recipe(Section):
    """What differs from the recipe of the profile; what is null does not."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ,'/-]{0,39}$", description="Its name in tables.")
    weights: Weights | None = Field(None, description="Of force and Hessian, in place of the profile's.")
    model: SerializeAsAny[ModelConfig] | None = Field(None, description="In place of section model.")
    optimizer: OptimizerConfig | None = Field(None, description="In place of training.optimizer.")

    @model_validator(mode="after")
    def _differs(self) -> "Recipe":
        if self.weights is None and self.model is None and self.optimizer is None:
            raise ValueError("a recipe changes weights, model or optimizer; that of the profile has its row")
        return self

    @property
    def folder(self) -> str:
        """Its name as that of a folder: "the-authors-network"."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower().replace("'", "")).strip("-")


class RobustnessConfig(StudyConfig):
    """Recipes besides that of the profile, whose models the stage `train` trains."""

    recipes: tuple[Recipe, ...] = Field((), description="None: nothing is trained, and there is no table.")

    @field_validator("recipes")
    @classmethod
    def _apart(cls, recipes: tuple[Recipe, ...]) -> tuple[Recipe, ...]:
        folders = [recipe.folder for recipe in recipes]
        repeated = next((item.name for item in recipes if folders.count(item.folder) > 1), None)
        if repeated is not None:
            raise ValueError(f"the name {repeated!r} stands twice; give each recipe its own")
        return recipes
