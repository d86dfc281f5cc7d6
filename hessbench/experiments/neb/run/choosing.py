"""The reactions whose paths are computed, as the section `neb` of a profile wants them."""

from collections.abc import Iterable
from functools import partial

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.experiments.neb.run.bands import has_reference_band
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.reactions.choice import Search, choose_reactions
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.kinds import PathReaction
from hessbench.system.processes import Workers


def reactions_of(
    config: NebConfig, level: str, candidates: Iterable[ReactionGeometries], processes: int | Workers
) -> list[PathReaction]:
    """Choose the two reactions of the paper's figures and the held-out ones.

    Parameters
    ----------
    config
        Settings.
    level
        Level of theory of the data.
    candidates, processes
        See `hessbench.reactions.choice.choose_reactions`, errors as well.
    """
    search = Search(
        partial(LevelPotential, level),
        config.end_point_fmax_ev_a,
        config.end_point_steps,
        partial(has_reference_band, config=config),
    )
    return choose_reactions(
        candidates,
        search,
        barriers={
            "single hydrogen transfer": config.single_transfer_barrier,
            "multi-process": config.multi_process_barrier,
        },
        held_out=config.held_out,
        candidates_of_kind=config.candidates,
        seed=config.seed,
        processes=processes,
    )
