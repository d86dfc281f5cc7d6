"""The section `single_ts` of a profile: ensembles trained on one transition state (section 3.1)."""

from pydantic import Field, PositiveFloat, PositiveInt, SerializeAsAny, model_validator

from hessbench.config import paper
from hessbench.config.base import Section
from hessbench.config.data_file import DataFile
from hessbench.embedded import EMBEDDED
from hessbench.potential.registry import ModelConfig
from hessbench.training.settings import (
    PAPER_LOSSES,
    AdamConfig,
    Decay,
    FirstLayerConfig,
    Losses,
    MuonConfig,
)


class SingleTSVariant(Section):
    """What differs from the profile's models; what is null does not."""

    energy_unit: PositiveFloat | None = Field(None, description="In place of single_ts.energy_unit.")
    model: SerializeAsAny[ModelConfig] | None = Field(None, description="In place of single_ts.model.")


class SingleTSConfig(Section):
    """Which models, how they are trained, and what counts as a maximum."""

    data: DataFile = Field(
        EMBEDDED / "single-ts.h5", description="Reaction path and stationary points of one reaction."
    )
    losses: Losses = Field(
        PAPER_LOSSES, description="The losses to compare, by name; those of the paper by default."
    )
    models: PositiveInt = Field(
        paper.SINGLE_TS_MODELS, description="Models of each ensemble; seeds 0, 1, ..."
    )
    models_at_once: PositiveInt = Field(
        10, description="Models in one batched computation: as many as the caches hold, on a GPU all of them."
    )
    processes: PositiveInt = Field(2, description="Batches at the same time, one thread each.")
    model: SerializeAsAny[ModelConfig] = Field(
        description="Architecture and start; may be smaller than elsewhere, there is one structure to learn."
    )
    energy_unit: PositiveFloat = Field(
        30.0,
        description="What the models' energies are multiplied by, kcal/mol: the larger, the rougher a fresh "
        "model; 627.5 is a model in hartree.",
    )
    steps: PositiveInt = Field(200, description="Optimizer steps, for every loss.")
    optimizer: MuonConfig | AdamConfig = Field(
        MuonConfig(
            kind="muon",
            learning_rate=3e-2,
            polynomials="jordan",  # gradients of one structure are nearly singular
            first_layer=FirstLayerConfig(learning_rate=3e-3),
            adam_learning_rate=3e-3,
            schedule=Decay(kind="cosine", warmup_steps=20),
        ),
        description="The same for every loss.",
        discriminator="kind",
    )
    window: PositiveFloat = Field(
        paper.TS_NEAR,
        description="A model sees the TS as a maximum if it predicts every point of the path within this "
        "distance below it, amu^0.5 Angstrom.",
    )
    variants: tuple[SingleTSVariant, ...] = Field(
        (), description="Ensembles of other models, to see what the claims hang on; none: no such table."
    )
    models_of_variants: PositiveInt = Field(30, description="Models of each ensemble of a variant.")

    @model_validator(mode="after")
    def _others(self) -> "SingleTSConfig":
        kinds = [(self.energy_unit, self.model)]
        for variant in self.variants:
            kind = (variant.energy_unit or self.energy_unit, variant.model or self.model)
            if kind in kinds:
                raise ValueError(
                    "variants: two are the same, or one is what the profile trains anyway; leave it out"
                )
            kinds.append(kind)
        return self

    def of(self, variant: SingleTSVariant) -> "SingleTSConfig":
        """The settings of a variant."""
        changes = {"models": self.models_of_variants, "variants": ()}
        if variant.energy_unit is not None:
            changes["energy_unit"] = variant.energy_unit
        if variant.model is not None:
            changes["model"] = variant.model
        return self.model_copy(update=changes)

    def model_of(self, variant: SingleTSVariant) -> str:
        """In what the model of a variant differs from the profile's, "features raw"; empty if in nothing."""
        own, other = self.model.model_dump(mode="json"), self.of(variant).model.model_dump(mode="json")
        return ", ".join(f"{key} {value}" for key, value in other.items() if own.get(key) != value)
