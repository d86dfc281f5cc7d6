"""The section `single_ts` of a profile: ensembles trained on one transition state (section 3.1)."""

from pydantic import Field, PositiveFloat, PositiveInt, SerializeAsAny

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
