"""A small valid file of each kind that this project reads, and how it is read."""

import json
import pickle
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import torch
from ase import Atoms
from ase.io import write

from hessbench.config.inputs import read_inputs
from hessbench.data.layout import ReactionFile, verify, write_reactions
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split, read_split, write_split
from hessbench.embedded import EMBEDDED
from hessbench.errors import HessbenchError
from hessbench.experiments.errors.run.predictions import (
    pack,
    predicted_from,
    predicted_seeds,
    read_predictions,
)
from hessbench.experiments.single_ts.run import ensembles
from hessbench.experiments.stability.run import heating
from hessbench.experiments.stability.run.molecules import read_molecules
from hessbench.formats.inspect import inspect_data
from hessbench.formats.readers.restricted_pickle import decode_record
from hessbench.generate.qchem_archive import read_archive
from hessbench.generate.single_ts import read_roles
from hessbench.plotting import history
from hessbench.potential.ani.potential import build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.registry import load
from hessbench.profiles.schema import load_profile
from hessbench.reactions.geometries import ReactionGeometries, read_npz
from hessbench.reactions.geometry_file import read_geometries, write_geometries
from hessbench.results.run import Run, read_run, write_run
from hessbench.results.store.tables import read_provenance, read_table, write_table
from hessbench.results.table_files import read_csv
from hessbench.system.journal import Journal, Outcome
from hessbench.training.checkpoint import load_checkpoint, save_checkpoint
from tests.campaign.campaign import Kind
from tests.formats import writers
from tests.generate.test_qchem_archive import log
from tests.results.store.test_tables import MADE, SURFACE
from tests.training.synthetic import METADATA, reactions

PROFILE = Path(__file__).parents[2] / "reproduce" / "profiles" / "ci.yaml"


def kinds() -> dict[str, Kind]:
    """All kinds by name."""
    data = reactions(3, 2)
    return {**_foreign(data), **_geometries(), **_own(data)}


def _inspected(name: str) -> Callable[[Path], object]:
    return lambda folder: inspect_data(folder / name, progress=False)


def _foreign(data: list) -> dict[str, Kind]:
    def written(write: Callable, *arguments: Any) -> Callable[[Path], object]:
        return lambda folder: write(folder / "in", *arguments)

    solvent = "vacuum"
    arrow = f"in/{solvent}/data-00000-of-00001.arrow"
    return {
        "OpenREACT HDF5": Kind("in", written(writers.write_openreact, data), _inspected("in")),
        "Transition1x HDF5": Kind("in", written(writers.write_transition1x, data), _inspected("in")),
        "HORM LMDB": Kind(
            "in",
            lambda folder: writers.write_lmdb(folder / "in", writers.horm_records(data)),
            _inspected("in"),
        ),
        "HORM record": Kind(
            "in",
            lambda folder: (folder / "in").write_bytes(writers.horm_records(data)[0]),
            lambda folder: _decoded((folder / "in").read_bytes()),
        ),
        "Hessian QM9 Arrow": Kind(
            arrow, written(writers.write_hessian_qm9, data, (solvent,)), _inspected("in")
        ),
        "Hessian QM9 JSON": Kind(
            f"in/{solvent}/state.json",
            written(writers.write_hessian_qm9, data, (solvent,)),
            _inspected("in"),
        ),
        "extended XYZ": Kind("in", written(writers.write_extxyz, data), _inspected("in")),
        "Gaussian checkpoint": Kind("in", written(writers.write_fchk, data[0], 0), _inspected("in")),
        "Gaussian log": Kind("in", written(writers.write_gaussian_log, data[0]), _inspected("in")),
        "Q-Chem output": Kind("in", written(writers.write_qchem, data[0], 0), _inspected("in")),
    }


def _decoded(data: bytes) -> object:
    try:
        return decode_record(data)
    except pickle.UnpicklingError as error:
        raise HessbenchError(str(error)) from None


def _geometries() -> dict[str, Kind]:
    rng = np.random.default_rng(1)
    found = [
        ReactionGeometries(f"rxn{index:06d}", np.array([6, 8, 1, 1]), dict.fromkeys(("R", "TS", "P"), points))
        for index, points in enumerate(rng.normal(0, 1, (3, 4, 3)))
    ]

    def npz(folder: Path) -> None:
        points = np.concatenate([item.coordinates["TS"] for item in found])
        arrays = dict.fromkeys(("reactant", "ts", "product"), points)
        offset, numbers = np.array([0, 4, 8, 12]), np.concatenate([item.numbers for item in found])
        np.savez(folder / "in.npz", rxn_id=np.arange(3), offset=offset, atomic_numbers=numbers, **arrays)

    def archive(folder: Path) -> None:
        with tarfile.open(folder / "in.tar.gz", "w:gz") as tar:
            for prefix in ("r", "ts", "p"):
                text = log(found[0].numbers, found[0].coordinates["TS"]).encode()
                member = tarfile.TarInfo(f"wb97xd3/rxn000001/{prefix}000001.log")
                member.size = len(text)
                tar.addfile(member, BytesIO(text))

    def copied(name: str) -> Callable[[Path], object]:
        return lambda folder: (folder / "in").write_bytes((EMBEDDED / name).read_bytes())

    def roles(folder: Path) -> None:
        frames = [
            Atoms(found[0].numbers, points, info={"role": role})
            for role, points in found[0].coordinates.items()
        ]
        write(folder / "in", frames, format="extxyz")

    def levels(folder: Path) -> list:
        return [(item.name, item.numbers, item.coordinates) for item in read_geometries(folder / "in")]

    return {
        "geometries npz": Kind("in.npz", npz, lambda folder: read_npz(folder / "in.npz")),
        "geometries HDF5": Kind(
            "in", lambda folder: write_geometries(folder / "in", found, METADATA), levels, sealed=True
        ),
        "Q-Chem archive": Kind("in.tar.gz", archive, lambda folder: read_archive(folder / "in.tar.gz")),
        "R, TS, P extxyz": Kind("in", roles, lambda folder: read_roles(folder / "in")),
        "molecules extxyz": Kind("in", copied("md17.extxyz"), lambda folder: read_molecules(folder / "in")),
    }


def _own(data: list) -> dict[str, Kind]:
    settings = {"level": "none"}

    def journal(folder: Path) -> None:
        with Journal(folder / "in", settings) as made:
            made.add(Outcome("a", {"number": np.arange(50.0)}))

    def outcomes(folder: Path) -> list:
        with Journal(folder / "in", settings) as made:
            return [(item.name, item.failures) for item in made.outcomes(made.names())]

    def reaction_file(folder: Path) -> list:
        with verify(folder / "in") as file:
            return [(item.name, item.coordinates, item.hessians) for item in file]

    def one_reaction(folder: Path) -> list:
        with ReactionFile(folder / "in") as file:
            return [(item.name, item.coordinates, item.hessians) for item in file]

    def model(folder: Path) -> list:
        potential = load(folder / "in")
        return [value.detach().numpy() for value in potential.networks.parameters()]

    def predictions(folder: Path) -> None:
        counts = np.array([2, 3])
        with h5py.File(folder / "in", "w") as file:
            file.attrs["hessbench"] = json.dumps({"inputs": {"data": {"rtp": "a"}}})
            group = file.create_group("rtp")
            group["reaction"], group["structure"], group["counts"] = ["a", "b"], [0, 0], counts
            part = group.create_group("seed-0")
            part["energies"], part["forces"] = np.zeros(2), np.zeros((5, 3), "f4")
            part["hessians"] = pack(np.zeros(36 + 81, "f4"), counts)

    def predicted(folder: Path) -> list:
        path = folder / "in"
        return [predicted_seeds(path), predicted_from(path), read_predictions(path, "rtp", 0)]

    def heated(folder: Path) -> None:
        frames = [heating.Frame(1.0, 300.0, [[0.0] * 3] * 2)]
        state = heating.Heating(
            None, {"0/a": np.ones((5, 2))}, {"0/a": np.ones((5, 1))}, {"a": np.ones(2)}, [], frames
        )
        heating._save(folder / "in", "f", state)

    def trained(folder: Path) -> None:
        arrays = {name: np.ones((2, 3)) for name in ensembles.NAMES}
        ensembles.write_sealed(
            folder / "in", lambda file: np.savez(file, fingerprint=np.array("f"), **arrays)
        )

    frame = pd.DataFrame({"x": [0.0, 1.0], "y": [2.0, 3.0], "energy": [4.0, 5.0]})
    curves = pd.DataFrame({"epoch": [1, 2], "seed": [0, 0], "training_seconds": [1.0, 2.0]})
    split = make_split(np.repeat(np.arange(40), 3), "data", SplitConfig())
    run = Run(profile="ci", data={"rtp": "small 1.0"}, settings={"a": "1"}, code={"train": "a"})
    return {
        "data file, verified": Kind(
            "in", lambda folder: write_reactions(folder / "in", data, METADATA), reaction_file, sealed=True
        ),
        "data file, read": Kind(
            "in", lambda folder: write_reactions(folder / "in", data, METADATA), one_reaction, sealed=True
        ),
        "model file": Kind(
            "in", lambda folder: build(ANIConfig(hidden=(8, 6)), 0).save(folder / "in"), model, sealed=True
        ),
        "training checkpoint": Kind(
            "in",
            lambda folder: save_checkpoint(folder / "in", {"fingerprint": "f", "x": torch.ones(50)}),
            lambda folder: load_checkpoint(folder / "in", "f")["x"].numpy(),
            sealed=True,
        ),
        "heating checkpoint": Kind(
            "in", heated, lambda folder: vars(heating._load(folder / "in", "f")), sealed=True
        ),
        "single-TS checkpoint": Kind(
            "in", trained, lambda folder: vars(ensembles._load(folder / "in", "f")), sealed=True
        ),
        "results table": Kind(
            "surface.parquet",
            lambda folder: write_table(folder, SURFACE, frame, MADE),
            lambda folder: [
                read_table(folder, SURFACE).to_numpy(),
                read_provenance(folder / "surface.parquet"),
            ],
            sealed=True,
        ),
        "journal": Kind("in", journal, outcomes),
        "predictions HDF5": Kind("in", predictions, predicted),
        "split": Kind(
            "in",
            lambda folder: write_split(split, folder / "in"),
            lambda folder: read_split(folder / "in", "data"),
        ),
        "run": Kind("run.json", lambda folder: write_run(folder, run), read_run),
        "training record": Kind(
            "in",
            lambda folder: (folder / "in").write_text(json.dumps({"inputs": {"data": {"a": "b"}}})),
            lambda folder: read_inputs(folder / "in"),
        ),
        "learning curves": Kind(
            "in",
            lambda folder: curves.to_csv(folder / "in", index=False),
            lambda folder: history.seconds(folder / "in"),
        ),
        "table": Kind(
            "in",
            lambda folder: frame.to_csv(folder / "in", index=False),
            lambda folder: read_csv(
                folder / "in", "write it", text=[], numbers=["x", "y"], optional=["energy"]
            ),
        ),
        "profile": Kind(
            "in",
            lambda folder: (folder / "in").write_bytes(PROFILE.read_bytes()),
            lambda folder: load_profile(folder / "in"),
        ),
    }
