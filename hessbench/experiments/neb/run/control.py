"""The control of the bands: searches for reactions and bands of the level of theory alone.

Nothing of it depends on what is trained, so it comes with the package: two thirds of the time of
`hessbench neb`. The same code computes it that relaxes all other bands.
"""

from collections.abc import Iterable
from pathlib import Path

from hessbench.cluster.workers import workers
from hessbench.comparison.kept import Keeping
from hessbench.comparison.known import Known, read_known, write_known
from hessbench.comparison.potentials import level_potential
from hessbench.config.loss_labels import REFERENCE
from hessbench.embedded import EMBEDDED
from hessbench.experiments.neb.run.bands import NebTables, keeping_bands, keeping_reactions, run_neb
from hessbench.experiments.neb.run.choosing import reactions_of
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.system.machine import versions_of
from hessbench.system.sources import files_digest

CONTROL = EMBEDDED / "neb-reference.npz"
"""That of profiles desktop and ci, by `hessbench neb --reference`."""
COMMAND = "hessbench neb --reference FILE"
_HERE = "hessbench/experiments/neb/run"
DECIDING = (
    "hessbench/chemistry", "hessbench/reactions", f"{_HERE}/bands.py", f"{_HERE}/choosing.py",
    f"{_HERE}/settings.py",
)  # fmt: skip
"""Code that decides about the control; what reads data, and what only carries numbers, does not."""
PROGRAMS = ("ase", "numpy", "scipy", "tblite")


def read_control(path: Path) -> tuple[Known, str]:
    """Read the control from a file, if the code that runs would compute the same.

    Returns
    -------
    what is known, nothing if other code computed it; and a sentence that then says so.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    known, code = read_known(path, COMMAND), files_digest(*DECIDING)
    if known.code == code:
        return known, ""
    return _nothing(code), (
        f"{path.name}: of other code than this; searches and bands of the reference are computed anew "
        f"(`{COMMAND}` writes such a file)."
    )


def origin(known: Known, searching: Keeping, relaxing: Keeping, tables: NebTables) -> str:
    """Say how much of the control of these tables was known, not computed."""
    searches, bands = (
        sum(digest in known.contents for digest in keeping.given) for keeping in (searching, relaxing)
    )
    relaxed = sum(int((table["loss"] == REFERENCE).sum()) for table in (tables.summary, tables.springs))
    programs = f" ({'; '.join(sorted(known.programs))})" if searches or bands else ""
    return (
        f"{searches} of {len(searching.given)} searches for reactions and {bands} of {relaxed} bands of the "
        f"reference come with the package{programs}"
    )


def write_control(
    path: Path, config: NebConfig, level: str, candidates: Iterable[ReactionGeometries], checkpoints: Path
) -> str:
    """Compute the control of a profile and write it beside what the file has of the same code.

    Parameters
    ----------
    path
        The file.
    config
        Settings of the profile.
    level
        Level of theory of the data.
    candidates
        Reactions to choose from.
    checkpoints
        Folder of what an interrupted command goes on with.

    Returns
    -------
    str
        What was done.

    Raises
    ------
    DataError
        There is another file, or a damaged one; seen before anything is computed.
    """
    before, foreign = read_control(path) if path.exists() else (_nothing(files_digest(*DECIDING)), "")
    searching = keeping_reactions(workers(config.processes), checkpoints, level, config)
    reactions = reactions_of(config, level, candidates, searching)
    relaxing = keeping_bands(workers(config.processes), checkpoints, reactions, config)
    run_neb(reactions, [level_potential(level)], config, relaxing)
    contents = dict(before.contents)
    for keeping in (searching, relaxing):
        for digest, result in keeping.given.items():
            if (content := keeping.pack(result)) is not None:
                contents[digest] = content
    programs = ", ".join(f"{name} {number}" for name, number in versions_of(PROGRAMS).items())
    write_known(path, Known(before.code, before.programs | {programs}, contents))
    relaxing.remove()
    others = "what it held was of other code and is gone" if foreign else f"{len(contents)} results in all"
    return (
        f"{path}: {len(searching.given)} searches for reactions and {len(relaxing.given)} bands at {level}, "
        f"computed anew; {others}"
    )


def _nothing(code: str) -> Known:
    return Known(code, frozenset(), {})
