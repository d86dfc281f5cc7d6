"""Section `neb` of a profile: reaction paths by nudged elastic bands (section 2.5 of the paper)."""

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from hessbench.chemistry.settings import BandConfig
from hessbench.config import paper
from hessbench.config.base import Section
from hessbench.config.data_file import DataFile
from hessbench.embedded import EMBEDDED


class NebConfig(Section):
    """Which paths are computed with which models."""

    geometries: DataFile | None = Field(
        EMBEDDED / "geometries.h5",
        description="Reactions to choose from, those of the active data left out, if this file is of the "
        "level of theory of the reference paths. If not, or null: reactions of the active data of which "
        "nothing is trained on.",
    )
    level: str | None = Field(
        None, description="Level of theory of the reference paths where the data do not state theirs."
    )
    losses: tuple[str, ...] = Field(("e", "ef", "efh"), min_length=1, description="Ensembles to run.")
    percent: int = Field(
        paper.TRAINING_PERCENTS[-1], ge=1, le=99, description="Training set size of these ensembles."
    )
    seeds: PositiveInt = Field(1, description="Models of each ensemble; seeds 0, 1, ...")
    held_out: NonNegativeInt = Field(20, description="Reactions besides the two of the paper's figures.")
    held_out_images: int = Field(
        paper.NEB_IMAGES, ge=3, description="Moving images of the bands of these reactions."
    )
    candidates: PositiveInt = Field(
        100, description="At most so many reactions of a kind are looked at for the nearest barrier."
    )
    single_transfer_barrier: PositiveFloat = Field(
        paper.BARRIERS["single hydrogen transfer"],
        description="The single hydrogen transfer has the barrier nearest to this, kcal/mol (Figure 4).",
    )
    multi_process_barrier: PositiveFloat = Field(
        paper.BARRIERS["multi-process"],
        description="The multi-process reaction has the barrier nearest to this, kcal/mol (Figure S16).",
    )
    seed: int = Field(0, ge=0, description="Chooses the held-out reactions.")
    end_point_fmax_ev_a: PositiveFloat = Field(
        0.01, description="Largest force on an atom of an optimized end point, eV/Angstrom."
    )
    end_point_steps: PositiveInt = Field(500, description="Steps of L-BFGS for an end point at most.")
    processes: PositiveInt = Field(2, description="Bands relaxed at the same time, one thread each.")
    band: BandConfig = BandConfig()
    other_springs_ev_a2: tuple[PositiveFloat, ...] = Field(
        (),
        description="Springs with which bands of held-out reactions are relaxed, too, by the first model of "
        "each ensemble, eV/Angstrom^2; in one attempt, because further ones have weaker springs.",
    )

    @model_validator(mode="after")
    def _other(self) -> "NebConfig":
        springs = self.band.spring_ev_a2, *self.other_springs_ev_a2
        repeated = next((spring for spring in springs if springs.count(spring) > 1), None)
        if repeated is not None:
            raise ValueError(
                f"other_springs_ev_a2: {repeated:g} stands twice, or is that of the band; leave it out"
            )
        return self

    def with_spring(self, spring: float | None) -> "NebConfig":
        """The same settings with one of the other springs; with None as they are."""
        if spring is None:
            return self
        band = self.band.model_copy(update={"spring_ev_a2": spring, "restarts": 0})
        return self.model_copy(update={"band": band})
