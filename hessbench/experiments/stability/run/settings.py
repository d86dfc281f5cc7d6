"""The section `stability` of a profile: molecular dynamics until a bond breaks (section 2.4 of the paper)."""

from typing import Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from hessbench.config import paper
from hessbench.config.base import Section
from hessbench.config.data_file import DataFile
from hessbench.embedded import EMBEDDED


class StabilityConfig(Section):
    """Heating of molecules with each model; the defaults are the paper's where it states a value."""

    molecules: DataFile = Field(
        EMBEDDED / "md17.extxyz", description="Starting structures, one frame a molecule."
    )
    losses: tuple[str, ...] = Field(("e", "ef", "efh"), min_length=1, description="Ensembles to run.")
    percent: int = Field(
        paper.TRAINING_PERCENTS[-1], ge=1, le=99, description="Training set size of these ensembles."
    )
    seeds: PositiveInt = Field(1, description="Models of each ensemble; seeds 0, 1, ...")
    replicas: PositiveInt = Field(
        1, description="Runs of a molecule with each model, each with its own noise."
    )
    ensemble_mean: bool = Field(
        False, description="Heat with the mean of the models of each ensemble, too, as one potential."
    )
    rates_fs: tuple[PositiveFloat, ...] = Field(
        (), description="Other times at each temperature, to be tried on `rate_molecule` alone."
    )
    rate_molecule: str = Field("ethanol", description="Molecule that is heated at these rates.")
    processes: PositiveInt = Field(2, description="Models that run at the same time, one thread each.")
    optimization_steps: PositiveInt = Field(1000, description="Steps of L-BFGS at most.")
    fmax_ev: PositiveFloat = Field(0.01, description="Largest force after the optimization, eV/Angstrom.")
    timestep_fs: PositiveFloat = paper.TIMESTEP_FS
    friction_per_fs: NonNegativeFloat = Field(
        0.01, description="Of the Langevin thermostat; the paper states none, this is ASE's example."
    )
    start_k: PositiveFloat = Field(paper.START_K, description="Temperature of the first interval.")
    increment_k: PositiveFloat = Field(
        paper.INCREMENT_K, description="Rise of temperature after each interval."
    )
    interval_fs: PositiveFloat = Field(
        paper.INTERVAL_FS,
        description="Time at each temperature; less than the paper's 5 ps is heating faster.",
    )
    cap_k: PositiveFloat = Field(
        2500.0, description="A molecule whole at the end of this temperature is censored."
    )
    trajectory_molecule: str = Field("aspirin", description="Molecule whose frames are kept (first seed).")
    trajectory_frames: PositiveInt = Field(200, description="Frames kept, spread over the whole heating.")
    checkpoint_s: PositiveFloat = Field(20.0, description="Seconds between checkpoints.")
    seed: int = Field(0, ge=0, description="Of velocities and thermostat.")

    @model_validator(mode="after")
    def _heats(self) -> Self:
        if self.cap_k < self.start_k:
            raise ValueError("cap_k must not be below start_k")
        if min((self.interval_fs, *self.rates_fs)) < self.timestep_fs:
            raise ValueError("interval_fs and rates_fs must be at least timestep_fs")
        return self

    @property
    def rate_k_per_ps(self) -> float:
        """Rate of heating, K/ps."""
        return 1000 * self.increment_k / self.interval_fs

    @property
    def interval_steps(self) -> int:
        """Steps at each temperature."""
        return round(self.interval_fs / self.timestep_fs)

    @property
    def intervals(self) -> int:
        """Temperatures from the first to the last one not above the cap."""
        return int((self.cap_k - self.start_k) / self.increment_k + 1e-9) + 1
