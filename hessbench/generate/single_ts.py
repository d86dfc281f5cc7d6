"""The data of the single-TS experiment (section 3.1 of the paper): a reaction's path and stationary points.

The file holds two groups in the one layout, so that a level of theory whose Hessians are expensive fits too:
`stationary` with R, TS and P and their Hessians, `path` with energies and forces along the intrinsic reaction
coordinate, from R's side (negative coordinates) to P's.
"""

from itertools import zip_longest
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hessbench.chemistry.level import LevelError
from hessbench.chemistry.levels import generator, make_level, require_level, versions
from hessbench.chemistry.normal_modes import atomic_masses
from hessbench.data.layout import Metadata, Reaction, write_reactions
from hessbench.errors import DataError
from hessbench.formats.readers.extxyz_frames import read_frames
from hessbench.generate.irc import SHORTEST, PathError, path_coordinate
from hessbench.generate.labels import collect, label, to_reaction
from hessbench.generate.quadratic_path import follow_quadratic
from hessbench.generate.recorded import Recorded
from hessbench.generate.refine import RefinementError, find_minimum, find_transition_state, is_stationary
from hessbench.generate.settings import GenerateConfig
from hessbench.reactions.geometries import ROLES
from hessbench.system.journal import Journal, Outcome, checksum
from hessbench.system.trial import tried

STATIONARY, PATH = "stationary", "path"
"""Names of the two groups."""
STEPS = (*10 * (0.05,), *20 * (0.1,))
"""Steps to each side of the TS, amu^(1/2) Angstrom: fine where the paper's Figure 2 shows most."""


def read_roles(source: Path) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, str]]:
    """Read R, TS and P, frames of an extxyz file with a `role` each, in one atom order.

    Returns
    -------
    numbers (N,), by role the coordinates (N, 3) in Angstrom, and what else the frame of the TS states, of
    which `source`, `licence` and `citation` go into the data.

    Raises
    ------
    DataError
        The file is missing or unreadable, or does not hold these three.
    """
    tried(source, lambda: read_frames(source))
    every = read_frames(source)
    frames = {frame.info.get("role"): frame for frame in every}
    if set(frames) != set(ROLES) or len(every) != len(frames):
        found = sorted(str(frame.info.get("role")) for frame in every)
        raise DataError(source, f"expected three frames with role=R, TS and P, found {found}.")
    periodic = next((role for role, frame in frames.items() if frame.pbc.any()), None)
    if periodic is not None:
        raise DataError(
            source, f"{periodic} is periodic, but paths are of molecules; leave out Lattice and pbc."
        )
    numbers = frames["TS"].numbers
    if any(not np.array_equal(frame.numbers, numbers) for frame in frames.values()):
        raise DataError(source, "R, TS and P must have the same atoms in the same order.")
    stated = {key: str(value) for key, value in frames["TS"].info.items()}
    return numbers, {role: frames[role].positions for role in ROLES}, stated


def make_single_ts(source: Path, output: Path, config: GenerateConfig) -> str:
    """Refine the stationary points of one reaction where they need it, follow its path and label all of it.

    Every single point goes into a journal beside the output as soon as it is there, so that a run that was
    killed goes on where it stopped.

    Parameters
    ----------
    source
        R, TS and P, see `read_roles`.
    output
        Data file to write.
    config
        Level of theory and convergence; the steps along the path are `STEPS`.

    Returns
    -------
    str
        What came out, for the user.

    Raises
    ------
    DataError
        The source cannot be used, or a refinement, the path or a label failed.
    """
    numbers, starts, stated = read_roles(source)
    require_level(config.level)
    settings = {"command": "single-ts", "source": checksum(source), "level": config.level, **versions()}
    try:
        with Journal(output.with_name(output.name + ".journal"), settings) as journal:
            points, labels = _stationary_points(numbers, starts, journal, config)
            path, energies, gradients, origin = _path(numbers, points, labels["TS"][2], journal, config)
    except (RefinementError, PathError, LevelError) as error:
        raise DataError(source, f"{config.level}: {error}") from error
    coordinate = path_coordinate(path, atomic_masses(numbers), origin)
    stationary = Outcome(
        STATIONARY,
        collect(
            numbers, [points[role] for role in ROLES], [labels[role] for role in ROLES], role=list(ROLES)
        ),
    )
    along = Reaction(
        name=PATH,
        numbers=numbers.astype(np.uint8),
        coordinates=path,
        energies=energies,
        forces=-gradients,
        annotations={"path_coordinate": coordinate},
    )
    metadata = Metadata(
        name="single-TS",
        version="2",
        level=config.level,
        origin=f"R, TS and P of {stated.get('source', source.name)}, refined at the level where a force "
        f"exceeded {config.fmax_ev} eV/Angstrom, and the intrinsic reaction coordinate followed from the TS",
        licence=stated.get("licence", "not stated"),
        citation=stated.get("citation", "not stated"),
        generator=generator(config.level),
    )
    write_reactions(output, [along, to_reaction(stationary)], metadata)
    barrier = labels["TS"][0] - labels["R"][0]
    return (
        f"{output}: {len(path)} structures from {coordinate[0]:+.2f} to {coordinate[-1]:+.2f} "
        f"amu^(1/2) Angstrom, barrier R -> TS {barrier:.1f} kcal/mol"
    )


def _stationary_points(
    numbers: np.ndarray, starts: dict[str, np.ndarray], journal: Journal, config: GenerateConfig
) -> tuple[dict[str, np.ndarray], dict[str, tuple[float, np.ndarray, np.ndarray]]]:
    """Geometries and labels of R, TS and P."""
    points, labels = {}, {}
    for role, start in tqdm(starts.items(), desc="stationary points", unit="structure"):
        level = Recorded(make_level(config.level, numbers), journal)
        points[role] = start
        if not is_stationary(level, start, config.fmax_ev):
            find = find_transition_state if role == "TS" else find_minimum
            points[role] = find(level, start, config.fmax_ev)
        labels[role] = label(level, points[role])
    return points, labels


def _path(
    numbers: np.ndarray,
    points: dict[str, np.ndarray],
    hessian: np.ndarray,
    journal: Journal,
    config: GenerateConfig,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Geometries, energies and gradients along the path from R's side, and the index of the TS among them."""
    sides = [
        follow_quadratic(
            Recorded(make_level(config.level, numbers), journal),
            points["TS"],
            hessian,
            direction,
            STEPS,
            config.irc_fmax_ev,
        )
        for direction in (1, -1)
    ]
    found: list[list[tuple[np.ndarray, float, np.ndarray]]] = [[], []]
    with tqdm(total=2 * len(STEPS), desc="path", unit="structure") as bar:
        # In turn, so that a run can be followed on both sides.
        for pair in zip_longest(*sides):
            for side, item in zip(found, pair, strict=True):
                if item is not None:
                    side.append(item)
                    bar.update()
    if min(len(side) for side in found) < SHORTEST:
        raise PathError(f"a side of the path ends after {min(len(side) for side in found)} points")
    if _distance(found[0][-1][0], points["P"]) < _distance(found[1][-1][0], points["P"]):
        found.reverse()
    level = Recorded(make_level(config.level, numbers), journal)
    items = [*found[0][::-1], (points["TS"], *level.gradient(points["TS"])), *found[1]]
    path, energies, gradients = zip(*items, strict=True)
    return np.stack(path), np.array(energies), np.stack(gradients), len(found[0])


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """Root mean square difference of interatomic distances."""
    distances = [np.linalg.norm(x[:, None] - x[None, :], axis=-1) for x in (first, second)]
    return float(np.sqrt(((distances[0] - distances[1]) ** 2).mean()))
