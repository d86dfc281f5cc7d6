from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from hessbench.errors import DataError, TrainingError
from hessbench.potential import Prediction, TrainablePotential, build
from hessbench.training.batches import Examples, to_tensors
from hessbench.training.loop import train
from hessbench.training.loss import TARGETS, Target, weighted_sum
from hessbench.training.preparation import examples
from hessbench.training.settings import ORDERS, LossConfig, Term
from hessbench.training.validation import validate
from tests.training.synthetic import MODEL, loss_of, structures, training_config

DATA = structures()
PAPER = {"kind": "paper", "patience": 1}


def prepared(seed: int = 0):
    model = build(MODEL, seed)
    model.prepare(DATA)
    return model, examples(model, DATA.select(np.arange(8))), examples(model, DATA.select(np.arange(8, 12)))


class InterruptionError(Exception):
    pass


def interrupt_at(epoch: int):
    def report(row):
        if row["epoch"] == epoch:
            raise InterruptionError

    return report


@pytest.mark.parametrize(
    ("loss", "changes"),
    [
        ("ef", {}),
        ("efh", {}),
        ("efhvp", {"checkpoint_epochs": 2, "keep": "best"}),
        ("ef", {"optimizer": PAPER}),
        ("e", {"minimum_steps": 20}),
    ],
)
def test_interrupted_and_resumed_equals_uninterrupted(tmp_path: Path, loss, changes):
    config = training_config(**changes)
    weights = config.losses[loss]
    whole, training, validation = prepared()
    history = train(whole, training, validation, weights, config, 3)
    model, *_ = prepared()
    with pytest.raises(InterruptionError):
        train(
            model, training, validation, weights, config, 3, checkpoint=tmp_path / "c", report=interrupt_at(3)
        )
    resumed, *_ = prepared(seed=1)  # whatever the start: all comes from the checkpoint
    seen = []
    again = train(
        resumed, training, validation, weights, config, 3, checkpoint=tmp_path / "c", report=seen.append
    )
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    times = {"training_seconds"}
    assert [{k: v for k, v in row.items() if k not in times} for row in again] == [
        {k: v for k, v in row.items() if k not in times} for row in history
    ]
    assert [row["epoch"] for row in seen] == [1, 2, 3, 4]


def test_checkpoint_of_other_settings_is_not_used(tmp_path: Path):
    config = training_config()
    model, training, validation = prepared()
    train(model, training, validation, config.losses["e"], config, checkpoint=tmp_path / "c", fingerprint="a")
    other, *_ = prepared(seed=1)
    before = other.networks.state_dict()["atomics.H.final_layer.weight"].clone()
    history = train(
        other, training, validation, config.losses["e"], config, checkpoint=tmp_path / "c", fingerprint="b"
    )
    assert len(history) == config.epochs
    assert not torch.equal(before, other.networks.state_dict()["atomics.H.final_layer.weight"])
    assert not torch.equal(
        model.state_dict()["networks.atomics.H.final_layer.weight"],
        other.state_dict()["networks.atomics.H.final_layer.weight"],
    )


def test_finished_training_is_not_repeated(tmp_path: Path):
    config = training_config()
    model, training, validation = prepared()
    train(model, training, validation, config.losses["ef"], config, checkpoint=tmp_path / "c")
    other, *_ = prepared(seed=1)
    other.predict = None  # not to be called
    train(other, training, validation, config.losses["ef"], config, checkpoint=tmp_path / "c")
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04" + bytes(50)])
def test_damaged_checkpoint_is_an_error(tmp_path: Path, content):
    (tmp_path / "c").write_bytes(content)
    config = training_config()
    model, training, validation = prepared()
    with pytest.raises(DataError, match="delete it"):
        train(model, training, validation, config.losses["e"], config, checkpoint=tmp_path / "c")


@pytest.mark.parametrize("loss", ["e", "ef", "efh", "efhvp"])
def test_training_lowers_its_own_errors(loss):
    optimizer = {"kind": "muon", "learning_rate": 0.05, "adam_learning_rate": 0.05}
    config = training_config(epochs=20, optimizer=optimizer)
    model, training, validation = prepared()
    before = validate(model, training, 2, 4)
    train(model, training, validation, config.losses[loss], config)
    after = validate(model, training, 2, 4)
    assert weighted_sum(after, config.losses[loss], "rmse") < 0.5 * weighted_sum(
        before, config.losses[loss], "rmse"
    )


def test_seed_decides_the_order_of_batches():
    config = training_config()
    models = []
    for seed in (0, 0, 1):
        model, training, _ = prepared()
        train(model, training, None, config.losses["e"], config, seed)
        models.append(model.state_dict()["networks.atomics.H.final_layer.weight"])
    assert torch.equal(models[0], models[1])
    assert not torch.equal(models[0], models[2])


def test_best_epoch_is_kept():
    config = training_config(keep="best", epochs=8, optimizer={"kind": "adam", "learning_rate": 0.2})
    model, training, validation = prepared()
    history = train(model, training, validation, config.losses["ef"], config)
    losses = [row["validation_loss"] for row in history]
    errors = validate(model, validation, 1, 4)
    assert weighted_sum(errors, config.losses["ef"], "rmse") == pytest.approx(min(losses), rel=1e-6)
    assert min(losses) < losses[-1]


def test_the_best_epoch_by_energy_alone():
    config = training_config(
        keep="best", watch="energy", epochs=8, optimizer={"kind": "adam", "learning_rate": 0.2}
    )
    model, training, validation = prepared()
    history = train(model, training, validation, config.losses["efh"], config)
    energies = [row["validation_energy_rmse_kcal_mol"] for row in history]
    assert validate(model, validation, 0, 4)["energy"] == pytest.approx(min(energies), rel=1e-6)
    assert "validation_loss" not in history[0]


def test_a_quantity_of_ones_own_that_is_a_part_of_the_hessian(monkeypatch):
    """All that such a quantity takes is an entry in settings and one in loss (CONTRIBUTING)."""

    def some_elements(prediction):
        return None if prediction.hessians is None else prediction.hessians[::7]

    own = "some_elements"
    monkeypatch.setitem(ORDERS, own, 2)
    monkeypatch.setitem(TARGETS, own, Target(some_elements, "S", "some_elements_rmse_kcal_mol_A2"))
    terms = (
        Term(quantity="energy", weight=1),
        Term.model_construct(quantity=own, weight=1, estimator="exact"),
    )
    loss = LossConfig.model_construct(terms=terms)
    config = training_config(keep="best", epochs=3)
    model, training, validation = prepared()
    history = train(model, training, validation, loss, config)
    for row in history:
        parts = row["validation_energy_rmse_kcal_mol"], row["validation_some_elements_rmse_kcal_mol_A2"]
        assert row["validation_loss"] == pytest.approx(sum(parts), rel=1e-6)
    assert {"training_some_elements_rmse_kcal_mol_A2"} <= set(history[0])
    whole = training.structures
    bare = replace(training, structures=replace(whole, hessians=None))
    with pytest.raises(TrainingError, match="needs Hessians"):
        train(model, bare, validation, loss, config)


def test_training_ends_when_the_rate_is_cut_to_the_limit(tmp_path):
    stalls = {"kind": "paper", "learning_rate": 1e-6, "patience": 1, "factor": 1e-3, "stop": 1e-8}
    config = training_config(epochs=50, optimizer=stalls, hessian_validation_epochs=50)
    model, training, validation = prepared()
    history = train(
        model, training, validation, config.losses["ef"], config, checkpoint=tmp_path / "c", fingerprint="f"
    )
    assert history[-1]["learning_rate"] == 1e-6  # what the last epoch was trained with
    assert 2 <= len(history) < 50
    assert "validation_hessian_rmse_kcal_mol_A2" in history[-1]
    assert "validation_hessian_rmse_kcal_mol_A2" not in history[-2]
    again, *_ = prepared()
    resumed = train(
        again, training, validation, config.losses["ef"], config, checkpoint=tmp_path / "c", fingerprint="f"
    )
    assert resumed == history


def test_steps_of_smaller_shares():
    config = training_config(batch_size=400, batch_by_share=True)
    assert [config.at(percent, 80).batch_size for percent in (80, 40, 5)] == [400, 200, 25]
    assert training_config(batch_size=400).at(5, 80).batch_size == 400


def test_small_set_gets_more_passes():
    config = training_config(epochs=2, minimum_steps=11)
    model, training, _ = prepared()  # 8 structures, 2 batches
    history = train(model, training, None, config.losses["e"], config)
    assert [row["passes"] for row in history] == [3, 6]


def test_non_finite_loss_names_the_place():
    config = training_config()
    model, training, validation = prepared()
    energies = training.energies.copy()
    energies[5] = np.inf
    with pytest.raises(TrainingError, match=r"efh-80, seed 3, epoch 1, batch [12]: the loss is inf; lower"):
        train(
            model,
            Examples(training.structures, energies),
            validation,
            config.losses["efh"],
            config,
            label="efh-80, seed 3",
        )


def test_plateau_needs_validation_data():
    config = training_config(optimizer=PAPER)
    model, training, _ = prepared()
    with pytest.raises(TrainingError, match="validation data"):
        train(model, training, None, config.losses["e"], config)


def test_hessian_is_validated_every_few_epochs_and_last():
    config = training_config(epochs=5)
    model, training, validation = prepared()
    history = train(model, training, validation, config.losses["e"], config)
    assert ["validation_hessian_rmse_kcal_mol_A2" in row for row in history] == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert all("validation_force_rmse_kcal_mol_A" in row for row in history)


class Springs(TrainablePotential):
    """A custom model: one spring constant for all pairs of atoms of a molecule."""

    def __init__(self) -> None:
        super().__init__(("H", "C", "O"))
        self.strength = torch.nn.Parameter(torch.ones(1))

    def predict(self, batch, derivatives, probes=None):
        coordinates = batch.coordinates.clone().requires_grad_(derivatives > 0)
        energies = torch.stack(
            [
                self.strength[0] * (part[:, None] - part[None]).square().sum() / 2
                for part in coordinates.split(batch.counts.tolist())
            ]
        )
        if derivatives == 0:
            return Prediction(energies)
        (gradient,) = torch.autograd.grad(energies.sum(), coordinates, create_graph=True)
        return Prediction(energies, -gradient)


def test_custom_model_and_custom_weights():
    model = Springs()
    data = DATA.select(np.arange(4))
    target = Springs()
    with torch.no_grad():
        target.strength.fill_(3.0)
    batch, _ = to_tensors(Examples(data, data.energies), torch.float32)
    wanted = target.predict(batch, 1)
    data = replace(data, forces=wanted.forces.detach().numpy(), hessians=None)
    training = Examples(data, wanted.energies.detach().double().numpy())
    config = training_config(
        epochs=60,
        losses={"ef": loss_of(1, 0.5)},
        optimizer={"kind": "adam", "learning_rate": 0.2},
    )
    history = train(model, training, training, config.losses["ef"], config)
    assert model.strength.item() == pytest.approx(3.0, abs=0.05)
    assert history[-1]["training_loss"] < 0.05 * history[0]["training_loss"]
