"""What a check of an archive found."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """A value that is not what the archive says.

    Attributes
    ----------
    file
        File of the archive that holds the expected value.
    place
        Row in it, in words.
    expected, found
        The value as archived, and as computed anew.
    """

    file: str
    place: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = f", {self.place}" if self.place else ""
        return f"{self.file}{place}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class Found:
    """What a check compared, the largest deviation beside its tolerance, and what differs."""

    compared: str
    deviation: str = "none allowed"
    differences: Sequence[Difference] = ()
