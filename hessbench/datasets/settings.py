"""The section `data` of a profile: which data set is trained and tested on, and how much of it."""

from typing import Literal

from pydantic import Field, PositiveInt

from hessbench.config.base import Section


class ReactionCounts(Section):
    """How many reactions of each set to use; null: all of them."""

    rtp: PositiveInt | None = Field(
        None, description="Reactions whose R, TS and P are trained and tested on."
    )
    irc: PositiveInt | None = Field(None, description="Reactions whose reaction paths are tested on.")
    nms: PositiveInt | None = Field(None, description="Reactions whose displaced structures are tested on.")


class DataConfig(Section):
    """The data set of a run."""

    source: Literal["embedded", "generated", "openreact"] = Field(
        description="embedded: GFN2-xTB data that come with the package; generated: all reactions labelled "
        "here by `hessbench generate`; openreact: the paper's own data, downloaded."
    )
    reactions: ReactionCounts = ReactionCounts()
    seed: int = Field(0, ge=0, description="Chooses the reactions where not all are used.")
