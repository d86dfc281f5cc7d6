"""The data sets that `hessbench generate` makes: which reactions, from which file, into which file."""

import csv
import importlib.metadata
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hessbench import __version__
from hessbench.config.generate import GenerateConfig
from hessbench.data.layout import Metadata, Reaction, ReactionFile, write_reactions
from hessbench.errors import DataError, HessbenchError
from hessbench.files import write_text
from hessbench.generate.geometries import ROLES, ReactionGeometries, read_npz, shuffled
from hessbench.generate.geometry_file import read_geometries, write_geometries
from hessbench.generate.irc import IrcTask, irc_reaction
from hessbench.generate.labels import to_reaction
from hessbench.generate.nms import NmsTask, nms_reaction
from hessbench.generate.qchem_archive import read_archive
from hessbench.generate.refine import RefineTask, refine_reaction
from hessbench.generate.rtp import RtpTask, rtp_reaction
from hessbench.generate.runner import Journal, Outcome, T, run

VERSION = "1"
"""Of the data sets; to be raised when the way they are made changes their content."""
READERS: dict[str, Callable[[Path], list[ReactionGeometries]]] = {
    ".npz": read_npz,
    ".h5": read_geometries,
    ".tar.gz": read_archive,
}
"""Readers of starting geometries by the ending of the file's name."""


def make_geometries(source: Path, output: Path, workers: int, config: GenerateConfig) -> str:
    """Refine all reactions of a file of geometries at the level; see `refine_reaction`.

    Returns
    -------
    str
        What came out, for the user; failures are in a CSV file beside the output.

    Raises
    ------
    HessbenchError
        A file cannot be used, or a worker died.
    """
    reactions = {reaction.name: reaction for reaction in load_geometries(source)}
    tasks = [
        RefineTask(reactions[name], config.level, config.fmax_ev) for name in shuffled(reactions, config.seed)
    ]
    outcomes = _outcomes("refine", refine_reaction, tasks, output, workers, config, ("fmax_ev",))
    metadata = _metadata(f"{config.level} stationary points", "geometries refined", config)
    refined = [
        ReactionGeometries(
            item.name,
            item.arrays["numbers"],
            {role: item.arrays[role] for role in ROLES if role in item.arrays},
        )
        for item in outcomes
    ]
    write_geometries(output, refined, metadata)
    return _summary(output, sum(len(reaction.coordinates) for reaction in refined), outcomes)


def make_rtp(source: Path, output: Path, reactions: int | None, workers: int, config: GenerateConfig) -> str:
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
    workers
        Worker processes.
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
    tasks = [RtpTask(known[name], config.level, config.fmax_ev) for name in names]
    outcomes = _outcomes("rtp", rtp_reaction, tasks, output, workers, config, ("fmax_ev",))
    return _write("RTP", "stationary points refined and labelled", outcomes, output, config)


def make_irc(source: Path, output: Path, reactions: int | None, workers: int, config: GenerateConfig) -> str:
    """Follow and label reaction paths from the transition states of an RTP file; see `irc_reaction`.

    Parameters, returns, raises as `make_rtp`; reactions are chosen from those with R, TS and P in `source`.
    """
    tasks = []
    with ReactionFile(source) as file:
        _check_level(file, config)
        for name in shuffled(file.names, config.seed):
            reaction = file[name]
            place = {role: index for index, role in enumerate(reaction.annotations.get("role", []))}
            if set(place) >= set(ROLES) and reaction.hessians is not None:
                tasks.append(
                    IrcTask(
                        name=name,
                        numbers=reaction.numbers,
                        transition_state=reaction.coordinates[place["TS"]],
                        hessian=reaction.hessians[place["TS"]],
                        reactant=reaction.coordinates[place["R"]],
                        product=reaction.coordinates[place["P"]],
                        config=config,
                    )
                )
            if len(tasks) == reactions:
                break
    tasks = _first(tasks, reactions, source)
    settings = ("irc_step", "irc_steps", "irc_fmax_ev", "irc_structures")
    outcomes = _outcomes("irc", irc_reaction, tasks, output, workers, config, settings)
    return _write("IRC", "reaction paths followed and labelled", outcomes, output, config)


def make_nms(source: Path, output: Path, reactions: int | None, workers: int, config: GenerateConfig) -> str:
    """Sample and label structures around the paths of an IRC file; see `nms_reaction`.

    Parameters, returns, raises as `make_rtp`.
    """
    with ReactionFile(source) as file:
        _check_level(file, config)
        names = _first(shuffled(file.names, config.seed), reactions, source)
        tasks = [NmsTask(file[name], config) for name in names]
    settings = (
        "seed", "nms_temperatures", "nms_per_parent", "nms_lowest_wavenumber", "nms_energy_cap",
    )  # fmt: skip
    outcomes = _outcomes("nms", nms_reaction, tasks, output, workers, config, settings)
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


def _outcomes(
    command: str,
    function: Callable[[T], Outcome],
    tasks: Sequence[T],
    output: Path,
    workers: int,
    config: GenerateConfig,
    settings: tuple[str, ...],
) -> list[Outcome]:
    """Run what is missing; return the outcomes of the tasks and log the failures beside the output."""
    content = config.model_dump(mode="json", include={"level", *settings})
    with Journal(output.with_name(output.name + ".journal"), {"command": command, **content}) as journal:
        run(function, tasks, journal, workers, command)
        wanted = {task.name for task in tasks}
        outcomes = [outcome for outcome in journal.outcomes() if outcome.name in wanted]
    _log_failures(output.with_name(output.stem + "-failures.csv"), outcomes)
    return outcomes


def _log_failures(path: Path, outcomes: Iterable[Outcome]) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["reaction", "structure", "reason"])
    for outcome in outcomes:
        writer.writerows([outcome.name, failure.structure, failure.reason] for failure in outcome.failures)
    write_text(path, buffer.getvalue())


def _write(name: str, how: str, outcomes: list[Outcome], output: Path, config: GenerateConfig) -> str:
    reactions: list[Reaction] = [to_reaction(outcome) for outcome in outcomes if outcome.arrays]
    if not reactions:
        raise HessbenchError(f"Every reaction failed; see the failures logged beside {output}.")
    write_reactions(output, reactions, _metadata(name, how, config))
    return _summary(output, sum(len(reaction) for reaction in reactions), outcomes)


def _metadata(name: str, how: str, config: GenerateConfig) -> Metadata:
    programs = ", ".join(
        f"{package} {importlib.metadata.version(package)}" for package in ("tblite", "sella", "ase")
    )
    return Metadata(
        name=f"hessbench {name}",
        version=VERSION,
        level=config.level,
        origin=f"{config.origin}; {how} at {config.level}",
        licence=config.licence,
        citation=config.citation,
        generator=f"hessbench {__version__} ({programs})",
    )


def _summary(output: Path, structures: int, outcomes: list[Outcome]) -> str:
    failures = sum(len(outcome.failures) for outcome in outcomes)
    complete = sum(bool(outcome.arrays) for outcome in outcomes)
    return (
        f"{output}: {structures} structures of {complete} reactions; "
        f"{failures} failures in {output.with_name(output.stem + '-failures.csv')}"
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
