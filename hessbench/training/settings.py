"""The section `training` of a profile: losses, optimizer, schedule, seeds."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from hessbench.config import paper
from hessbench.config.base import Section
from hessbench.config.loss_labels import LABELS, REFERENCE, default_label

Quantity = Literal["energy", "force", "hessian"]
ORDERS: dict[Quantity, Literal[0, 1, 2]] = {"energy": 0, "force": 1, "hessian": 2}
"""Derivative of the energy that a quantity is, or is made from."""
ESTIMATED: Quantity = "hessian"
"""The quantity that can be estimated from products with random vectors."""


class Term(Section):
    """A term of a loss: the weighted error of one quantity."""

    quantity: Quantity = Field(description="What the error is of.")
    weight: PositiveFloat = Field(description="Of the error, in the sum of eq. 6.")
    estimator: Literal["exact", "rademacher", "gaussian", "rows"] = Field(
        "exact",
        description="How the error of a Hessian is formed: from all of it, or from its products with random "
        "vectors v, E[v v^T] = 1: of entries +1 or -1, of normally distributed ones, or of one entry "
        "sqrt(3 N), which gives random rows of it.",
    )
    count: PositiveInt | None = Field(
        None,
        validate_default=True,
        description="Products, or rows, of a molecule and step; with an estimator that is not exact.",
    )

    @field_validator("estimator")
    @classmethod
    def _of_a_hessian(cls, value: str, others: ValidationInfo) -> str:
        quantity = others.data.get("quantity", ESTIMATED)
        if value != "exact" and quantity != ESTIMATED:
            raise ValueError(f"only the error of a {ESTIMATED} is estimated; leave it out for {quantity}")
        return value

    @field_validator("count")
    @classmethod
    def _of_an_estimator(cls, value: int | None, others: ValidationInfo) -> int | None:
        estimator = others.data.get("estimator")
        if value is None and estimator not in (None, "exact"):
            raise ValueError(f"state how many, estimator {estimator} needs it")
        if value is not None and estimator == "exact":
            raise ValueError("an exact error has no count; leave it out, or name an estimator")
        return value


class LossConfig(Section):
    """A loss: the sum of its terms, eq. 6 of the paper with any terms and weights."""

    label: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+()/-]{0,39}$",
        description="Name in tables and figures; null: that of the paper, else the loss's name.",
    )
    terms: tuple[Term, ...] = Field(min_length=1, description="What is added up.")

    @field_validator("terms")
    @classmethod
    def _once(cls, terms: tuple[Term, ...]) -> tuple[Term, ...]:
        repeated = [name for name, count in Counter(term.quantity for term in terms).items() if count > 1]
        if repeated:
            raise ValueError(f"{repeated[0]} stands twice; a loss has one term of each quantity")
        return terms

    def term(self, quantity: Quantity) -> Term | None:
        """Term of a quantity, None if it is not in the loss."""
        return next((term for term in self.terms if term.quantity == quantity), None)

    @property
    def estimated(self) -> Term | None:
        """The term whose error is estimated from products with random vectors, if there is one."""
        return next((term for term in self.terms if term.estimator != "exact"), None)

    @property
    def order(self) -> Literal[0, 1, 2]:
        """Highest derivatives of the energy that data must have for this loss."""
        return max(ORDERS[term.quantity] for term in self.terms)

    @property
    def derivatives(self) -> Literal[0, 1, 2]:
        """Highest derivatives of the energy that the loss needs in full."""
        exact = (ORDERS[term.quantity] for term in self.terms if term.estimator == "exact")
        return max(exact, default=0)


def _losses_of_the_paper() -> dict[str, LossConfig]:
    terms = (
        Term(quantity="energy", weight=1),
        Term(quantity="force", weight=paper.FORCE_WEIGHT),
        Term(quantity="hessian", weight=paper.HESSIAN_WEIGHT),
    )
    return {name: LossConfig(terms=terms[:count]) for count, name in enumerate(("e", "ef", "efh"), start=1)}


PAPER_LOSSES = _losses_of_the_paper()
"""E, E-F and E-F-H with the weights of the paper, by name."""

LossName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$")]


def labels_of(losses: Mapping[str, LossConfig]) -> dict[str, str]:
    """Labels of losses, by name.

    Raises
    ------
    ValueError
        Two have the same one, one has that of the reference, or one that is known by its label has another.
    """
    labels: dict[str, str] = {}
    for name, loss in losses.items():
        label = loss.label or default_label(name)
        if LABELS.get(name, label) != label:
            raise ValueError(f"{name}.label: this loss is {LABELS[name]}; give yours another name")
        others = {REFERENCE, *labels.values(), *LABELS.values()} - {LABELS.get(name)}
        if label in others:
            raise ValueError(f"{name}.label: {label!r} is the label of another; choose one of its own")
        labels[name] = label
    return labels


def _distinct(losses: dict[str, LossConfig]) -> dict[str, LossConfig]:
    labels_of(losses)
    return losses


Losses = Annotated[dict[LossName, LossConfig], Field(min_length=1), AfterValidator(_distinct)]
"""Losses by name, each with a label of its own."""


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
    polynomials: Literal["best", "jordan"] = Field(
        "best",
        description="Of the orthogonalization: best, three; jordan, five, which take two thirds longer and "
        "move smaller singular values, too.",
    )
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
    patience: PositiveInt = Field(
        100, description="after so many epochs without a lower value of training.watch,"
    )
    stop: PositiveFloat | None = Field(
        None, description="and training ends once the rate of the weights is not above this; null: never."
    )


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
    processes: PositiveInt = Field(
        2,
        description="Models trained at the same time, one thread each; they share a GPU, which the small "
        "batches of one model do not fill.",
    )
    epochs: PositiveInt = Field(description="Passes over the training set.")
    batch_size: PositiveInt = Field(description="Structures of a step.")
    batch_by_share: bool = Field(
        False,
        description="Whether batch_size is that of the largest share of the data, others being smaller in "
        "proportion.",
    )
    minimum_steps: int = Field(
        0,
        ge=0,
        description="Steps a small training set is given at least: an epoch then passes over it repeatedly.",
    )
    form: Literal["rmse", "mse"] = Field(
        "rmse", description="Each error of eq. 6 as root mean square (the paper) or as mean square."
    )
    losses: Losses = Field(description="The losses to compare, by name.")
    optimizer: OptimizerConfig
    tf32: bool = Field(
        False,
        description="Whether a GPU may round factors of matrix products to 10 bits: faster, less exact.",
    )
    keep: Literal["last", "best"] = Field(
        "last", description="Which epoch's model is saved: the last, or the best one on the validation set."
    )
    watch: Literal["loss", "energy"] = Field(
        "loss",
        description="What on the validation set decides about the best epoch, and about rates that are cut "
        "when it stalls: the loss, or the error of energies alone.",
    )
    hessian_validation_epochs: PositiveInt = Field(
        10, description="Epochs between validations of the Hessian (always at the last epoch)."
    )
    checkpoint_epochs: PositiveInt = Field(5, description="Epochs between checkpoints.")

    def at(self, percent: int, largest: int) -> Self:
        """The settings for one share of the data, given the largest one, both in percent."""
        if not self.batch_by_share:
            return self
        return self.model_copy(update={"batch_size": max(1, round(self.batch_size * percent / largest))})

    def seed_range(self, *, largest: bool) -> range:
        """Seeds of the models of an ensemble, with the largest share of the data or a smaller one."""
        count = self.seeds if largest else self.seeds_of_smaller_shares or self.seeds
        return range(self.first_seed, self.first_seed + count)
