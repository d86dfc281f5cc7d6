"""Section `generate`: how data are made at a level of theory."""

from pydantic import Field

from hessbench.config.base import Section


class GenerateConfig(Section):
    """Settings of `hessbench generate`; results depend on nothing else."""

    level: str = Field(
        default="GFN2-xTB", description="Level of theory, a name in hessbench.generate.levels.LEVELS."
    )
    seed: int = Field(default=1, ge=0, description="Chooses the reactions and the random displacements.")
    fmax_ev: float = Field(
        default=0.01,
        gt=0,
        le=0.05,
        description="Largest force on an atom of a stationary point, eV/Angstrom.",
    )
