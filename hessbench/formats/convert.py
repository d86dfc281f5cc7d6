"""Bring a data file of any known format into the one layout, in units that its own numbers confirm."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm

from hessbench import __version__
from hessbench.data.layout import Metadata, Reaction, write_reactions
from hessbench.errors import DataError
from hessbench.formats.plausibility import bad_structures, check_arrangement, check_reaction, problem
from hessbench.formats.readers.source import Source, StoredReaction
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
    left_out
        Reactions and structures that failed and were left out on request.
    notes
        What was decided in reading the file.
    """

    findings: tuple[Finding, ...]
    reactions: int
    structures: int
    problems: tuple[str, ...]
    left_out: tuple["LeftOut", ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """A reaction or a structure that was left out.

    Attributes
    ----------
    reaction
        Its name.
    place
        Where in the file the structure is; empty if the whole reaction was left out.
    reason
        Why.
    """

    reaction: str
    place: str
    reason: str

    def __str__(self) -> str:
        """One phrase."""
        return f"{self.reaction}{', ' if self.place else ''}{self.place}: {self.reason}"


def convert(
    source: Source,
    target: Path,
    stated: Units | None = None,
    believe: bool = False,
    skip_bad: bool = False,
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
    skip_bad
        Leave out structures and reactions that fail; the file that is written lists them.
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
    findings = find_units(source, stated or Units(), believe, skip_bad)
    units = require_units(source.path, findings, believe)
    about = replace(source.metadata, **(metadata or {}))
    origin = [f"hessbench {__version__} from {source.format}", about.generator, *source.notes]
    if believe:
        origin.append(f"believed as stated: {_names(units)}")
    counts = {"reactions": 0, "structures": 0}
    problems = [contradiction(finding) for finding in findings if finding.failed]
    left_out: list[LeftOut] = []
    assumed: dict[str, list[str]] = {"charge": [], "multiplicity": []}

    def reactions() -> Iterator[Reaction]:
        allowed = int(TOLERATED * len(source.names))
        bar = tqdm(source.names, desc=f"convert {source.path.name}", unit="reaction", delay=2,
                   disable=not progress)  # fmt: skip
        for name in bar:
            if skip_bad:
                stored, failed = _without_bad(source, name, units)
                left_out.extend(failed)
                if stored is None:
                    continue
                reaction = stored.convert(units, source.path)
            else:
                stored = source.load(name)
                reaction = stored.convert(units, source.path)
                wrong = problem_of(stored, reaction)
                if wrong is not None:
                    problems.append(f"{name}: {wrong}")
                    if len(problems) > allowed and not believe:
                        raise DataError(source.path, f"refused: {wrong}{SKIP}.", name)
            for key, names in assumed.items():
                if getattr(stored, key) is None:
                    names.append(name)
            counts["reactions"] += 1
            counts["structures"] += len(reaction)
            yield reaction

    def provenance() -> Metadata:
        listed = [f"left out {item}" for item in left_out[:LISTED]]
        if len(left_out) > LISTED:
            listed.append(f"and {len(left_out) - LISTED} more")
        return replace(about, generator="; ".join([*origin, *_assumptions(assumed), *listed]))

    write_reactions(target, reactions(), provenance)
    notes = (*source.notes, *_assumptions(assumed))
    return Conversion(findings, **counts, problems=tuple(problems), left_out=tuple(left_out), notes=notes)


def _assumptions(assumed: dict[str, list[str]]) -> list[str]:
    """Say for how many reactions charge and multiplicity are not stated, and what they are taken as."""
    taken = {"charge": "0", "multiplicity": "the lowest"}
    groups: dict[tuple[str, ...], list[str]] = {}
    for key, names in assumed.items():
        if names:
            groups.setdefault(tuple(names), []).append(key)
    notes = []
    for reactions, keys in groups.items():
        whose = reactions[0] if len(reactions) == 1 else f"{len(reactions)} reactions"
        what, verb = " and ".join(keys), "is" if len(keys) == 1 else "are"
        values = " and ".join(taken[key] for key in keys)
        notes.append(f"{what} of {whose} {verb} not stated: taken as {values}")
    return notes


def problem_of(stored: StoredReaction, reaction: Reaction) -> str | None:
    """Say what is wrong with a reaction, or with a structure of it."""
    wrong = problem(check_reaction(reaction))
    bad = bad_structures(reaction) if len(reaction) > 1 or wrong else {}
    if bad and len(bad) < max(2, len(reaction)):
        index, reason = next(iter(bad.items()))
        return f"{stored.place(index)}: {reason}"
    return wrong


def _without_bad(source: Source, name: str, units: Units) -> tuple[StoredReaction | None, list[LeftOut]]:
    """Read a reaction and leave out what fails: structures, or all of it."""
    whole, left_out = _whole_structures(source, name)
    if whole is not None:
        bad = bad_structures(whole.convert(units, source.path))
        left_out += [LeftOut(name, whole.place(index), reason) for index, reason in bad.items()]
        kept = [index for index in range(len(whole)) if index not in bad]
        if kept:
            stored = whole.select(kept)
            wrong = problem(check_reaction(stored.convert(units, source.path)))
            if wrong is None:
                return stored, left_out
            left_out.append(LeftOut(name, "", wrong))
    return None, left_out


def _whole_structures(source: Source, name: str) -> tuple[StoredReaction | None, list[LeftOut]]:
    """Read a reaction and leave out structures whose numbers are not whole, whatever their units."""
    try:
        stored = source.load(name)
    except DataError as error:
        return None, [LeftOut(name, "", error.problem.rstrip("."))]
    kept, left_out = [], []
    for index in range(len(stored)):
        try:
            stored.select([index]).check(source.path)
            kept.append(index)
        except DataError as error:
            left_out.append(LeftOut(name, stored.place(index), error.problem.rstrip(".")))
    return stored.select(kept) if kept else None, left_out


def find_units(
    source: Source, stated: Units, believe: bool = False, skip_bad: bool = False
) -> tuple[Finding, ...]:
    """Find the units of a file from a sample of its reactions.

    Parameters
    ----------
    source, stated, believe, skip_bad
        See `convert`.

    Raises
    ------
    DataError
        The sample is damaged, or species and structures do not belong together.
    """
    declared = Units(
        **{**asdict(source.units), **{key: value for key, value in asdict(stated).items() if value}}
    )
    sample: list[StoredReaction] = []
    failed: list[LeftOut] = []
    for name in source.sample_names(SAMPLE_REACTIONS):
        if skip_bad:
            whole, left_out = _whole_structures(source, name)
            failed += left_out
            sample += [] if whole is None else [whole.first(SAMPLE_STRUCTURES)]
        else:
            item = source.load(name).first(SAMPLE_STRUCTURES)
            item.check(source.path)
            sample.append(item)
    if not sample:
        raise DataError(source.path, f"no reaction of it can be used, {failed[0]}.")
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


LISTED = 20
"""What was left out that a file lists one by one."""
SKIP = "; --skip-bad leaves out what fails and lists it, --believe keeps it"
"""Remedy of a refusal that is due to single records."""
BELIEVE = "; if they are right all the same, --believe takes them as stated"
"""Remedy of every refusal by a check that the numbers failed."""
OPTIONS = {"coordinates": "length", "energies": "energy", "forces": "force", "hessians": "hessian"}
"""Quantity: how the command line calls its unit."""
