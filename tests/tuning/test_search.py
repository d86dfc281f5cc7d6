import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hessbench.config.base import validate
from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split
from hessbench.errors import ConfigurationError, TrainingError
from hessbench.tuning.candidates import apply, draw_candidates
from hessbench.tuning.search import Task, score_of, search
from hessbench.tuning.settings import TuningConfig
from tests.training.synthetic import MODEL, structures, training_config

DATA = structures(8)
SPLIT = make_split(DATA.reactions, "synthetic 1", SplitConfig(training_percents=(20, 80)))
PROFILE = {"model": MODEL.model_dump(mode="json"), "training": training_config().model_dump(mode="json")}
RATE = "training.optimizer.learning_rate"
SOURCE = Path("tuning.yaml")


def config(**changes):
    content = {
        "rungs": [{"candidates": 4, "epochs": 1}, {"candidates": 2, "epochs": 2, "seeds": 2}],
        "space": {RATE: [0.003, 0.01, 0.03], "model.features": ["raw", "scaled"]},
        "weights": {"force": [0.1, 1.0], "hessian": [0.02, 0.5]},
    }
    return validate(TuningConfig, content | changes, source=SOURCE)


def run(folder, tuning, data=DATA, loss="ef"):
    trained = []
    task = Task(PROFILE, loss, tuning, SOURCE, SPLIT, folder)
    frame = search(task, data, 1, lambda trial, found: trained.append(trial))
    return frame, trained


def test_candidates_are_the_profile_and_the_same_draws_for_every_loss():
    first = draw_candidates(config())
    assert (first[0].settings, first[0].weights) == ({}, {})
    assert first == draw_candidates(config())
    assert first != draw_candidates(config(seed=1))
    assert len({str(candidate) for candidate in first}) == 4
    for candidate in first[1:]:
        assert candidate.settings[RATE] in (0.003, 0.01, 0.03)


def test_choices_reach_the_settings_and_only_terms_that_the_loss_has():
    candidate = draw_candidates(config())[1]
    model, training = apply(candidate, PROFILE, "ef", 7, SOURCE)
    assert training.epochs == 7
    assert training.optimizer.learning_rate == candidate.settings[RATE]
    assert model.features == candidate.settings["model.features"]
    assert training.losses["ef"].term("force").weight == candidate.weights["force"]
    assert training.losses["ef"].term("hessian") is None
    assert training.losses["efh"] == training_config().losses["efh"]
    assert PROFILE["training"] == training_config().model_dump(mode="json")


@pytest.mark.parametrize(
    ("space", "problem"),
    [
        ({"training.optimiser.rate": [1]}, r"tuning\.yaml: .*no section training\.optimiser"),
        ({"training.optimizer.rate": [1]}, r"tuning\.yaml: training\.optimizer.*rate"),
        ({"model.features": ["centred"]}, r"tuning\.yaml: model\.features: .*centred"),
        ({"split.seed": [1]}, r"split\.seed: settings of model and training"),
        ({RATE: []}, "give values"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_trained(tmp_path, space, problem):
    with pytest.raises(ConfigurationError, match=problem):
        run(tmp_path, config(space=space))
    assert not list(tmp_path.iterdir())


def test_better_candidates_go_on_and_what_is_finished_is_kept(tmp_path):
    frame, trained = run(tmp_path, config())
    assert frame["rung"].tolist() == [2, 2, 1, 1, 1, 1]
    first, last = frame[frame["rung"] == 1], frame[frame["rung"] == 2]
    assert set(last["candidate"]) == set(first.sort_values("score")["candidate"][:2])
    assert last["score"].is_monotonic_increasing
    assert last["models"].tolist() == [2, 2]
    errors = [column for column in frame if column.startswith("validation_")]
    np.testing.assert_allclose(frame["score"], np.exp(np.log(frame[errors]).mean(axis=1)))
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(files) == len(trained) == 8
    again, _ = run(tmp_path, config())
    assert again.equals(frame)
    assert files == {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    run(tmp_path, config(weights={"force": [0.2]}))
    changed = [path for path, time in files.items() if path.stat().st_mtime_ns != time]
    assert all(not path.name.startswith("1-0-") for path in changed)  # the profile as it is
    assert len(changed) >= 3


def test_test_structures_are_not_looked_at(tmp_path):
    frame, _ = run(tmp_path / "one", config())
    forces = DATA.forces.copy()
    atoms = np.repeat(np.arange(len(DATA)), DATA.counts)
    forces[np.isin(atoms, SPLIT.test)] = math.nan
    energies = DATA.energies.copy()
    energies[SPLIT.test] = math.nan
    other, _ = run(tmp_path / "two", config(), replace(DATA, forces=forces, energies=energies))
    assert other.drop(columns="seconds").equals(frame.drop(columns="seconds"))


def test_a_candidate_that_diverges_is_a_row_with_its_reason(tmp_path):
    optimizer = {"training.optimizer": [{"kind": "adam", "learning_rate": 1e30}]}
    frame, _ = run(tmp_path, config(space=optimizer, weights={}))
    assert frame["rung"].tolist() == [2, 1, 1, 1, 1]
    lost = frame[frame["candidate"] != 0]
    assert lost["score"].isna().all()
    assert (
        lost["reason"].str.startswith("diverged: ef").all() or lost["reason"].str.startswith("diverged").all()
    )
    profile = PROFILE | {
        "training": PROFILE["training"] | {"optimizer": {"kind": "adam", "learning_rate": 1e30}}
    }
    task = Task(profile, "ef", config(space={}, weights={}), SOURCE, SPLIT, tmp_path / "all")
    with pytest.raises(TrainingError, match="Every candidate of round 1 diverged"):
        search(task, DATA, 1, lambda *_: None)


def test_the_score_weighs_relative_changes_alike():
    errors = {"energy": 10.0, "force": 5.0, "hessian": 40.0}
    assert score_of(errors) == pytest.approx(2000 ** (1 / 3))
    assert score_of(errors | {"energy": 9.0}) == pytest.approx(score_of(errors | {"hessian": 36.0}))
