"""The control of the bands that comes with the package: what the code that is here computes, or nothing."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner, Result

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.comparison.known import Known, read_known, write_known
from hessbench.comparison.potentials import level_potential
from hessbench.config.inputs import Inputs
from hessbench.data.layout import ReactionFile, write_reactions
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split, write_split
from hessbench.data.structures import load_structures
from hessbench.embedded import EMBEDDED
from hessbench.errors import DataError, HessbenchError
from hessbench.experiments.neb.run import command as command_module
from hessbench.experiments.neb.run.bands import (
    BandTask,
    keeping_bands,
    keeping_reactions,
    relax_reaction,
    run_neb,
)
from hessbench.experiments.neb.run.choosing import reactions_of
from hessbench.experiments.neb.run.command import command
from hessbench.experiments.neb.run.control import COMMAND, CONTROL, DECIDING, read_control
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.neb.run.tables import GEOMETRY, PATHS, SPRINGS, SUMMARY
from hessbench.reactions.geometry_file import read_geometries, write_geometries
from hessbench.reactions.held_out import unseen_saddles
from hessbench.reactions.kinds import PathReaction, connect
from hessbench.results.store.provenance import Provenance
from hessbench.results.store.tables import read_provenance, read_table
from hessbench.system.processes import Report
from hessbench.system.seal import write_sealed
from hessbench.system.sources import ROOT, files_digest

LEVEL = "GFN2-xTB"
TRANSFER, MULTIPLE, OTHER = "rxn005841", "rxn002291", "rxn001786"
REFRESH = (
    f"run `hessbench neb --reference {CONTROL.relative_to(ROOT)}` with profiles desktop and ci, one by one"
)
SMALL = {
    "geometries": "geometries.h5", "losses": ["e"], "held_out": 1, "held_out_images": 3, "candidates": 1,
    "processes": 1, "other_springs_ev_a2": [1.0],
    "band": {
        "images": 3, "spring_ev_a2": 5, "max_iterations": 40, "restarts": 0, "climbing_fmax_ev_a": 1.0,
        "band_fmax_ev_a": 2.0, "climb_below_ev_a": 2.0,
    },
}  # fmt: skip
"""Settings with which the control takes seconds."""
TABLES = PATHS, SUMMARY, SPRINGS, GEOMETRY
QUICK = ("rxn011515", "rxn011395", "rxn010408")
"""Reactions of profile desktop whose reference bands converge in few steps."""


def profile(name: str) -> NebConfig:
    content = yaml.safe_load((ROOT / "reproduce" / "profiles" / f"{name}.yaml").read_text(encoding="utf-8"))
    return NebConfig.model_validate(content["neb"])


def test_the_file_of_the_package_is_of_the_code_that_is_here() -> None:
    assert all((ROOT / place).exists() for place in DECIDING)
    known, note = read_control(CONTROL)
    assert not note, REFRESH
    assert known.contents
    assert any("tblite" in line for line in known.programs)


class Nobody:
    """Workers that do nothing, because everything is known."""

    def run(self, function: Callable, tasks: list, shared: object, on_report: Report) -> list:
        assert not tasks
        return []


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reactions"), [("desktop", None), ("ci", 60)])
def test_nothing_of_the_control_of_a_profile_is_left_to_compute(name, reactions, tmp_path) -> None:
    with ReactionFile(EMBEDDED / "rtp.h5") as file:
        used = [file[name] for name in file.names[:reactions]]
        write_reactions(tmp_path / "rtp.h5", iter(used), file.metadata)
    config, (known, _) = profile(name), read_control(CONTROL)
    candidates = unseen_saddles(EMBEDDED / "geometries.h5", tmp_path / "rtp.h5", tmp_path / "none")
    searching = keeping_reactions(Nobody(), tmp_path, LEVEL, config)
    found = reactions_of(config, LEVEL, candidates, replace(searching, known=known.contents))
    assert len(found) == 2 + config.held_out
    relaxing = replace(keeping_bands(Nobody(), tmp_path, found, config), known=known.contents)
    tables = run_neb(found, [level_potential(LEVEL)], config, relaxing)
    missed = int((tables.summary["status"] != "converged").sum())
    assert missed <= max(1, 0.1 * len(found))


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_what_comes_with_the_package_is_what_is_computed(name: str, tmp_path: Path) -> None:
    """From the transition state to the barrier of the band: the search, then the band between its ends."""
    config, (known, _) = profile("desktop"), read_control(CONTROL)
    (geometries,) = (item for item in read_geometries(EMBEDDED / "geometries.h5") if item.name == name)
    searching = keeping_reactions(1, tmp_path, LEVEL, config)
    embedded = searching.unpack(known.contents[searching.digest(geometries)])
    found = connect(
        geometries, "held-out", LevelPotential(LEVEL), config.end_point_fmax_ev_a, config.end_point_steps
    )
    assert isinstance(found, PathReaction)
    assert found.barrier == pytest.approx(embedded.barrier, abs=0.01)
    relaxing = keeping_bands(1, tmp_path, [embedded], config)
    band = relaxing.unpack(known.contents[relaxing.digest(BandTask(0, level_potential(LEVEL), None))])
    again = relax_reaction(embedded, LevelPotential(LEVEL), config)
    assert again.status == band.status == "converged"
    assert again.energies.max() == pytest.approx(band.energies.max(), abs=0.01)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`hessbench neb` with three reactions to choose from and no model but the level of theory."""
    monkeypatch.chdir(tmp_path)
    with ReactionFile(EMBEDDED / "rtp.h5") as file:
        reactions, metadata = [file[name] for name in file.names[:4]], file.metadata
    data, results = Path("data/active/rtp.h5"), Path("results")
    data.parent.mkdir(parents=True)
    results.mkdir()
    write_reactions(data, iter(reactions), metadata)
    with ReactionFile(data) as file:
        identifier = file.identifier
    config = SplitConfig(validation_percent=25, test_percent=25, training_percents=(50,), by="reaction")
    write_split(make_split(load_structures(data).reactions, identifier, config), results / "split.json")
    wanted = {TRANSFER, MULTIPLE, OTHER}
    chosen = [item for item in read_geometries(EMBEDDED / "geometries.h5") if item.name in wanted]
    write_geometries(Path("geometries.h5"), chosen, metadata)
    Path("params.yaml").write_text(json.dumps({"profile": "mine", "neb": SMALL}))

    def neb(*arguments: str, control: str = str(CONTROL)) -> Result:
        monkeypatch.setattr(command_module, "CONTROL", Path(control))
        return CliRunner().invoke(command, arguments)

    return neb


def give_a_model() -> None:
    """Put an ensemble without models where the profile's is sought."""
    with ReactionFile(Path("data/active/rtp.h5")) as file:
        inputs = asdict(Inputs({"rtp": file.identifier}))
    folder = Path("models/80/e")
    folder.mkdir(parents=True)
    (folder / "training.json").write_text(json.dumps({"seeds": [], "label": "E", "inputs": inputs}))


def written() -> tuple[list[pd.DataFrame], Provenance]:
    results = Path("results")
    return [read_table(results, table) for table in TABLES], read_provenance(SUMMARY.path(results))


def test_a_run_with_the_control_is_one_that_computes_it(run: Callable[..., Result]) -> None:
    """Written without a model, beside other results of this code; then used, then passed over."""
    code, other = files_digest(*DECIDING), {"0": {"name": "of another profile", "a": np.arange(3.0)}}
    write_known(Path("mine.npz"), Known(code, frozenset({"ase 1"}), other))
    result = run("--reference", "mine.npz")
    assert result.exit_code == 0, result.exception
    assert "mine.npz: 4 searches for reactions and 4 bands at GFN2-xTB, computed anew; 9 " in result.output
    assert not list(Path("results").glob("*.parquet"))
    known = read_known(Path("mine.npz"), COMMAND)
    assert known.contents["0"]["name"] == "of another profile"
    assert np.array_equal(known.contents["0"]["a"], np.arange(3.0))
    assert known.programs > {"ase 1"}
    give_a_model()
    result = run(control="mine.npz")
    assert result.exit_code == 0, result.exception
    said = "4 of 4 searches for reactions and 4 of 4 bands of the reference come with the package (ase 1; ase"
    assert said in result.output
    assert "interrupted" not in result.output
    found, provenance = written()
    assert provenance.notes["reference"].startswith(said)
    write_known(Path("other.npz"), replace(known, code="of other code"))
    result = run(control="other.npz")
    assert result.exit_code == 0, result.exception
    assert result.output.count("other.npz: of other code than this; ") == 1
    assert f"`{COMMAND}` writes such a file" in result.output
    wanted, provenance = written()
    assert provenance.notes["reference"].startswith("0 of 4 searches for reactions and 0 of 4 bands of the")
    for one, another in zip(found, wanted, strict=True):
        pd.testing.assert_frame_equal(one, another, check_exact=True)


@pytest.mark.slow
def test_the_control_of_other_code_is_replaced(run: Callable[..., Result]) -> None:
    write_known(Path("other.npz"), Known("of other code", frozenset({"ase 1"}), {"0": {"name": "old"}}))
    result = run("--reference", "other.npz")
    assert result.exit_code == 0, result.exception
    assert "what it held was of other code and is gone" in result.output
    known = read_known(Path("other.npz"), COMMAND)
    assert len(known.contents) == 8
    assert "ase 1" not in known.programs


@pytest.mark.parametrize("spoilt", [b"", b"no archive", b"cut", b"changed", b"another archive"])
def test_a_damaged_control_is_one_sentence_before_anything_is_computed(run, spoilt: bytes) -> None:
    path = Path("mine.npz")
    whole = CONTROL.read_bytes()
    content = {b"cut": whole[:-1000], b"changed": whole[:5000] + b"x" + whole[5001:]}.get(spoilt, spoilt)
    path.write_bytes(content)
    if spoilt == b"another archive":
        write_sealed(path, lambda file: np.savez(file, a=np.arange(3)))
    give_a_model()
    for result in (run("--reference", "mine.npz"), run(control="mine.npz")):
        assert isinstance(result.exception, DataError)
        text = r"mine\.npz: holds no results of the reference \(.*\); delete it, `.*` writes it anew\."
        assert re.fullmatch(text, str(result.exception))
        assert "reactions:" not in result.output
    path.unlink()
    missing = run(control="mine.npz").exception
    assert str(missing) == f"mine.npz: the file does not exist; `{COMMAND}` writes it."


def test_a_calculator_has_no_part_in_the_control(run: Callable[..., Result]) -> None:
    result = run("--reference", "mine.npz", "--calculator", "mine.py")
    assert isinstance(result.exception, HessbenchError)
    assert "leave --calculator out" in str(result.exception)


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    one = {"b": np.arange(4.0), "a": np.eye(2, dtype=int), "text": "x", "none": None}
    same = dict(reversed(one.items()))
    write_known(tmp_path / "one.npz", Known("1", frozenset({"a", "b"}), {"k": one, "l": {}}))
    write_known(tmp_path / "same.npz", Known("1", frozenset({"b", "a"}), {"l": {}, "k": same}))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "same.npz").read_bytes()
    found = read_known(tmp_path / "one.npz", COMMAND).contents
    assert found["l"] == {}
    assert {name: np.array_equal(found["k"][name], one[name]) for name in one} == dict.fromkeys(one, True)
    assert found["k"]["b"].dtype == np.float64


def test_the_stage_depends_on_the_file() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert CONTROL.relative_to(ROOT).as_posix() in stages["neb"]["deps"]
