import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from hessbench.data.settings import SplitConfig
from hessbench.data.split import make_split
from hessbench.errors import TrainingError
from hessbench.potential import Batch, load
from hessbench.potential.ensembles import load_ensemble, model_file, trained_seeds
from hessbench.potential.evaluation import total_energies
from hessbench.training.ensemble import train_ensemble
from tests.training.synthetic import MODEL, loss_of, structures, training_config

DATA = structures(8)
SPLIT = make_split(DATA.reactions, "synthetic 1", SplitConfig(training_percents=(20, 80)))


def weights(folder, seed=0):
    return load(model_file(folder, seed)).state_dict()


def equal(first, second):
    return all(torch.equal(tensor, second[name]) for name, tensor in first.items())


def test_files_of_an_ensemble(tmp_path):
    folder = train_ensemble(DATA, SPLIT, "ef", 80, MODEL, training_config(), tmp_path)
    assert folder == tmp_path / "80/ef"
    assert sorted(path.name for path in folder.iterdir()) == [
        "history.csv",
        "metrics.json",
        "seed-0.safetensors",
        "seed-1.safetensors",
        "training.json",
    ]
    history = pd.read_csv(folder / "history.csv")
    assert history.columns[:2].tolist() == ["epoch", "seed"]
    assert history.groupby("seed")["epoch"].apply(list).tolist() == [[1, 2, 3, 4]] * 2
    metrics = json.loads((folder / "metrics.json").read_text())
    last = history[history["epoch"] == 4]["validation_force_rmse_kcal_mol_A"].mean()
    assert metrics["validation_force_rmse_kcal_mol_A"] == pytest.approx(last, rel=1e-4)
    provenance = json.loads((folder / "training.json").read_text())
    assert provenance["data"] == "synthetic 1"
    assert provenance["training_set_size"] == len(SPLIT.training)
    assert trained_seeds(folder) == [0, 1]
    models = load_ensemble(folder)
    assert not equal(models[0].state_dict(), models[1].state_dict())
    assert (models[0].feature_scale == 1).all()  # a plain ANI


def test_energies_come_back_in_total(tmp_path):
    """Atomic energies are part of the saved model, and float32 does not spoil them."""
    config = training_config(epochs=40, seeds=1)
    model = load(model_file(train_ensemble(DATA, SPLIT, "e", 80, MODEL, config, tmp_path), 0))
    part = DATA.select(SPLIT.training)
    batch = Batch(
        torch.as_tensor(part.numbers.astype(np.int64)),
        torch.as_tensor(part.coordinates, dtype=torch.float32),
        torch.as_tensor(part.counts),
    )
    total = total_energies(model, batch, model.predict(batch, 0))
    error = total.detach().numpy() - part.energies
    assert np.abs(part.energies).max() > 70_000
    assert np.sqrt((error**2).mean()) < 15


@pytest.mark.slow
def test_parallel_processes_give_the_same_models(tmp_path):
    one = train_ensemble(DATA, SPLIT, "ef", 80, MODEL, training_config(), tmp_path / "one")
    two = train_ensemble(DATA, SPLIT, "ef", 80, MODEL, training_config(processes=2), tmp_path / "two")
    for seed in (0, 1):
        assert equal(weights(one, seed), weights(two, seed))


def test_finished_seeds_are_kept_though_the_folder_is_removed(tmp_path):
    folder = train_ensemble(DATA, SPLIT, "e", 80, MODEL, training_config(), tmp_path)
    before = weights(folder)
    time = (tmp_path / "checkpoints" / "e-80" / "seed-0.pt").stat().st_mtime_ns
    shutil.rmtree(folder)  # as DVC does before it runs a stage
    train_ensemble(DATA, SPLIT, "e", 80, MODEL, training_config(seeds=3), tmp_path)
    assert equal(before, weights(folder))
    assert (tmp_path / "checkpoints" / "e-80" / "seed-0.pt").stat().st_mtime_ns == time
    assert trained_seeds(folder) == [0, 1, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 3},
        {"losses": {"e": loss_of(), "ef": loss_of(1, 0.1)}},
        {"optimizer": {"kind": "adam", "learning_rate": 1e-3}},
        {"data": "synthetic 2"},
    ],
)
def test_changed_settings_or_data_train_again(tmp_path, change):
    folder = train_ensemble(DATA, SPLIT, "ef", 80, MODEL, training_config(seeds=1), tmp_path)
    before = json.loads((folder / "training.json").read_text())["seeds"]["0"]["fingerprint"]
    split = replace(SPLIT, data=change.pop("data", SPLIT.data))
    train_ensemble(DATA, split, "ef", 80, MODEL, training_config(seeds=1, **change), tmp_path)
    assert json.loads((folder / "training.json").read_text())["seeds"]["0"]["fingerprint"] != before


def test_changed_weight_of_another_loss_trains_nothing(tmp_path):
    train_ensemble(DATA, SPLIT, "e", 80, MODEL, training_config(seeds=1), tmp_path)
    checkpoint = tmp_path / "checkpoints" / "e-80" / "seed-0.pt"
    time = checkpoint.stat().st_mtime_ns
    losses = {"e": loss_of(), "efh": loss_of(1, 0.1, 0.1)}
    train_ensemble(DATA, SPLIT, "e", 80, MODEL, training_config(seeds=1, losses=losses), tmp_path)
    assert checkpoint.stat().st_mtime_ns == time


def test_an_independent_run_has_other_seeds(tmp_path):
    folder = train_ensemble(DATA, SPLIT, "e", 20, MODEL, training_config(seeds=2), tmp_path / "zero")
    other = train_ensemble(
        DATA, SPLIT, "e", 20, MODEL, training_config(seeds=2, first_seed=1), tmp_path / "one"
    )
    assert trained_seeds(other) == [1, 2]
    assert set(pd.read_csv(other / "history.csv")["seed"]) == {1, 2}
    assert equal(weights(folder, 1), weights(other, 1))


def test_fewer_seeds_leave_no_stale_model(tmp_path):
    train_ensemble(DATA, SPLIT, "e", 20, MODEL, training_config(seeds=2), tmp_path)
    folder = train_ensemble(DATA, SPLIT, "e", 20, MODEL, training_config(seeds=1), tmp_path)
    assert [path.name for path in folder.glob("*.safetensors")] == ["seed-0.safetensors"]


def test_failure_of_a_seed_names_it(tmp_path):
    data = replace(DATA, forces=np.full_like(DATA.forces, np.inf))
    with pytest.raises(TrainingError, match=r"ef-80, seed [01], epoch 1, batch 1: the loss is (inf|nan)"):
        train_ensemble(data, SPLIT, "ef", 80, MODEL, training_config(), tmp_path)
    assert not (tmp_path / "80/ef").exists()


def test_unknown_loss(tmp_path):
    with pytest.raises(TrainingError, match="there are e, ef, efh, efhvp"):
        train_ensemble(DATA, SPLIT, "fe", 80, MODEL, training_config(), tmp_path)
