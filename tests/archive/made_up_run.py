"""A run that can be archived: made-up results, but true ones of small untrained models at 80 %."""

import json
import shutil
from pathlib import Path

import pandas as pd

from hessbench.comparison.potentials import NamedPotential
from hessbench.config.base import load_section
from hessbench.config.loss_labels import LABELS
from hessbench.data.layout import ReactionFile
from hessbench.data.structures import load_structures
from hessbench.embedded import EMBEDDED
from hessbench.experiments.errors.run.model_errors import errors_of_model
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.tables import ERRORS
from hessbench.experiments.neb.run.bands import run_neb
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SUMMARY
from hessbench.experiments.spectra.run.frequencies import frequency_rows
from hessbench.experiments.spectra.run.reference_path import read_reference_path
from hessbench.experiments.spectra.run.tables import SPECTRA
from hessbench.experiments.stability.run.heating import heat
from hessbench.experiments.stability.run.molecules import read_molecules
from hessbench.experiments.stability.run.settings import StabilityConfig
from hessbench.experiments.stability.run.tables import STABILITY
from hessbench.potential import ModelConfig, build
from hessbench.potential.evaluation import hessians
from hessbench.potential.interface import TrainablePotential
from hessbench.reactions.kinds import PathReaction
from hessbench.results.store.tables import Table, read_provenance, read_table, write_table
from hessbench.system.denormals import flushed_denormals
from tests.experiments.synthetic import LOSSES, PERCENTS, SEEDS
from tests.reproduce.synthetic_results import write_all

ROOT = Path(__file__).parents[2]
KIND = "single hydrogen transfer"
Models = dict[tuple[str, int], TrainablePotential]


def write_run(root: Path) -> None:
    """Write results/, models/, data/active, and the settings of profile smoke."""
    write_all(root)
    shutil.rmtree(root / "tables")
    models = _models(root)
    for name in ("dvc.yaml", "dvc.lock", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    settings = (ROOT / "reproduce/profiles/smoke.yaml").read_text(encoding="utf-8")
    (root / "params.yaml").write_text(settings, encoding="utf-8")
    (root / "data/active").mkdir(parents=True)
    for name in ("rtp", "irc", "nms"):
        shutil.copy(EMBEDDED / "irc.h5", root / f"data/active/{name}.h5")
    (root / "results/split.json").write_text("{}\n", encoding="utf-8")
    times = "stage,seconds,processor_seconds,ended\ntables,5.0,5.0,2026-01-02T04:00:00+00:00\n"
    (root / "results/stage-times.csv").write_text(times, encoding="utf-8")
    with flushed_denormals():
        _errors(root, models)
        _band(root, models)
        _spectra(root, models)
        _heating(root, models)


def _models(root: Path) -> Models:
    """Untrained models in the place of those without weights."""
    settings = ModelConfig.model_validate({"kind": "ani", "hidden": [8]})
    models: Models = {}
    for path in (root / "models").glob("*/*/training.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        content |= {"seeds": {str(seed): {} for seed in SEEDS}, "hardware": {"processor": "made-up core"}}
        path.write_text(json.dumps(content), encoding="utf-8")
        (path.parent / "0.safetensors").unlink()
        if path.parent.parent.name == "80":
            for seed in SEEDS:
                model = build(settings, 10 * LOSSES.index(path.parent.name) + seed)
                model.save(path.parent / f"seed-{seed}.safetensors", {"device": "cpu"})
                models[path.parent.name, seed] = model
    return models


def _replace(root: Path, table: Table, frame: pd.DataFrame, part: str | None = None) -> None:
    made = read_provenance(table.path(root / "results", part))
    write_table(root / "results", table, frame[list(table.columns)], made, part)


def _errors(root: Path, models: Models) -> None:
    sets = {}
    for name in ("irc", "nms"):
        path = EMBEDDED / f"{name}.h5"
        with ReactionFile(path) as file:
            names = file.names[:2]
        sets[name] = TestSet("", "", load_structures(path, names))
    for loss in LOSSES:
        found = pd.concat([errors_of_model(models[loss, seed], seed, sets, 32) for seed in SEEDS])
        for percent in PERCENTS:
            old = read_table(root / "results", ERRORS, part=f"{loss}-{percent}")
            new = found.assign(loss=LABELS[loss], percent=percent)
            if percent < 80:
                new["squared"] *= 80 / percent
            rows = [old[old["set"] == "rtp"], new] if percent == 80 else [new]
            _replace(root, ERRORS, pd.concat(rows), f"{loss}-{percent}")


def _band(root: Path, models: Models) -> None:
    path = read_reference_path(root / "results", KIND)
    ends = path.coordinates
    reaction = PathReaction(path.reaction, KIND, path.numbers, ends[0], ends[29], ends[-1], 61.2)
    config = load_section(NebConfig, "neb", root / "params.yaml")
    tables = run_neb([reaction], [NamedPotential("E-F-H", 0, lambda: models["efh", 0], "")], config, 1)
    for table, new in ((PATHS, tables.paths), (SUMMARY, tables.summary), (GEOMETRY, tables.geometry)):
        old = read_table(root / "results", table)
        other = (old["reaction"] != path.reaction) | (old["loss"] == "reference")
        rows = [old[other], new] if len(new) else [old[other]]
        _replace(root, table, pd.concat(rows, ignore_index=True))


def _spectra(root: Path, models: Models) -> None:
    path = read_reference_path(root / "results", KIND)
    old = read_table(root / "results", SPECTRA)
    found = [old[old["loss"] == "reference"]]
    for loss in ("ef", "efh"):
        own = hessians(models[loss, 0], path.batch)
        found.append(frequency_rows(path, LABELS[loss], 0, own, own))
    _replace(root, SPECTRA, pd.concat(found, ignore_index=True))


def _heating(root: Path, models: Models) -> None:
    """One molecule ends as with its model, before all others."""
    config = load_section(StabilityConfig, "stability", root / "params.yaml")
    name, atoms = min(read_molecules(config.molecules).items(), key=lambda item: len(item[1]))
    config = config.model_copy(update={"trajectory_molecule": name})
    (outcome,) = heat({name: atoms}, models["e", 0], config, "E/0").outcomes
    table = read_table(root / "results", STABILITY)
    own = (table["loss"] == "E") & (table["seed"] == 0) & (table["molecule"] == name)
    assert own.sum() == 1
    for column in ("status", "reason", "bond", "temperature_k", "time_fs"):
        table.loc[own, column] = getattr(outcome, column)
    table.loc[~own & (table["status"] == "failed"), "time_fs"] += 1e6
    if outcome.status != "failed":
        table.loc[~own, "status"] = "censored"
    _replace(root, STABILITY, table)
