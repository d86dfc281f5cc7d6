import copy

import pytest
import torch
from torch import nn

from hessbench.errors import TrainingError
from hessbench.potential.ani.potential import build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.training.optimization import Optimization, decay_factor
from hessbench.training.settings import AdamConfig, Decay, FirstLayerConfig, MuonConfig, PaperConfig

MUON = MuonConfig(kind="muon", learning_rate=0.01, adam_learning_rate=0.01, weight_decay=0.1)
FIRST_LAYER = FirstLayerConfig(learning_rate=0.02, weight_decay=3)
CONFIGS = [
    MUON,
    MUON.model_copy(update={"first_layer": FIRST_LAYER}),
    AdamConfig(kind="adam", learning_rate=0.01, schedule=Decay(kind="cosine", warmup_steps=3)),
    PaperConfig(kind="paper", patience=1),
]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Linear(8, 1))


def run(model: nn.Module, optimization: Optimization, steps: int, first: int = 0) -> None:
    for step in range(first, first + steps):
        inputs = torch.randn(16, 5, generator=torch.Generator().manual_seed(step))
        optimization.zero_grad()
        (model(inputs) - inputs.sum(1, keepdim=True)).square().mean().backward()
        optimization.step()
        if step % 2:
            optimization.end_epoch(1.0)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.kind)
def test_every_parameter_is_trained(config):
    model = network()
    before = copy.deepcopy(model.state_dict())
    run(model, Optimization(model, config, 20), 1)
    assert all(not torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.kind)
@pytest.mark.parametrize("shape", [(5, 4), (5,)], ids=["matrices alone", "vectors alone"])
def test_a_model_needs_no_parameters_of_every_kind(config, shape):
    model = nn.ParameterDict({"own": torch.ones(shape)})
    optimization = Optimization(model, config, 20)
    model["own"].square().sum().backward()
    optimization.step()
    assert (model["own"] < 1).all()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.kind)
def test_saved_and_loaded_goes_on_exactly(config, tmp_path):
    whole = network()
    run(whole, Optimization(whole, config, 20), 12)
    model = network()
    first = Optimization(model, config, 20)
    run(model, first, 6)
    torch.save(first.state_dict(), tmp_path / "state")
    second = Optimization(model, config, 20)
    second.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    run(model, second, 6, first=6)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, model.state_dict()[name])


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_decay(kind):
    factor = decay_factor(Decay(kind=kind, warmup_steps=4), 104)
    assert [factor(step) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert factor(4) == 1
    assert factor(54) == pytest.approx(0.5)
    assert factor(104) == 0
    values = [factor(step) for step in range(4, 105)]
    assert values == sorted(values, reverse=True)


def test_paper_protocol():
    model = network()
    optimization = Optimization(model, PaperConfig(kind="paper", patience=1, factor=0.5), 100)
    adamw, sgd = optimization._optimizers
    assert isinstance(adamw, torch.optim.AdamW)
    assert isinstance(sgd, torch.optim.SGD)
    assert [p.ndim for p in adamw.param_groups[0]["params"]] == [2, 2]
    assert [p.ndim for p in sgd.param_groups[0]["params"]] == [1, 1]
    for _ in range(3):  # the first value is the best, two epochs without a lower one exceed a patience of 1
        optimization.end_epoch(1.0)
    assert adamw.param_groups[0]["lr"] == sgd.param_groups[0]["lr"] == 5e-4
    with pytest.raises(TrainingError, match="validation"):
        optimization.end_epoch(None)


def test_muon_takes_matrices_between_layers_only():
    hidden, rest = Optimization(network(), MUON, 10)._optimizers
    assert [tuple(p.shape) for p in hidden.param_groups[0]["params"]] == [(8, 5)]
    assert sorted(tuple(p.shape) for group in rest.param_groups for p in group["params"]) == [
        (1,),
        (1, 8),
        (8,),
    ]


@pytest.mark.parametrize("first_layer", [None, FIRST_LAYER])
def test_first_layers_of_an_ani_model_are_muons_or_have_rate_and_decay_of_their_own(first_layer):
    model = build(ANIConfig(hidden=(12, 10, 8)), 0)
    config = MUON.model_copy(update={"first_layer": first_layer})
    hidden, *others = Optimization(model, config, 10)._optimizers
    first = (12, model.architecture.features)
    shapes = [tuple(p.shape) for p in hidden.param_groups[0]["params"]]
    assert set(shapes) == {(10, 12), (8, 10)} | (set() if first_layer else {first})
    assert len(shapes) == (2 if first_layer else 3) * 4
    if first_layer:
        adamw, _ = others
        assert [tuple(p.shape) for p in adamw.param_groups[0]["params"]] == [first] * 4
        assert adamw.param_groups[0]["lr"] == 0.02
        assert adamw.param_groups[0]["weight_decay"] == 3
