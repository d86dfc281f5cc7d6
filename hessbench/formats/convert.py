"""Bring a data file of any known format into the one layout, in units that its own numbers confirm."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from hessbench import __version__
from hessbench.data.layout import Reaction, write_reactions
from hessbench.errors import DataError
from hessbench.formats.plausibility import check_arrangement, check_reaction, problem
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
    believe: bool = False,
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
    believe
        Take units and labels as they are stated, whatever the checks say, which only warn then; the file
        that is written says so.
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
    findings = find_units(source, stated or Units(), believe)
    units = require_units(source.path, findings, believe)
    about = replace(source.metadata, **(metadata or {}))
    about = replace(about, generator=f"hessbench {__version__} from {source.format}; {about.generator}")
    if believe:
        about = replace(about, generator=f"{about.generator}; believed as stated: {_names(units)}")
    counts = {"reactions": 0, "structures": 0}
    problems = [contradiction(finding) for finding in findings if finding.failed]

    def reactions() -> Iterator[Reaction]:
        allowed = int(TOLERATED * len(source.names))
        bar = tqdm(source, total=len(source.names), desc=f"convert {source.path.name}", unit="reaction",
                   delay=2, disable=not progress)  # fmt: skip
        for stored in bar:
            reaction = stored.convert(units, source.path)
            wrong = problem(check_reaction(reaction))
            if wrong is not None:
                problems.append(f"{reaction.name}: {wrong}")
                if len(problems) > allowed and not believe:
                    raise DataError(source.path, f"refused: {wrong}.", reaction.name)
            counts["reactions"] += 1
            counts["structures"] += len(reaction)
            yield reaction

    write_reactions(target, reactions(), about)
    return Conversion(findings, **counts, problems=tuple(problems))


def find_units(source: Source, stated: Units, believe: bool = False) -> tuple[Finding, ...]:
    """Find the units of a file from a sample of its reactions.

    Parameters
    ----------
    source, stated, believe
        See `convert`.

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
        wrong = problem(
            check_arrangement(item.numbers, item.coordinates * length, item.forces, item.hessians)
        )
        if wrong is not None:
            misfits[item.name] = wrong
    if len(misfits) > len(sample) / 2 and not believe:
        name, wrong = next(iter(misfits.items()))
        raise DataError(
            source.path, f"{wrong}; so in {len(misfits)} of {len(sample)} reactions{BELIEVE}.", name
        )
    return detect_units([item for item in sample if item.name not in misfits] or sample, declared)


def require_units(path: Path, findings: tuple[Finding, ...], believe: bool = False) -> Units:
    """Units to convert by: those found; those declared where numbers cannot tell, or are not asked.

    Raises
    ------
    DataError
        The numbers contradict the label or fit no known unit, or nothing tells.
    """
    for finding in findings:
        option = f"--{OPTIONS[finding.quantity]}-unit"
        if finding.failed and not believe:
            remedy = f"; to go by the numbers, convert with {option} {finding.found}" if finding.found else ""
            raise DataError(path, f"{contradiction(finding)}{remedy}{BELIEVE}.")
        if finding.found is None and finding.declared is None:
            raise DataError(
                path,
                f"the unit of {finding.quantity} is not stated and {finding.evidence}; state it by {option}.",
            )
    if believe:
        return Units(**{finding.quantity: finding.declared or finding.found for finding in findings})
    return settled_units(findings)


def contradiction(finding: Finding) -> str:
    """Say in what the numbers contradict a label."""
    if finding.found is None:
        return f"{finding.quantity} fit no known unit: {finding.evidence}"
    return (
        f"{finding.quantity} are labelled {finding.declared}, but are in {finding.found}: {finding.evidence}"
    )


def _names(units: Units) -> str:
    return ", ".join(f"{quantity} in {name}" for quantity, name in asdict(units).items() if name)


BELIEVE = "; if they are right all the same, --believe takes them as stated"
"""Remedy of every refusal by a check that the numbers failed."""
OPTIONS = {"coordinates": "length", "energies": "energy", "forces": "force", "hessians": "hessian"}
"""Quantity: how the command line calls its unit."""
