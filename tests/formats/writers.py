"""Write the formats of other people's data sets, by the libraries that they were written with."""

import json
import pickle
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
import pyarrow as pa
import torch
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from hessbench.data.layout import Reaction
from hessbench.formats.unit_names import Units

EV = Units("Angstrom", "eV", "eV/Angstrom", "eV/Angstrom^2")


def scaled(reaction: Reaction, units: Units) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates, energies, forces and Hessians in the given units."""
    return (
        reaction.coordinates / units.size("coordinates"),
        reaction.energies / units.size("energies"),
        reaction.forces / units.size("forces"),
        reaction.hessians / units.size("hessians"),
    )


def write_openreact(path: Path, reactions: list[Reaction], hessian_unit: str = "Eh/Angstrom^2") -> None:
    """As published: element symbols of variable length, attributes crg, mult, nat, and an iform to skip."""
    units = Units("Angstrom", "Eh", "Eh/Angstrom", hessian_unit)
    with h5py.File(path, "w") as file:
        for reaction in reactions:
            group = file.create_group(reaction.name)
            group.attrs.update({"crg": 0, "mult": 1, "nat": len(reaction.numbers)})
            symbols = Atoms(numbers=reaction.numbers).get_chemical_symbols()
            group.create_dataset("species", data=symbols, dtype=h5py.string_dtype())
            for key, array in zip(
                ("coordinates", "energies", "forces", "hessian"), scaled(reaction, units), strict=True
            ):
                group[key] = array
            group["iform"] = np.arange(len(reaction))


def write_transition1x(path: Path, reactions: list[Reaction], units: Units = EV) -> None:
    with h5py.File(path, "w") as file:
        for index, reaction in enumerate(reactions):
            formula = Atoms(numbers=reaction.numbers).get_chemical_formula()
            group = file.create_group(f"data/{formula}/rxn{index:04d}")
            coordinates, energies, forces, _ = scaled(reaction, units)
            _transition1x_points(group, reaction.numbers, coordinates, energies, forces)
            ends = {"reactant": 0, "transition_state": 1, "product": len(reaction) - 1}
            for name, point in ends.items():
                part = slice(point, point + 1)
                _transition1x_points(
                    group.create_group(name),
                    reaction.numbers,
                    coordinates[part],
                    energies[part],
                    forces[part],
                )
            file.require_group("train")[formula] = h5py.SoftLink(f"/data/{formula}")


def _transition1x_points(group: h5py.Group, numbers: np.ndarray, *arrays: np.ndarray) -> None:
    group["atomic_numbers"] = numbers
    for key, array in zip(
        ("positions", "wB97x_6-31G(d).energy", "wB97x_6-31G(d).forces"), arrays, strict=True
    ):
        group[key] = array


@contextmanager
def torch_geometric_stand_in() -> Iterator[types.ModuleType]:
    """Classes that pickle as those of torch_geometric 2.8 do (compared with that version by hand)."""
    data_module = types.ModuleType("torch_geometric.data.data")
    storage_module = types.ModuleType("torch_geometric.data.storage")

    class GlobalStorage:
        def __getstate__(self) -> dict[str, Any]:
            return dict(self.__dict__)

    class DataEdgeAttr:
        pass

    class DataTensorAttr:
        pass

    class Data:
        def __init__(self, **values: Any) -> None:
            store = GlobalStorage()
            store.__dict__.update(_mapping=values, _parent=self)
            self.__dict__.update(_edge_attr_cls=DataEdgeAttr, _tensor_attr_cls=DataTensorAttr, _store=store)

    for module, classes in (
        (data_module, (Data, DataEdgeAttr, DataTensorAttr)),
        (storage_module, (GlobalStorage,)),
    ):
        for item in classes:
            item.__module__, item.__qualname__ = module.__name__, item.__name__
            setattr(module, item.__name__, item)
    modules = {
        "torch_geometric": types.ModuleType("torch_geometric"),
        "torch_geometric.data": types.ModuleType("torch_geometric.data"),
        data_module.__name__: data_module,
        storage_module.__name__: storage_module,
    }
    sys.modules.update(modules)
    try:
        yield data_module
    finally:
        for name in modules:
            del sys.modules[name]


def horm_records(reactions: list[Reaction], units: Units = EV, with_rxn: bool = True) -> list[bytes]:
    """Pickled records, float32 as in HORM."""
    records = []
    with torch_geometric_stand_in() as module:
        for index, reaction in enumerate(reactions):
            for point, energy, force, hessian in zip(*scaled(reaction, units), strict=True):
                values = {
                    "pos": torch.tensor(point, dtype=torch.float32),
                    "energy": torch.tensor(energy, dtype=torch.float32),
                    "forces": torch.tensor(force, dtype=torch.float32),
                    "hessian": torch.tensor(hessian, dtype=torch.float32).flatten(),
                    "charges": torch.tensor(reaction.numbers, dtype=torch.int64),
                    "natoms": torch.tensor(len(reaction.numbers)),
                }
                if with_rxn:
                    values["rxn"] = torch.tensor(index + 1)
                records.append(pickle.dumps(module.Data(**values)))
    return records


def write_lmdb(path: Path, records: list[bytes]) -> None:
    with (
        lmdb.open(str(path), subdir=False, map_size=2**26) as environment,
        environment.begin(write=True) as put,
    ):
        for index, record in enumerate(records):
            put.put(str(index).encode(), record)
        put.put(b"length", pickle.dumps(len(records)))
    Path(f"{path}-lock").unlink()


def write_hessian_qm9(
    directory: Path, reactions: list[Reaction], splits: tuple[str, ...], units: Units = EV
) -> None:
    """A saved DatasetDict: one structure a row, Hessian (N, 3, N, 3) in nested lists."""
    directory.mkdir()
    (directory / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
    for split in splits:
        (directory / split).mkdir()
        name = "data-00000-of-00001.arrow"
        (directory / split / "state.json").write_text(json.dumps({"_data_files": [{"filename": name}]}))
        rows: dict[str, list] = {
            key: [] for key in ("energy", "positions", "atomic_numbers", "forces", "hessian", "label")
        }
        for reaction in reactions:
            atoms = len(reaction.numbers)
            for index, (point, energy, force, hessian) in enumerate(
                zip(*scaled(reaction, units), strict=True)
            ):
                row = (energy, point.tolist(), reaction.numbers.tolist(), force.tolist(),
                       hessian.reshape(atoms, 3, atoms, 3).tolist(), f"{reaction.name}_{index}")  # fmt: skip
                for key, value in zip(rows, row, strict=True):
                    rows[key].append(value)
        table = pa.table(rows)
        with (
            pa.OSFile(str(directory / split / name), "wb") as sink,
            pa.ipc.new_stream(sink, table.schema) as stream,
        ):
            stream.write_table(table, max_chunksize=2)


def write_extxyz(
    path: Path, reactions: list[Reaction], units: Units = EV, hessian_key: str = "hessian"
) -> None:
    frames = []
    for reaction in reactions:
        for point, energy, force, hessian in zip(*scaled(reaction, units), strict=True):
            atoms = Atoms(numbers=reaction.numbers, positions=point, info={"reaction": reaction.name})
            atoms.info[hessian_key] = hessian
            atoms.calc = SinglePointCalculator(atoms, energy=float(energy), forces=force)
            frames.append(atoms)
    write(path, frames, format="extxyz")


ATOMIC = Units("bohr", "Eh", "Eh/bohr", "Eh/bohr^2")


def write_fchk(path: Path, reaction: Reaction, index: int) -> None:
    """Gaussian's formatted checkpoint file: what cclib reads of it."""
    point, energy, force, hessian = (array[index] for array in scaled(reaction, ATOMIC))
    lower = hessian[np.tril_indices(len(hessian))]
    numbers = reaction.numbers.astype(int)
    lines = ["title", f"{'Freq':<10}{'RwB97XD':<60}6-31G(d)", f"{'Number of atoms':<43}I{len(numbers):17d}",
             f"{'Charge':<43}I{0:17d}", f"{'Multiplicity':<43}I{1:17d}"]  # fmt: skip
    lines += _block("Atomic numbers", "I", numbers) + _block(
        "Current cartesian coordinates", "R", point.ravel()
    )
    lines += [
        f"{'Number of basis functions':<43}I{1:17d}",
        f"{'Number of independent functions':<43}I{1:17d}",
    ]
    lines += [f"{'Number of electrons':<43}I{2:17d}"]
    lines += [f"{'Number of alpha electrons':<43}I{1:17d}", f"{'Number of beta electrons':<43}I{1:17d}"]
    lines += _block("Alpha Orbital Energies", "R", np.array([-0.5]))
    lines += [f"{'SCF Energy':<43}R{energy:27.15E}", f"{'Total Energy':<43}R{energy:27.15E}"]
    lines += _block("Cartesian Gradient", "R", -force.ravel()) + _block(
        "Cartesian Force Constants", "R", lower
    )
    path.write_text("\n".join(lines) + "\n")


def _block(title: str, kind: str, values: np.ndarray) -> list[str]:
    width, form = (6, "{:12d}") if kind == "I" else (5, "{:16.8E}")
    rows = [values[start : start + width] for start in range(0, len(values), width)]
    return [
        f"{title:<43}{kind}   N={len(values):12d}",
        *("".join(form.format(v) for v in row) for row in rows),
    ]


def write_qchem(path: Path, reaction: Reaction, index: int) -> None:
    """Q-Chem's output of a frequency job: what cclib reads of it."""
    _, energy, force, hessian = (array[index] for array in scaled(reaction, ATOMIC))
    symbols = Atoms(numbers=reaction.numbers).get_chemical_symbols()
    lines = [" A Quantum Leap Into The Future Of Chemistry", "", " Q-Chem 5.4", "",
             "             Standard Nuclear Orientation (Angstroms)",
             "    I     Atom           X                Y                Z",
             " " + "-" * 64]  # fmt: skip
    for number, (symbol, point) in enumerate(zip(symbols, reaction.coordinates[index], strict=True), 1):
        lines.append(f"{number:5d}      {symbol:<3}" + "".join(f"{value:17.10f}" for value in point))
    lines += [" " + "-" * 64, "", f" Total energy in the final basis set = {energy:20.10f}"]
    lines += [
        " Gradient of SCF Energy",
        *_matrix(-force.T, 6),
        "",
        " Hessian of the SCF Energy",
        *_matrix(hessian, 6),
    ]
    lines += [
        "",
        " Total job time:  1.00s(wall), 1.00s(cpu)",
        "        *  Thank you very much for using Q-Chem.  Have a nice day.  *",
        "",
    ]
    path.write_text("\n".join(lines) + "\n")


def _matrix(values: np.ndarray, width: int) -> list[str]:
    lines = []
    for start in range(0, values.shape[1], width):
        columns = range(start, min(start + width, values.shape[1]))
        lines.append("     " + "".join(f"{column + 1:14d}" for column in columns))
        lines += [
            f"{row + 1:5d}" + "".join(f"{values[row, column]:14.7f}" for column in columns)
            for row in range(len(values))
        ]
    return lines


def write_gaussian_log(path: Path, reaction: Reaction) -> None:
    """Gaussian's log of an optimization: what cclib reads of it."""
    rule = " " + "-" * 69
    lines = [" Entering Gaussian System, Link 0=g16", " Gaussian, Inc.  All Rights Reserved.", ""]
    for point, energy, force in zip(
        *scaled(reaction, Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2"))[:3], strict=True
    ):
        lines += ["                          Input orientation:", rule,
                  " Center     Atomic      Atomic             Coordinates (Angstroms)",
                  " Number     Number       Type             X           Y           Z", rule]  # fmt: skip
        lines += [
            f"{i:7d}{z:11d}{0:12d}    " + "".join(f"{x:12.6f}" for x in row)
            for i, (z, row) in enumerate(zip(reaction.numbers, point, strict=True), 1)
        ]
        lines += [rule, f" SCF Done:  E(RwB97XD) =  {energy:.9f}     A.U. after    8 cycles", rule,
                  " Center     Atomic                   Forces (Hartrees/Bohr)",
                  " Number     Number              X              Y              Z", rule]  # fmt: skip
        lines += [
            f"{i:7d}{z:9d}       " + "".join(f"{x:15.9f}" for x in row)
            for i, (z, row) in enumerate(zip(reaction.numbers, force, strict=True), 1)
        ]
        lines += [rule, ""]
    lines += [" Normal termination of Gaussian 16 at Mon Jan  1 00:00:00 2024."]
    path.write_text("\n".join(lines) + "\n")


def gaussian_job(
    reaction: Reaction, indices: list[int], route: str = "B3LYP/6-31G(d) force", functional: str = "RB3LYP",
    forces: bool = True, state: tuple[int, int] = (0, 1),
) -> str:  # fmt: skip
    """One job of a log of Gaussian, with its route, at some of the structures."""
    rule = " " + "-" * 69
    lines = [" Gaussian, Inc.  All Rights Reserved.", " ----------", f" # {route}", " ----------",
             f" Charge = {state[0]:2d} Multiplicity = {state[1]}"]  # fmt: skip
    units = Units("Angstrom", "Eh", "Eh/bohr", "Eh/bohr^2")
    points, energies, gradients, _ = scaled(reaction, units)
    for index in indices:
        lines += ["                          Input orientation:", rule,
                  " Center     Atomic      Atomic             Coordinates (Angstroms)",
                  " Number     Number       Type             X           Y           Z", rule]  # fmt: skip
        lines += [
            f"{i:7d}{z:11d}{0:12d}    " + "".join(f"{x:12.6f}" for x in row)
            for i, (z, row) in enumerate(zip(reaction.numbers, points[index], strict=True), 1)
        ]
        lines += [
            rule,
            f" SCF Done:  E({functional}) =  {energies[index]:.9f}     A.U. after    8 cycles",
            rule,
        ]
        if forces:
            lines += [" Center     Atomic                   Forces (Hartrees/Bohr)",
                      " Number     Number              X              Y              Z", rule]  # fmt: skip
            lines += [
                f"{i:7d}{z:9d}       " + "".join(f"{x:15.9f}" for x in row)
                for i, (z, row) in enumerate(zip(reaction.numbers, gradients[index], strict=True), 1)
            ]
            lines += [rule, ""]
    return "\n".join([*lines, " Normal termination of Gaussian 16 at Mon Jan  1 00:00:00 2024.", ""])


def write_gaussian_jobs(path: Path, *jobs: str) -> None:
    start = " Entering Gaussian System, Link 0=g16\n"
    step = " Link1:  Proceeding to internal job step number  2.\n"
    path.write_text(start + step.join(jobs))
