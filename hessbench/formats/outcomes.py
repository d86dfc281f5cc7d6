"""The three outcomes of a check: what cannot be told is neither a confirmation nor a contradiction."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Of a check; only a failed one refuses, and where none can tell, what is stated decides."""

    PASSED = "passed"
    FAILED = "failed"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True)
class Check:
    """One check of a reaction.

    Attributes
    ----------
    name
        What was checked.
    outcome
        What came out.
    evidence
        The numbers, for people; empty if there is nothing to say.
    """

    name: str
    outcome: Outcome
    evidence: str = ""


def verdict(name: str, right: bool, evidence: str) -> Check:
    """Outcome of a check that can tell; the evidence is kept if it failed."""
    return Check(name, Outcome.PASSED) if right else Check(name, Outcome.FAILED, evidence)
