"""Reader of Transition1x (Schreiner et al., Sci. Data 9, 779 (2022)): HDF5 with NEB paths, without Hessians.

Groups data (and train, val, test, which link to the same reactions) / formula / reaction, each with
atomic_numbers, positions (n, N, 3), "wB97x_6-31G(d).energy" and ".forces", and groups reactant,
transition_state and product of the same form.
"""

from pathlib import Path

import h5py
import numpy as np

from hessbench.errors import DataError
from hessbench.formats.readers.source import DAMAGED, REMEDY, Source, StoredReaction, unstated
from hessbench.formats.unit_names import Units
from hessbench.system.hdf5 import member, members, read_array
from hessbench.system.reading import reading

FORMAT = "Transition1x (HDF5)"
UNITS = Units("Angstrom", "eV", "eV/Angstrom", None)
ENERGY, FORCES = "wB97x_6-31G(d).energy", "wB97x_6-31G(d).forces"
ROLES = {"reactant": "R", "transition_state": "TS", "product": "P"}
SPLITS = ("data", "train", "val", "test")
LEVEL = "wB97X/6-31G(d)"
"""As the names of the datasets say."""
FORM = "Transition1x (M. Schreiner et al., Sci. Data 9, 779 (2022), doi:10.1038/s41597-022-01870-w)"
PUBLISHED = (
    "nothing in the file says whose data it holds: Transition1x is under CC BY 4.0; state --licence and "
    "--citation"
)
"""What to do, since anybody's paths may have this form."""


def recognise(path: Path) -> bool:
    """Whether the file is HDF5 with reactions under data, train, val or test and a formula."""
    if not path.is_file() or not h5py.is_hdf5(path):
        return False
    with reading(path, DAMAGED, REMEDY), h5py.File(path, "r") as file:
        found = [member(file, split) for split in SPLITS if split in file]
        for _ in ("formula", "reaction"):  # the first of each
            groups = [item for item in found if isinstance(item, h5py.Group) and len(item)]
            found = [member(group, next(iter(group))) for group in groups]
        return any(isinstance(item, h5py.Group) and {"atomic_numbers", ENERGY} <= set(item) for item in found)


def open_source(path: Path) -> Source:
    """Open a Transition1x file.

    Raises
    ------
    DataError
        The file is damaged or a reaction occurs twice.
    """
    groups: dict[str, tuple[str, str]] = {}
    with reading(path, DAMAGED, REMEDY):
        file = h5py.File(path, "r")
        for split in ("data",) if "data" in file else SPLITS:
            formulas = members(member(file, split)) if split in file else {}
            for formula, reactions in formulas.items():
                for name in reactions:
                    if name in groups:
                        raise DataError(path, "given twice.", name)
                    groups[name] = split, formula

    def load(name: str) -> StoredReaction:
        with reading(path, place=name):
            group = file
            for part in (*groups[name], name):
                group = member(group, part)
            return _reaction(name, group)

    about = unstated(path, FORM, LEVEL)
    return Source(path, FORMAT, sorted(groups), load, UNITS, about, notes=(PUBLISHED,), close=file.close)


def _reaction(name: str, group: h5py.Group) -> StoredReaction:
    """Read the path; reactant, TS and product, too, if they are not on it already."""
    numbers = read_array(group, "atomic_numbers").ravel()
    keys = ("positions", ENERGY, FORCES)
    coordinates, energies, forces = (read_array(group, key).astype(float) for key in keys)
    energies = energies.ravel()
    roles = np.full(len(energies), "path", dtype="U4")
    for key, role in ROLES.items():
        if key not in group:
            continue
        stationary = member(group, key)
        point = read_array(stationary, "positions").astype(float).reshape(-1, len(numbers), 3)[:1]
        distances = np.abs(coordinates - point).max(axis=(1, 2))
        if distances.min() < 1e-6:
            roles[int(distances.argmin())] = role
            continue
        coordinates = np.concatenate([coordinates, point])
        energies = np.append(energies, read_array(stationary, ENERGY).astype(float).ravel()[0])
        extra = read_array(stationary, FORCES).astype(float).reshape(-1, len(numbers), 3)[:1]
        forces = np.concatenate([forces, extra])
        roles = np.append(roles, role)
    return StoredReaction(name, numbers, coordinates, energies, forces, annotations={"role": roles})
