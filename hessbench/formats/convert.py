"""Bring a data file of any known format into the one layout, in units that its own numbers confirm."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from hessbench import __version__
from hessbench.data.layout import Reaction, write_reactions
from hessbench.errors import DataError
from hessbench.formats.plausibility import mismatch, problem
from hessbench.formats.readers.source import Source
from hessbench.formats.unit_detection import Finding, detect_units, find_coordinates, settled_units
from hessbench.formats.unit_names import Units, known_units

SAMPLE_REACTIONS, SAMPLE_STRUCTURES = 64, 40
"""Reactions, evenly spread over the file, and structures of each, from which units are found."""
TOLERATED = 0.01
"""Part of the reactions that may look wrong (reported, but kept) in a file that is taken for right."""


@dataclass(frozen=True)
class Conversion:
    """What was converted.

    Attributes
    ----------
    findings
        On its units.
    reactions, structures
        Written.
    problems
        Of single reactions, too few to refuse the file.
    """

    findings: tuple[Finding, ...]
    reactions: int
    structures: int
    problems: tuple[str, ...]


def convert(
    source: Source,
    target: Path,
    stated: Units | None = None,
    metadata: Mapping[str, str] | None = None,
    progress: bool = True,
) -> Conversion:
    """Convert an open data file of any format (see `hessbench.formats.known.open_data`).

    Parameters
    ----------
    source
        The open file.
    target
        File in the one layout; replaced only when the new one is complete.
    stated
        Units in which the user says the file is, instead of those it declares; they are verified, too.
    metadata
        Fields of `Metadata` that the file does not know, or knows wrongly.
    progress
        Show progress on stderr.

    Raises
    ------
    DataError
        The file is damaged, its numbers contradict its units or fit none, or they cannot tell and nothing
        declares them; or species and structures do not belong together.
    """
    if source.problems:
        raise DataError(source.path, f"{'; '.join(source.problems)}.")
    findings = find_units(source, stated or Units())
    units = require_units(source.path, findings)
    about = replace(source.metadata, **(metadata or {}))
    about = replace(about, generator=f"hessbench {__version__} from {source.format}; {about.generator}")
    counts = {"reactions": 0, "structures": 0}
    problems: list[str] = []

    def reactions() -> Iterator[Reaction]:
        allowed = int(TOLERATED * len(source.names))
        bar = tqdm(source, total=len(source.names), desc=f"convert {source.path.name}", unit="reaction",
                   delay=2, disable=not progress)  # fmt: skip
        for stored in bar:
            reaction = stored.convert(units, source.path)
            wrong = problem(reaction)
            if wrong is not None:
                problems.append(f"{reaction.name}: {wrong}")
                if len(problems) > allowed:
                    raise DataError(source.path, f"refused: {wrong}.", reaction.name)
            counts["reactions"] += 1
            counts["structures"] += len(reaction)
            yield reaction

    write_reactions(target, reactions(), about)
    return Conversion(findings, **counts, problems=tuple(problems))


def find_units(source: Source, stated: Units) -> tuple[Finding, ...]:
    """Find the units of a file from a sample of its reactions.

    Raises
    ------
    DataError
        The sample is damaged, or species and structures do not belong together.
    """
    declared = Units(
        **{**asdict(source.units), **{key: value for key, value in asdict(stated).items() if value}}
    )
    sample = source.sample(SAMPLE_REACTIONS, SAMPLE_STRUCTURES)
    for item in sample:
        item.check(source.path)
    length = known_units("coordinates")[find_coordinates(sample, declared.coordinates).found or "Angstrom"]
    misfits: dict[str, str] = {}
    for item in sample:
        wrong = mismatch(item.numbers, item.coordinates * length, item.forces, item.hessians)
        if wrong is not None:
            misfits[item.name] = wrong
    if len(misfits) > len(sample) / 2:
        name, wrong = next(iter(misfits.items()))
        raise DataError(source.path, f"{wrong}; so in {len(misfits)} of {len(sample)} reactions.", name)
    return detect_units([item for item in sample if item.name not in misfits], declared)


def require_units(path: Path, findings: tuple[Finding, ...]) -> Units:
    """Units to convert by.

    Raises
    ------
    DataError
        The numbers contradict the label or fit no known unit, or nothing tells.
    """
    for finding in findings:
        option = f"--{OPTIONS[finding.quantity]}-unit"
        if finding.contradicts and finding.found is not None:
            raise DataError(
                path,
                f"{finding.quantity} are labelled {finding.declared}, but are in {finding.found}: "
                f"{finding.evidence}; to go by the numbers, convert with {option} {finding.found}.",
            )
        if finding.contradicts:
            raise DataError(path, f"{finding.quantity} fit no known unit: {finding.evidence}.")
        if finding.found is None and finding.declared is None:
            raise DataError(
                path,
                f"the unit of {finding.quantity} is not stated and {finding.evidence}; state it by {option}.",
            )
    return settled_units(findings)


OPTIONS = {"coordinates": "length", "energies": "energy", "forces": "force", "hessians": "hessian"}
"""Quantity: how the command line calls its unit."""
