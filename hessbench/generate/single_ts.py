"""The data of the single-TS experiment (section 3.1 of the paper): a reaction's path and stationary points.

The file holds two groups in the one layout, so that a level of theory whose Hessians are expensive fits too:
`stationary` with R, TS and P and their Hessians, `path` with energies and forces along the intrinsic reaction
coordinate, from R's side (negative coordinates) to P's.
"""

from pathlib import Path

import numpy as np
from ase.io import read
from tqdm import tqdm

from hessbench import __version__
from hessbench.config.generate import GenerateConfig
from hessbench.data.layout import Metadata, Reaction, write_reactions
from hessbench.errors import DataError
from hessbench.generate.geometries import ROLES
from hessbench.generate.irc import PathError, follow, path_coordinate
from hessbench.generate.labels import collect, label, to_reaction
from hessbench.generate.levels import LevelError, make_level
from hessbench.generate.refine import RefinementError, find_minimum, find_transition_state
from hessbench.generate.runner import Outcome
from hessbench.normal_modes import atomic_masses

STATIONARY, PATH = "stationary", "path"
"""Names of the two groups."""
STEP = 0.05
"""Step along the path, amu^(1/2) Angstrom; that of the paper's Figure 2, Gaussian's default of 0.1 bohr."""
STEPS = 60
"""Most steps to each side of the TS."""


def read_roles(source: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Read R, TS and P, frames of an extxyz file with a `role` each, in one atom order.

    Returns
    -------
    numbers (N,), and by role the coordinates (N, 3) in Angstrom.

    Raises
    ------
    DataError
        The file is missing or unreadable, or does not hold these three.
    """
    try:
        frames = {frame.info.get("role"): frame for frame in read(source, index=":", format="extxyz")}
    except FileNotFoundError:
        raise DataError(source, "the file does not exist.") from None
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(source, f"not a readable extxyz file ({error}).") from None
    if set(frames) != set(ROLES):
        raise DataError(
            source, f"expected three frames with role=R, TS and P, found {sorted(map(str, frames))}."
        )
    numbers = frames["TS"].numbers
    if any(not np.array_equal(frame.numbers, numbers) for frame in frames.values()):
        raise DataError(source, "R, TS and P must have the same atoms in the same order.")
    return numbers, {role: frames[role].positions for role in ROLES}


def make_single_ts(source: Path, output: Path, config: GenerateConfig) -> str:
    """Refine the stationary points of one reaction, follow its path and label all of it.

    Parameters
    ----------
    source
        R, TS and P, see `read_roles`.
    output
        Data file to write.
    config
        Level of theory and convergence; the step along the path is `STEP`.

    Returns
    -------
    str
        What came out, for the user.

    Raises
    ------
    DataError
        The source cannot be used, or a refinement, the path or a label failed.
    """
    numbers, starts = read_roles(source)
    level = make_level(config.level, numbers)
    try:
        points = {
            role: (find_transition_state if role == "TS" else find_minimum)(level, start, config.fmax_ev)
            for role, start in starts.items()
        }
        labels = [label(level, points[role]) for role in ROLES]
        settings = config.model_copy(update={"irc_step": STEP, "irc_steps": STEPS})
        sides = [
            follow(level, points["TS"], labels[ROLES.index("TS")][2], direction, settings)
            for direction in ("forward", "reverse")
        ]
        if _distance(sides[0][-1], points["P"]) < _distance(sides[1][-1], points["P"]):
            sides.reverse()
        path = np.stack([*sides[0][:0:-1], points["TS"], *sides[1][1:]])
        coordinate = path_coordinate(path, atomic_masses(numbers), origin=len(sides[0]) - 1)
        singles = [level.gradient(item) for item in tqdm(path, desc="path", unit="structure")]
    except (RefinementError, PathError, LevelError) as error:
        raise DataError(source, f"{config.level}: {error}") from error
    stationary = Outcome(
        STATIONARY, collect(numbers, [points[role] for role in ROLES], labels, role=list(ROLES))
    )
    along = Reaction(
        name=PATH,
        numbers=numbers.astype(np.uint8),
        coordinates=path,
        energies=np.array([energy for energy, _ in singles]),
        forces=np.stack([-gradient for _, gradient in singles]),
        annotations={"path_coordinate": coordinate},
    )
    metadata = Metadata(
        name="single-TS",
        version="1",
        level=config.level,
        origin="R, TS and P of CH3OCH2CH2OH -> H2O + C3H6O of the paper's supporting information C, refined "
        "at the level, and the intrinsic reaction coordinate followed from the TS",
        licence="CC BY 4.0",
        citation="A. Rodriguez, J. S. Smith, J. L. Mendoza-Cortes, Does Hessian Data Improve the Performance "
        "of Machine Learning Potentials?, J. Chem. Theory Comput. (2025), 10.1021/acs.jctc.5c00402",
        generator=f"hessbench {__version__}",
    )
    write_reactions(output, [along, to_reaction(stationary)], metadata)
    barrier = labels[1][0] - labels[0][0]
    return (
        f"{output}: {len(path)} structures from {coordinate[0]:+.2f} to {coordinate[-1]:+.2f} "
        f"amu^(1/2) Angstrom, barrier R -> TS {barrier:.1f} kcal/mol"
    )


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """Root mean square difference of interatomic distances."""
    distances = [np.linalg.norm(x[:, None] - x[None, :], axis=-1) for x in (first, second)]
    return float(np.sqrt(((distances[0] - distances[1]) ** 2).mean()))
