"""What an interrupted `hessbench neb` or `hessbench spectra` goes on with: nothing else, and bit for bit."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ase.build import molecule

from hessbench.chemistry.level_potential import LevelPotential
from hessbench.chemistry.settings import BandConfig
from hessbench.comparison.kept import fingerprint
from hessbench.comparison.potentials import NamedPotential
from hessbench.errors import DataError, PotentialError
from hessbench.experiments.neb.run import bands
from hessbench.experiments.neb.run.bands import NebTables, keeping_bands, keeping_reactions, run_neb
from hessbench.experiments.neb.run.settings import NebConfig
from hessbench.experiments.spectra.run.frequencies import PathGeometries, PathHessians
from hessbench.experiments.spectra.run.potentials import keeping_hessians, measure_all
from hessbench.potential.batch import Batch
from hessbench.potential.interface import Potential
from hessbench.reactions.choice import Search, choose_reactions
from hessbench.reactions.geometries import ReactionGeometries
from hessbench.reactions.kinds import PathReaction
from tests.chemistry.test_band import NUMBERS, Attraction, Leps, line

BAND = BandConfig(images=5, spring_ev_a2=5)
CONFIG = NebConfig(held_out_images=5, band=BAND, other_springs_ev_a2=(2.5,))


class Stopping(Leps):
    """Counts how often it is made, in a file, and is interrupted at the first call of one of these times."""

    def __init__(self, counted: Path, stop: int | None) -> None:
        super().__init__()
        counted.write_text(counted.read_text() + "x")
        self.stopped = len(counted.read_text()) == stop

    def energies_and_forces(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        if self.stopped:
            raise KeyboardInterrupt
        return super().energies_and_forces(batch)


def reactions(shift: float = 0.0) -> list[PathReaction]:
    ends = line(0.74 + shift, 1.5), line(0.93, 0.93), line(1.5, 0.74)
    return [
        PathReaction("a", "multi-process", NUMBERS, *ends, 5.0),
        PathReaction("b", "held-out", NUMBERS, *ends, 5.0),
    ]


@pytest.fixture
def relax(tmp_path: Path) -> Callable[..., tuple[NebTables, int]]:
    """Relax six bands, and count those that were begun; the second potential fails for all."""
    counted = tmp_path / "counted"

    def relaxed(
        folder: str,
        stop: int | None = None,
        digest: str = "1",
        config: NebConfig = CONFIG,
        shift: float = 0.0,
    ) -> tuple[NebTables, int]:
        counted.write_text("")
        load = partial(Stopping, counted, stop)
        potentials = [NamedPotential("E", 0, load, digest), NamedPotential("E", 1, Attraction, "2")]
        keeping = keeping_bands(1, tmp_path / folder, reactions(shift), config)
        return run_neb(reactions(shift), potentials, config, keeping), len(counted.read_text())

    return relaxed


def assert_same(found: NebTables, wanted: NebTables) -> None:
    for field in fields(NebTables):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_interrupted_bands_go_on_and_the_tables_are_those_of_an_undisturbed_run(relax, tmp_path, capsys):
    whole, made = relax("whole")
    assert made == 3
    assert [len(getattr(whole, field.name)) for field in fields(NebTables)] == [2 * 7, 4, 7 * 3, 1]
    assert set(whole.summary["status"]) == {"converged", "end point failed"}
    assert "done already" not in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        relax("killed", stop=3)
    assert len(list((tmp_path / "killed").iterdir())) == 4
    found, made = relax("killed")
    assert made == 1
    assert "4 of 5 bands are done already, by an interrupted run." in capsys.readouterr().out
    assert_same(found, whole)
    found, made = relax("killed")
    assert made == 0
    assert_same(found, whole)


def test_settings_that_say_which_bands_there_are_change_none(relax):
    relax("kept")
    others = {"processes": 7, "seeds": 9, "held_out": 3, "seed": 5, "losses": ("x",)}
    assert relax("kept", config=CONFIG.model_copy(update=others))[1] == 0


@pytest.mark.parametrize(
    "other",
    [
        {"digest": "another model"},
        {"config": CONFIG.model_copy(update={"band": BAND.model_copy(update={"max_step_a": 0.123})})},
        {"config": CONFIG.model_copy(update={"end_point_steps": 499})},
        {"shift": 1e-12},
    ],
)
def test_bands_of_another_model_other_settings_or_other_end_points_are_not_taken_up(relax, other):
    relax("kept")
    assert relax("kept", **other)[1] == 3


def test_bands_of_other_code_are_not_taken_up(relax, monkeypatch):
    relax("kept")
    monkeypatch.setattr(bands, "code_digest", lambda package: "edited")
    assert relax("kept")[1] == 3


def test_a_damaged_band_is_named(relax, tmp_path):
    relax("kept")
    damaged = next(iter((tmp_path / "kept").iterdir()))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    with pytest.raises(
        DataError, match=rf"{damaged.name}: is no checkpoint .*; delete it to compute it anew"
    ):
        relax("kept")


def test_what_differs_has_another_fingerprint():
    array = np.arange(4.0)
    different = [
        ("ab", "c"), ("a", "bc"), ("abc",), (("abc",),), (1,), (1.0,), ("1",), (True,), (None,), (array,),
        (array.astype(np.float32),), (array.reshape(2, 2),), (array + 1e-15,), ({"a": array},),
        ({"b": array},), (BAND,), (CONFIG,), (ReactionGeometries("a", array, {}),),
        (ReactionGeometries("a", array, {"R": array}),), (frozenset("ab"),), (frozenset("a"),),
    ]  # fmt: skip
    assert len({fingerprint(*parts) for parts in different}) == len(different)
    assert fingerprint({"a": 1, "b": 2.0}, array) == fingerprint({"b": 2.0, "a": 1}, array.copy())
    assert fingerprint(frozenset("abcdef")) == fingerprint(frozenset("fedcba"))
    with pytest.raises(TypeError, match="function has no digest"):
        fingerprint([len, lambda: None][1])


def ammonia() -> ReactionGeometries:
    """Its inversion; R and P have the same bonds."""
    atoms = molecule("NH3")
    flat = atoms.positions.copy()
    flat[:, 2] = 0.0
    flat[1:, :2] *= 0.997 / np.linalg.norm(flat[1, :2])
    places = {"R": atoms.positions, "TS": flat, "P": atoms.positions * [1, 1, -1]}
    return ReactionGeometries("ammonia", atoms.numbers, places)


def test_reactions_that_were_tried_are_not_tried_again(tmp_path):
    counted = tmp_path / "counted"

    def chosen(level: str) -> tuple[list[PathReaction], int]:
        counted.write_text("")
        return (
            choose_reactions(
                [ammonia()],
                Search(partial(counting, counted), 0.01, 500),
                barriers={},
                held_out=1,
                candidates_of_kind=1,
                seed=0,
                processes=keeping_reactions(1, tmp_path / "kept", level, CONFIG),
            ),
            len(counted.read_text()),
        )

    (first,), made = chosen("GFN2-xTB")
    assert made == 1
    (second,), made = chosen("GFN2-xTB")
    assert made == 0
    for field in fields(PathReaction):
        one, other = getattr(first, field.name), getattr(second, field.name)
        assert type(one) is type(other)
        assert np.array_equal(one, other)
    assert chosen("another")[1] == 1
    keeping = keeping_reactions(1, tmp_path / "kept", "GFN2-xTB", CONFIG)
    partly = replace(first, trained=frozenset({"R", "P"}))
    content = json.loads(json.dumps(keeping.pack(partly), default=np.ndarray.tolist))
    assert keeping.unpack(content).trained == partly.trained


def counting(counted: Path) -> Potential:
    counted.write_text(counted.read_text() + "x")
    return LevelPotential("GFN2-xTB")


class Failing(LevelPotential):
    def __init__(self) -> None:
        super().__init__("GFN2-xTB")

    def hessians(self, batch: Batch) -> list[np.ndarray]:
        raise PotentialError("no water here")


def test_hessians_of_a_path_are_kept_but_not_failures(tmp_path):
    atoms, counted = molecule("H2O"), tmp_path / "counted"
    counted.write_text("")
    path = PathGeometries(
        "water", atoms.numbers, np.stack([atoms.positions, 1.01 * atoms.positions]), np.arange(2.0)
    )
    reference = NamedPotential("reference", -1, partial(counting, counted), "level")
    keeping = keeping_hessians(tmp_path / "kept", path)
    failing = NamedPotential("mine", 0, Failing, "1")
    first, failed = measure_all([reference, failing], path, keeping)
    mended = NamedPotential("mine", 0, partial(counting, counted), "1")
    again, tried = measure_all([reference, mended], path, keeping)
    assert failed == "no water here"
    assert counted.read_text() == "xx"
    assert isinstance(tried, PathHessians)
    assert isinstance(first, PathHessians)
    assert isinstance(again, PathHessians)
    assert again.cpu_s == first.cpu_s
    assert [item.tobytes() for item in again.hessians] == [item.tobytes() for item in first.hessians]
    keeping.remove()
    assert not (tmp_path / "kept").exists()
    with pytest.raises(PotentialError):
        measure_all([failing._replace(loss="reference")], path, keeping)
