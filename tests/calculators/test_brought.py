"""What users bring: forms of files, processes that end, runs that go on, cards."""

from functools import partial

import numpy as np
import pytest
from ase.build import molecule

from hessbench.calculators.brought import Brought, FailuresNotFinite
from hessbench.calculators.card import card_beside, level_mark, read_card
from hessbench.calculators.check import check_calculator
from hessbench.calculators.separate import EndedError, SeparatePotential
from hessbench.calculators.user_file import digest_of, load_calculator, name_of
from hessbench.config.inputs import Inputs
from hessbench.data.structures import concatenate
from hessbench.errors import ConfigurationError, HessbenchError
from hessbench.experiments.errors.run.predictions import read_failures, verified_checksum
from hessbench.experiments.errors.run.scoring import TestSet
from hessbench.experiments.errors.run.tables import FAILURES
from hessbench.experiments.errors.run.user_model import evaluate_user_model
from hessbench.potential.batch import Batch
from hessbench.potential.evaluation import energies_and_forces
from hessbench.results.store.tables import read_table
from tests.calculators.test_check import BATCH, ONE, SPRINGS, springs, variant

DATACLASS = """
from __future__ import annotations
from dataclasses import dataclass
from springs_beside import Springs

@dataclass
class Constants:
    force: float = 1.0
    name: str | None = None

class Mine(Springs):
    constants = Constants()

calculator = Mine
level = "springs"
"""


def test_files_with_dataclasses_siblings_and_classes_and_modules(tmp_path, monkeypatch):
    (tmp_path / "springs_beside.py").write_text(SPRINGS)
    (tmp_path / "mine.py").write_text(DATACLASS)
    found = load_calculator(tmp_path / "mine.py")
    assert (found.level, name_of(tmp_path / "mine.py")) == ("springs", "mine")
    monkeypatch.syspath_prepend(str(tmp_path))
    named = load_calculator("springs_beside:Springs")
    for one, other in zip(energies_and_forces(found, BATCH), energies_and_forces(named, BATCH), strict=True):
        np.testing.assert_array_equal(one, other)
    assert name_of("springs_beside:Springs") == "Springs"
    assert digest_of("springs_beside:Springs") == digest_of(tmp_path / "springs_beside.py")
    with pytest.raises(HessbenchError, match="no_such_module:x: cannot be imported"):
        load_calculator("no_such_module:x")


def test_a_process_that_ends_fails_one_molecule_and_the_next_is_computed(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SPRINGS + variant("if 6 in self.atoms.numbers: import os; os.kill(os.getpid(), 11)"))
    separate = SeparatePotential(path)
    with pytest.raises(EndedError, match=r"fails for CH4: its process ended \(SIGSEGV\)"):
        separate.energies_and_forces(BATCH.slice(1, 2))
    path.write_text(SPRINGS + "calculator = Springs()")
    water = BATCH.slice(0, 1)
    expected = energies_and_forces(load_calculator(path), water)
    for one, other in zip(separate.energies_and_forces(water), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert separate.cpu_s > 0


def test_a_calculator_that_works_for_some_molecule_is_not_refused(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SPRINGS + variant("if 8 in self.atoms.numbers: raise ValueError('no oxygen')"))
    assert check_calculator(load_calculator(path), ONE) == ""
    change = (
        "Mine.calls = getattr(Mine, 'calls', 0) + 1\n        if Mine.calls > 1: raise ValueError('enough')"
    )
    path.write_text(SPRINGS + variant(change))
    assert "enough" in check_calculator(load_calculator(path), ONE)


def test_an_interrupted_run_goes_on(tmp_path):
    data = concatenate([springs(name, 1, tmp_path) for name in ("H2O", "CH4", "NH3")])
    sets = {"rtp": TestSet("test", "springs", data)}
    calls = tmp_path / "calls"
    calls.touch()
    path = tmp_path / "mine.py"
    count = f"open({str(calls)!r}, 'a').write('x')"
    stop = "if self.atoms.numbers[0] == 7: raise KeyboardInterrupt"
    own = "\ndef hessian(atoms):\n    return exact(atoms)\n"
    path.write_text(SPRINGS + variant(f"{count}\n        {stop}") + own)
    model = Brought("mine", partial(load_calculator, path), level="springs", digest="1")
    with pytest.raises(KeyboardInterrupt):
        evaluate_user_model(model, 80, data.select(np.arange(4)), sets, 1, tmp_path, Inputs())
    before = calls.stat().st_size
    path.write_text(SPRINGS + variant(count) + own)
    other = Brought("mine", partial(load_calculator, path), digest="2")
    with pytest.raises(HessbenchError, match="made with calculator 1 instead of 2"):
        evaluate_user_model(other, 80, data.select(np.arange(4)), sets, 1, tmp_path, Inputs())
    errors = evaluate_user_model(model, 80, data.select(np.arange(4)), sets, 1, tmp_path, Inputs())
    assert before >= 4 + 4  # training, H2O and CH4
    assert 2 <= calls.stat().st_size - before <= 4  # NH3, and at most what was on its way
    assert len(errors) == 6 * 3
    assert not list((tmp_path / "checkpoints").glob("*.sqlite"))
    assert len(verified_checksum(tmp_path / "predictions/mine-80.h5")) == 64


def test_a_set_without_predictions_is_all_failures_and_no_set_at_all_is_an_error(tmp_path):
    data = concatenate([springs(name, 1, tmp_path) for name in ("H2O", "CH4", "NH3")])
    path = tmp_path / "mine.py"
    path.write_text(SPRINGS + variant("if 7 in self.atoms.numbers: raise ValueError('no nitrogen')"))
    model = Brought("mine", partial(load_calculator, path))
    ammonia = TestSet("test", "springs", data.select(np.array([4, 5])))
    sets = {"rtp": TestSet("test", "springs", data), "irc": ammonia}
    errors = evaluate_user_model(model, 80, data, sets, 1, tmp_path, Inputs())
    assert set(errors["set"]) == {"rtp"}
    assert read_table(tmp_path, FAILURES, part="mine-80")["set"].tolist() == ["rtp"] * 2 + ["irc"] * 2
    failures = read_failures(tmp_path / "predictions/mine-80.h5", "irc")
    assert [item[:2] for item in failures] == [("NH3", 0), ("NH3", 1)]
    with pytest.raises(HessbenchError, match=r"No structure could be scored; .*mine-80.parquet"):
        evaluate_user_model(model, 80, data, {"irc": ammonia}, 1, tmp_path, Inputs())


def test_in_dynamics_a_failure_is_forces_that_are_not_finite(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SPRINGS + variant("if 8 in self.atoms.numbers: raise ValueError('no oxygen')"))
    lenient = FailuresNotFinite(load_calculator(path))
    energies, forces = lenient.energies_and_forces(BATCH)
    assert np.isnan(energies).tolist() == [True, False]
    assert np.isnan(forces[:3]).all()
    assert np.isfinite(forces[3:]).all()
    assert "no oxygen" in lenient.reasons["H2O"]


CARD = """
name: Springs
version: "1"
authors: [A. Author]
licence: MIT
level: springs
training_data: none
"""


def test_cards_are_validated(tmp_path):
    (tmp_path / "mine.py").touch()
    assert card_beside(tmp_path / "mine.py") is None
    path = tmp_path / "mine.yaml"
    path.write_text(CARD)
    card = card_beside(tmp_path / "mine.py")
    assert card is not None
    assert card.authors == ("A. Author",)
    path.write_text(CARD.replace("licence: MIT", "license: MIT"))
    with pytest.raises(
        ConfigurationError, match=r"license: unknown key; .*licence: missing|licence: missing"
    ):
        read_card(path)


def test_levels_are_compared_by_their_names():
    assert level_mark("wb97x-d/6-31G(d)", "wB97X-D / 6-31G(d)") == ""
    assert "GFN1-xTB, the data of GFN2-xTB" in level_mark("GFN1-xTB", "GFN2-xTB")
    assert "not stated" in level_mark("", "GFN2-xTB")


def test_charge_and_multiplicity_reach_a_calculator_in_another_process(tmp_path):
    path = tmp_path / "mine.py"
    told = 'self.results["energy"] = 10 * self.atoms.info["charge"] + self.atoms.info["spin"]'
    path.write_text(SPRINGS + variant(told))
    atoms = molecule("OH")
    atoms.info.update(charge=-1, spin=1)
    batch = Batch.from_atoms([atoms])
    (energy,) = SeparatePotential(path).energies_and_forces(batch)[0]
    assert energy == pytest.approx(-9 * 23.060548, rel=1e-6)
