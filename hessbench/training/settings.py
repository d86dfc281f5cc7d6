"""The section `training` of a profile: losses, optimizer, schedule, seeds."""

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from hessbench.config.base import Section


class ProbeConfig(Section):
    """Random vectors v whose products H v stand for the Hessian; all kinds have E[v v^T] = 1."""

    count: PositiveInt = Field(2, description="Probes of a molecule and step.")
    kind: Literal["rademacher", "gaussian", "one-hot"] = Field(
        "rademacher",
        description="Entries +1 or -1; normally distributed; or one coordinate times sqrt(3 N), "
        "so that the product is a scaled row of the Hessian.",
    )


class LossConfig(Section):
    """Weights of eq. 6 of the paper; a term of weight zero is not computed."""

    force: NonNegativeFloat = Field(description="eta_F, weight of the force error against the energy error.")
    hessian: NonNegativeFloat = Field(description="eta_H, weight of the Hessian error.")
    probes: ProbeConfig | None = Field(
        None,
        description="Estimate the Hessian error from products with random vectors; null: whole Hessians.",
    )

    @property
    def derivatives(self) -> Literal[0, 1, 2]:
        """Highest derivatives of the energy that the loss needs in full."""
        if self.hessian and self.probes is None:
            return 2
        return 1 if self.force else 0


class Decay(Section):
    """Learning rate by step: linear warm-up, then down to zero at the last step."""

    kind: Literal["linear", "cosine"] = Field("linear", description="Form of the way down.")
    warmup_steps: int = Field(0, ge=0, description="Steps of linear warm-up.")


class FirstLayerConfig(Section):
    """AdamW on the matrix of the first layer, which holds most of the weights."""

    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = Field(0.0, description="Decoupled decay.")


class MuonConfig(Section):
    """Muon (orthogonalized momentum) on hidden matrices, AdamW on output layers and biases."""

    kind: Literal["muon"]
    learning_rate: PositiveFloat = Field(description="Of Muon.")
    weight_decay: NonNegativeFloat = Field(0.0, description="Decoupled decay of Muon's matrices.")
    momentum: float = Field(0.95, ge=0, lt=1, description="Of Muon.")
    first_layer: FirstLayerConfig | None = Field(
        None, description="AdamW on the first layer's matrix, whose orthogonalization costs most; null: Muon."
    )
    adam_learning_rate: PositiveFloat = Field(description="Of AdamW on output layers and biases.")
    schedule: Decay = Decay()


class AdamConfig(Section):
    """AdamW on every parameter; without weight decay it is Adam."""

    kind: Literal["adam"]
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat = Field(0.0, description="Decoupled decay of the matrices.")
    schedule: Decay = Decay()


class PaperConfig(Section):
    """The authors' protocol: AdamW on weights, SGD on biases, rates cut when the validation loss stalls."""

    kind: Literal["paper"]
    learning_rate: PositiveFloat = Field(1e-3, description="Of AdamW, on the weights.")
    bias_learning_rate: PositiveFloat = Field(1e-3, description="Of SGD, on the biases.")
    weight_decay: NonNegativeFloat = Field(0.01, description="Of AdamW; 0.01 is torch's default.")
    factor: float = Field(0.5, gt=0, lt=1, description="ReduceLROnPlateau: rates are multiplied by this,")
    patience: PositiveInt = Field(100, description="after so many epochs without a lower validation loss.")


OptimizerConfig = Annotated[MuonConfig | AdamConfig | PaperConfig, Field(discriminator="kind")]


class TrainingConfig(Section):
    """How every ensemble of a comparison is trained; only the loss differs between them."""

    seeds: PositiveInt = Field(description="Models of an ensemble: seeds first_seed, first_seed + 1, ...")
    seeds_of_smaller_shares: PositiveInt | None = Field(
        None, description="The same for all but the largest share of the data; null: as many."
    )
    first_seed: int = Field(
        0,
        ge=0,
        description="Seed of the first model; another one makes an independent run of the same profile.",
    )
    processes: PositiveInt = Field(2, description="Models trained at the same time, one thread each.")
    epochs: PositiveInt = Field(description="Passes over the training set.")
    batch_size: PositiveInt = Field(description="Structures of a step.")
    minimum_steps: int = Field(
        0,
        ge=0,
        description="Steps a small training set is given at least: an epoch then passes over it repeatedly.",
    )
    form: Literal["rmse", "mse"] = Field(
        "rmse", description="Each error of eq. 6 as root mean square (the paper) or as mean square."
    )
    losses: dict[Literal["e", "ef", "efh", "efhvp"], LossConfig] = Field(
        description="The losses to compare, by name."
    )
    optimizer: OptimizerConfig
    keep: Literal["last", "best"] = Field(
        "last", description="Which epoch's model is saved: the last, or the one of lowest validation loss."
    )
    hessian_validation_epochs: PositiveInt = Field(
        10, description="Epochs between validations of the Hessian (always at the last epoch)."
    )
    checkpoint_epochs: PositiveInt = Field(5, description="Epochs between checkpoints.")

    def seed_range(self, *, largest: bool) -> range:
        """Seeds of the models of an ensemble, with the largest share of the data or a smaller one."""
        count = self.seeds if largest else self.seeds_of_smaller_shares or self.seeds
        return range(self.first_seed, self.first_seed + count)
