"""The section `generate`: how data are made at a level of theory."""

from pydantic import Field, PositiveFloat, PositiveInt

from hessbench.config.base import Section


class GenerateConfig(Section):
    """Settings of `hessbench generate`; apart from its input files its results depend on nothing else."""

    level: str = Field(
        default="GFN2-xTB",
        description="Level of theory: GFN2-xTB, GFN1-xTB, wB97X-D/6-31G(d) or, with density fitting, "
        "DF-wB97X-D/6-31G(d).",
    )
    seed: int = Field(default=1, ge=0, description="Chooses the reactions and the random displacements.")
    fmax_ev: float = Field(
        default=0.01,
        gt=0,
        le=0.05,
        description="Largest force on an atom of a stationary point, eV/Angstrom.",
    )
    irc_step: PositiveFloat = Field(default=0.1, description="Step along a path, amu^(1/2) Angstrom.")
    irc_steps: PositiveInt = Field(default=100, description="Most steps to each side of a TS.")
    irc_fmax_ev: PositiveFloat = Field(
        default=0.05, description="A path ends where the forces have fallen below this, eV/Angstrom."
    )
    irc_structures: int = Field(
        default=60, ge=3, description="Most structures of a path; about 60 in the paper."
    )
    nms_temperatures: tuple[PositiveFloat, ...] = Field(
        default=(300.0, 1000.0), min_length=1, description="Temperatures of the displacements, K."
    )
    nms_per_parent: PositiveInt = Field(
        default=1, description="Displaced structures per structure of a path and temperature."
    )
    nms_lowest_wavenumber: PositiveFloat = Field(
        default=200.0, description="Softer modes are displaced as if they had this wavenumber, cm-1."
    )
    nms_energy_cap: PositiveFloat = Field(
        default=100.0, description="Highest energy of a displaced structure above its parent, kcal/mol."
    )
    origin: str = Field(
        default="reactants, transition states and products of C. A. Grambow, L. Pattanaik, W. H. Green, "
        "Zenodo 3715478 (wB97X-D3/def2-TZVP)",
        description="Where the starting geometries come from; goes into the files.",
    )
    licence: str = Field(default="CC BY 4.0", description="Licence of the data; goes into the files.")
    citation: str = Field(
        default="C. A. Grambow, L. Pattanaik, W. H. Green, Reactants, products, and transition states of "
        "elementary chemical reactions based on quantum chemistry, Sci. Data 7, 137 (2020)",
        description="What users of the data must cite; goes into the files.",
    )
