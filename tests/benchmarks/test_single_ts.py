"""Training models on one TS: together, or one after the other.

`pytest tests/benchmarks/test_single_ts.py --benchmark-only`, one thread, an idle machine. "stacked[MODELS]"
takes STEPS steps of MODELS models; "stacked[1]" (the same engine) and "alone" (`predict`, as elsewhere) take
those of one model: "stacked[MODELS]" / MODELS is to be compared with them. "experiment" is what `hessbench
single-ts` does, on all processes that it takes: time a model, of all models together or of a few one by one.
"""

import pytest
import torch

from hessbench.experiments.single_ts.run.ensembles import make_stack, read_path, run_single_ts
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.experiments.single_ts.run.training import target_of, train_stack
from hessbench.potential import Batch, Prediction, build
from hessbench.potential.ani.settings import ANIConfig
from hessbench.training.loss import term_errors, weighted_sum
from hessbench.training.optimization import Optimization

CONFIG = SingleTSConfig(model=ANIConfig(hidden=(128, 96, 64)), steps=10)
MODELS, STEPS = CONFIG.models_at_once, CONFIG.steps
SAMPLE = 5


@pytest.fixture(scope="module")
def path():
    """Read the reference data."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    return read_path(CONFIG.data)


@pytest.mark.parametrize("count", [MODELS, 1])
@pytest.mark.parametrize("loss", CONFIG.losses)
def test_stacked(benchmark, path, loss, count):
    """Stacked parameters, shared descriptors."""
    benchmark.group = f"{loss}: {STEPS} steps"
    stack = make_stack(path, CONFIG, range(count))
    target = target_of(
        path.numbers, *(torch.tensor(item).float() for item in (path.ts, path.forces, path.hessian))
    )
    arguments = (stack, target, CONFIG.losses[loss], CONFIG)
    train_stack(*arguments)
    benchmark.pedantic(train_stack, arguments, rounds=3, iterations=1)


@pytest.mark.parametrize("loss", CONFIG.losses)
def test_alone(benchmark, path, loss):
    """One model with the package's engine."""
    benchmark.group = f"{loss}: {STEPS} steps"
    model = build(CONFIG.model, 0)
    batch = Batch.from_molecules([(path.numbers.tolist(), path.ts.tolist())], dtype=torch.float32)
    reference = Prediction(
        torch.zeros(1), torch.tensor(path.forces).float(), torch.tensor(path.hessian.ravel()).float()
    )
    weights = CONFIG.losses[loss]

    def train() -> None:
        optimization = Optimization(model, CONFIG.optimizer, STEPS)
        for _ in range(STEPS):
            prediction = model.predict(batch, weights.derivatives)
            optimization.zero_grad()
            weighted_sum(term_errors(weights.terms, prediction, reference, batch), weights).backward()
            optimization.step()

    train()
    benchmark.pedantic(train, rounds=3, iterations=1)


@pytest.mark.parametrize("together", [True, False], ids=["together", "one-by-one"])
@pytest.mark.parametrize("loss", CONFIG.losses)
def test_experiment(benchmark, path, tmp_path, loss, together):
    """All models in batches and processes, or SAMPLE models one by one; extra_info: ms a model and step."""
    config = SingleTSConfig(model=CONFIG.model, losses={loss: CONFIG.losses[loss]})
    if not together:
        config = config.model_copy(update={"models": SAMPLE, "models_at_once": 1, "processes": 1})
    run_single_ts(path, config.model_copy(update={"models": 1, "steps": 2}), tmp_path / "warm")
    benchmark.group = f"{loss}: the experiment, {config.steps} steps"
    benchmark.pedantic(run_single_ts, (path, config, tmp_path / "timed"), rounds=1, iterations=1)
    seconds = benchmark.stats.stats.median
    benchmark.extra_info["ms_per_model_and_step"] = 1e3 * seconds / config.models / config.steps
