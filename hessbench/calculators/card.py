"""Model cards: what a reader of a leaderboard has to know of a potential besides its errors."""

import datetime
from pathlib import Path

from pydantic import Field

from hessbench.config.base import Section, read_yaml, validate

SUFFIX = ".yaml"
"""The card of mine.py is mine.yaml beside it."""


class Card(Section):
    """Who made a potential, from what, and what it costs."""

    name: str = Field(min_length=1, max_length=60, description="Name for people.")
    version: str = Field(min_length=1, max_length=40, description="Version of the model or program.")
    authors: tuple[str, ...] = Field(min_length=1, description="Who made it.")
    licence: str = Field(min_length=1, description='Licence of the weights, an SPDX identifier: "MIT".')
    level: str = Field(min_length=1, description='Level of theory that it reproduces: "wB97X-D/6-31G(d)".')
    training_data: str = Field(min_length=1, description='What it was trained or fitted on; "none".')
    hardware: str = Field("", description="Machine on which the predictions were made.")
    cost: str = Field("", description='What training it took: "12 GPU hours".')
    reference: str = Field("", description="Paper or page that describes it.")
    submitted: datetime.date | None = Field(None, description="Day of the submission.")
    notes: str = Field("", description="Anything a reader should know, in one sentence.")


def read_card(path: Path) -> Card:
    """Read and validate a card.

    Raises
    ------
    ConfigurationError
        It is missing, no YAML, or does not fit; each key that does not is named.
    """
    return validate(
        Card, read_yaml(path, missing="does not exist; docs/leaderboard.md has one."), source=path
    )


def card_beside(source: Path | str) -> Card | None:
    """Card of a calculator's file, if there is one beside it: mine.yaml of mine.py."""
    path = Path(source)
    beside = path.with_suffix(SUFFIX)
    return read_card(beside) if path.is_file() and beside.is_file() else None


def same_level(first: str, second: str) -> bool:
    """Whether two names of levels of theory differ in spaces and capitals at most."""
    return "".join(first.split()).casefold() == "".join(second.split()).casefold()


def level_mark(level: str, data_level: str) -> str:
    """What to say of a potential that reproduces a level of theory, scored on data of another; empty if none.

    Parameters
    ----------
    level
        The potential's; empty if it does not state one.
    data_level
        The data's.
    """
    if not level:
        return f"level of theory not stated; the data are of {data_level}"
    if same_level(level, data_level):
        return ""
    return f"of {level}, the data of {data_level}: errors include the difference of the two levels"
