"""Settings of a nudged elastic band, part of the section `neb` of a profile."""

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from hessbench.config import paper
from hessbench.config.base import Section


class BandConfig(Section):
    """How one band is relaxed; images, springs, L-BFGS and climbing as in the paper, which states no more.

    The criterion is that of ORCA's NEB-CI: the climbing image is converged tightly, the rest of the path to a
    tenth of that accuracy (Asgeirsson et al., J. Chem. Theory Comput. 17, 4929 (2021)).
    """

    images: int = Field(
        paper.NEB_IMAGES, ge=3, description="Moving images; the two end points come in addition."
    )
    spring_ev_a2: PositiveFloat = Field(
        paper.NEB_SPRING_EV_A2,
        description="Force constant of the springs, eV/Angstrom^2. With the paper's 50 L-BFGS makes bands of "
        "so many images drift apart, with any potential; with 5 it relaxes them.",
    )
    climbing_fmax_ev_a: PositiveFloat = Field(
        0.05, description="Converged when no force on an atom of the climbing image is larger, eV/Angstrom,"
    )
    band_fmax_ev_a: PositiveFloat = Field(
        0.5, description="and none of the band on an atom of any other image, eV/Angstrom."
    )
    climb_below_ev_a: PositiveFloat = Field(
        1.0, description="The highest image climbs once no force of the band is larger, eV/Angstrom."
    )
    max_iterations: PositiveInt = Field(300, description="Not converged after so many steps of L-BFGS.")
    restarts: NonNegativeInt = Field(
        2,
        description="How often a band that did not converge begins anew, each time with springs a fifth as "
        "stiff and steps half as long.",
    )
    max_step_a: PositiveFloat = Field(0.2, description="Longest step of an atom, Angstrom.")
