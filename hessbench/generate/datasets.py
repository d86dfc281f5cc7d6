"""The data sets that `hessbench generate` makes: which reactions, from which file, into which file."""

import csv
import heapq
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from hessbench.chemistry.levels import generator, require_level, versions
from hessbench.cluster.connection import Cluster
from hessbench.data.layout import Metadata, Reaction, ReactionFile, write_reactions
from hessbench.errors import DataError, HessbenchError
from hessbench.generate.irc import IrcTask, irc_reaction
from hessbench.generate.labels import to_reaction
from hessbench.generate.nms import NmsTask, nms_reaction
from hessbench.generate.qchem_archive import read_archive
from hessbench.generate.refine import RefineTask, refine_reaction
from hessbench.generate.rtp import RtpTask, rtp_reaction
from hessbench.generate.runner import run
from hessbench.generate.settings import GenerateConfig
from hessbench.reactions.geometries import ROLES, ReactionGeometries, read_npz, shuffled
from hessbench.reactions.geometry_file import read_geometries, write_geometries
from hessbench.system.files import write_text
from hessbench.system.journal import Journal, Outcome, checksum

T = TypeVar("T")

VERSION = "2"
"""Of the data sets; to be raised when the way they are made changes their content."""
READERS: dict[str, Callable[[Path], list[ReactionGeometries]]] = {
    ".npz": read_npz,
    ".h5": read_geometries,
    ".tar.gz": read_archive,
}
"""Readers of starting geometries by the ending of the file's name."""


def make_geometries(source: Path, output: Path, cluster: Cluster, config: GenerateConfig) -> str:
    """Refine all reactions of a file of geometries at the level; see `refine_reaction`.

    Returns
    -------
    str
        What came out, for the user; failures are in a CSV file beside the output.

    Raises
    ------
    HessbenchError
        A file or the cluster cannot be used.
    """
    reactions = {reaction.name: reaction for reaction in load_geometries(source)}
    outcomes = _compute(
        "refine",
        refine_reaction,
        shuffled(reactions, config.seed),
        lambda name: RefineTask(reactions[name], config.level, config.fmax_ev),
        source,
        output,
        cluster,
        config,
        ("fmax_ev",),
    )
    tally = _Tally(output)
    refined = [
        ReactionGeometries(
            item.name,
            item.arrays["numbers"],
            {role: item.arrays[role] for role in ROLES if role in item.arrays},
        )
        for item in tally.count(outcomes)
        if item.arrays
    ]
    write_geometries(
        output, refined, _metadata(f"{config.level} stationary points", "geometries refined", config)
    )
    return tally.close(sum(len(reaction.coordinates) for reaction in refined))


def make_rtp(
    source: Path, output: Path, reactions: int | None, cluster: Cluster, config: GenerateConfig
) -> str:
    """Label the stationary points of reactions; see `rtp_reaction`.

    Parameters
    ----------
    source
        Starting geometries.
    output
        Data file to write.
    reactions
        How many, chosen at random by the seed from those with all three structures; None takes every
        reaction, also incomplete ones.
    cluster
        Where the work is done.
    config
        Settings.

    Returns, raises
        As `make_geometries`.
    """
    known = {reaction.name: reaction for reaction in load_geometries(source)}
    if reactions is None:
        names = shuffled(known, config.seed)
    else:
        complete = [name for name, item in known.items() if len(item.coordinates) == len(ROLES)]
        names = _first(shuffled(complete, config.seed), reactions, source)

    def load(name: str) -> RtpTask:
        return RtpTask(known[name], config.level, config.fmax_ev)

    outcomes = _compute("rtp", rtp_reaction, names, load, source, output, cluster, config, ("fmax_ev",))
    return _write("RTP", "stationary points refined and labelled", outcomes, output, config)


def make_irc(
    source: Path, output: Path, reactions: int | None, cluster: Cluster, config: GenerateConfig
) -> str:
    """Follow and label reaction paths from the transition states of an RTP file; see `irc_reaction`.

    Parameters, returns, raises as `make_rtp`; reactions are chosen from those with R, TS and P in `source`.
    """
    with ReactionFile(source) as file:
        _check_level(file, config)
        suitable = (name for name in shuffled(file.names, config.seed) if _irc_task(file[name], config))
        names = _first(list(itertools.islice(suitable, reactions)), reactions, source)

        def load(name: str) -> IrcTask:
            task = _irc_task(file[name], config)
            assert task is not None
            return task

        settings = ("fmax_ev", "irc_step", "irc_steps", "irc_fmax_ev", "irc_structures")
        outcomes = _compute("irc", irc_reaction, names, load, source, output, cluster, config, settings)
        return _write("IRC", "reaction paths followed and labelled", outcomes, output, config)


def make_nms(
    source: Path, output: Path, reactions: int | None, cluster: Cluster, config: GenerateConfig
) -> str:
    """Sample and label structures around the paths of an IRC file; see `nms_reaction`.

    Parameters, returns, raises as `make_rtp`.
    """
    with ReactionFile(source) as file:
        _check_level(file, config)
        names = _first(shuffled(file.names, config.seed), reactions, source)
        settings = (
            "seed", "nms_temperatures", "nms_per_parent", "nms_lowest_wavenumber", "nms_energy_cap",
        )  # fmt: skip
        outcomes = _compute(
            "nms",
            nms_reaction,
            names,
            lambda name: NmsTask(file[name], config),
            source,
            output,
            cluster,
            config,
            settings,
        )
        return _write("NMS", "structures of reaction paths displaced and labelled", outcomes, output, config)


def load_geometries(source: Path) -> list[ReactionGeometries]:
    """Read starting geometries in any of the known formats.

    Raises
    ------
    DataError
        The format is unknown or the file unusable.
    """
    for ending, read in READERS.items():
        if source.name.endswith(ending):
            return read(source)
    raise DataError(source, f"geometries are read from files ending in {', '.join(READERS)}.")


def _irc_task(reaction: Reaction, config: GenerateConfig) -> IrcTask | None:
    """Make the task of a labelled reaction; None if it lacks a structure or Hessians."""
    place = {role: index for index, role in enumerate(reaction.annotations.get("role", []))}
    if reaction.hessians is None or not set(place) >= set(ROLES):
        return None
    return IrcTask(
        name=reaction.name,
        numbers=reaction.numbers,
        transition_state=reaction.coordinates[place["TS"]],
        hessian=reaction.hessians[place["TS"]],
        reactant=reaction.coordinates[place["R"]],
        product=reaction.coordinates[place["P"]],
        config=config,
        charge=reaction.charge,
        multiplicity=reaction.multiplicity,
    )


def _compute(
    command: str,
    function: Callable[[T], Outcome],
    names: Sequence[str],
    load: Callable[[str], T],
    source: Path,
    output: Path,
    cluster: Cluster,
    config: GenerateConfig,
    settings: tuple[str, ...],
) -> Iterator[Outcome]:
    """Run what is missing, then yield the outcomes sorted by name, one at a time in memory."""
    require_level(config.level)
    content = {
        "command": command,
        "source": checksum(source),
        **config.model_dump(mode="json", include={"level", *settings}),
        **versions(),
    }
    with Journal(output.with_name(output.name + ".journal"), content) as journal:
        lost = run(function, names, load, journal, cluster, command)
        finished = journal.outcomes(names)
        merged = heapq.merge(finished, lost, key=lambda outcome: outcome.name)
        yield from tqdm(merged, desc=f"writing {output.name}", total=len(names), unit="reaction")


class _Tally:
    """Counts outcomes on their way to the output and logs their failures beside it."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.log = output.with_name(output.stem + "-failures.csv")
        self.reactions = 0
        self.failures: list[list[str]] = []

    def count(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """Pass outcomes on."""
        for outcome in outcomes:
            self.reactions += bool(outcome.arrays)
            self.failures += [[outcome.name, item.structure, item.reason] for item in outcome.failures]
            yield outcome

    def close(self, structures: int) -> str:
        """Write the log and say what came out."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerows([["reaction", "structure", "reason"], *self.failures])
        write_text(self.log, buffer.getvalue())
        return (
            f"{self.output}: {structures} structures of {self.reactions} reactions; "
            f"{len(self.failures)} failures in {self.log}"
        )


def _write(name: str, how: str, outcomes: Iterator[Outcome], output: Path, config: GenerateConfig) -> str:
    """Write the outcomes as a data file as they come."""
    tally = _Tally(output)
    structures = 0

    def reactions() -> Iterator[Reaction]:
        nonlocal structures
        for outcome in tally.count(outcomes):
            if outcome.arrays:
                reaction = to_reaction(outcome)
                structures += len(reaction)
                yield reaction

    found = reactions()
    first = next(found, None)
    if first is not None:
        write_reactions(output, itertools.chain([first], found), _metadata(name, how, config))
    summary = tally.close(structures)
    if first is None:
        raise HessbenchError(f"Every reaction failed; see the failures logged in {tally.log}.")
    return summary


def _metadata(name: str, how: str, config: GenerateConfig) -> Metadata:
    return Metadata(
        name=f"hessbench {name}",
        version=VERSION,
        level=config.level,
        origin=f"{config.origin}; {how} at {config.level}",
        licence=config.licence,
        citation=config.citation,
        generator=generator(config.level),
    )


def _check_level(file: ReactionFile, config: GenerateConfig) -> None:
    if file.metadata.level != config.level:
        raise DataError(
            file.path, f"its level of theory is {file.metadata.level}, generate.level is {config.level}."
        )


def _first(items: list, number: int | None, source: Path) -> list:
    if number is not None and len(items) < number:
        raise DataError(source, f"{number} reactions asked for, but only {len(items)} are suitable.")
    return items[:number]
