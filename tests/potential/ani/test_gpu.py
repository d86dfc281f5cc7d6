"""The torch path on a GPU against the same path on the CPU, in float64, and what it waits for."""

import warnings

import numpy as np
import pytest
import torch

from hessbench.embedded import EMBEDDED
from hessbench.experiments.single_ts.run.ensembles import make_stack, read_path
from hessbench.experiments.single_ts.run.settings import SingleTSConfig
from hessbench.potential.ani.evaluation import evaluate
from hessbench.potential.ani.settings import ANIConfig
from hessbench.potential.probes import draw_probes
from tests.gpu import NEEDS_GPU
from tests.molecules import ragged_batch, small_model

pytestmark = NEEDS_GPU

WAITS = 16
"""Times that a training step may wait for the GPU: for numbers of pairs, of triples and of rows."""


def parts_and_gradients(device: str, derivatives: int, activation: str):
    model, batch = small_model(activation=activation).to(device), ragged_batch().to(device)
    probes = draw_probes(batch, 2, "rademacher", torch.Generator().manual_seed(0))
    found = evaluate(model, batch, derivatives, probes if derivatives else None, backend="torch")
    parts = [found.energies, found.forces, found.hessians, found.products]
    given = [part for part in parts if part is not None]
    sum(part.square().sum() for part in given).backward()
    gradients = [item.grad for item in model.parameters() if item.grad is not None]
    return [item.detach().cpu() for item in (*given, *gradients)]


@pytest.mark.parametrize("activation", ["gelu", "celu"])
@pytest.mark.parametrize("derivatives", [0, 1, 2])
def test_equals_the_cpu(derivatives, activation) -> None:
    for gpu, cpu in zip(
        parts_and_gradients("cuda", derivatives, activation),
        parts_and_gradients("cpu", derivatives, activation),
        strict=True,
    ):
        torch.testing.assert_close(gpu, cpu, rtol=1e-10, atol=1e-10 * float(cpu.abs().max()))


def test_a_step_hardly_waits() -> None:
    model, batch = small_model(dtype=torch.float32).to("cuda"), ragged_batch(torch.float32).to("cuda")

    def step() -> None:
        found = evaluate(model, batch, 2, backend="torch")
        (found.energies.square().sum() + found.hessians.square().sum()).backward()

    step()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert len(caught) <= WAITS, {str(item.message) + item.filename + str(item.lineno) for item in caught}


def test_stacked_models_equal_the_cpu() -> None:
    path = read_path(EMBEDDED / "single-ts.h5")
    config = SingleTSConfig(models=2, model=ANIConfig(hidden=(12, 8), features="standardized", biases=True))
    found = {}
    for device in ("cpu", "cuda"):
        stack = make_stack(path, config, range(2)).to(device)
        prediction = stack.predict(2)
        assert prediction.hessians is not None
        assert prediction.hessians.device.type == device
        found[device] = [
            item.detach().cpu().numpy()
            for item in (*vars(prediction).values(), stack.energies(path.coordinates))
        ]
    for gpu, cpu in zip(found["cuda"], found["cpu"], strict=True):
        np.testing.assert_allclose(gpu, cpu, rtol=1e-3, atol=1e-4 * np.abs(cpu).max())
