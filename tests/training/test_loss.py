import math

import numpy as np
import pytest
import torch

from hessbench.errors import TrainingError
from hessbench.potential import Batch, Prediction
from hessbench.potential.probes import hessian_products
from hessbench.training.loss import combined_loss, draw_probes
from hessbench.training.settings import LossConfig, ProbeConfig

# Two molecules of 1 and 2 atoms: 2 energies, 9 force components, 9 + 36 Hessian elements.
BATCH = Batch(torch.tensor([1, 1, 8]), torch.zeros(3, 3, dtype=torch.float64), torch.tensor([1, 2]))
ZERO = Prediction(
    torch.zeros(2, dtype=torch.float64),
    torch.zeros(3, 3, dtype=torch.float64),
    torch.zeros(45, dtype=torch.float64),
)


def prediction() -> Prediction:
    forces = torch.zeros(3, 3, dtype=torch.float64)
    forces[1] = torch.tensor([1.0, 2.0, 2.0])  # sum of squares 9, mean over 9 components 1
    hessians = torch.zeros(45, dtype=torch.float64)
    hessians[0], hessians[20] = 6.0, 3.0  # sum of squares 45, mean over 45 elements 1
    return Prediction(torch.tensor([3.0, -4.0], dtype=torch.float64), forces, hessians)


@pytest.mark.parametrize(
    ("force", "hessian", "rmse", "mse"),
    [
        (0.0, 0.0, math.sqrt(12.5), 12.5),
        (0.08, 0.0, math.sqrt(12.5) + 0.08, 12.5 + 0.08),
        (0.08, 0.02, math.sqrt(12.5) + 0.08 + 0.02, 12.5 + 0.08 + 0.02),
    ],
)
def test_closed_form_of_equations_3_to_6(force, hessian, rmse, mse):
    weights = LossConfig(force=force, hessian=hessian)
    assert combined_loss(prediction(), ZERO, BATCH, weights).total.item() == pytest.approx(rmse, rel=1e-14)
    assert combined_loss(prediction(), ZERO, BATCH, weights, "mse").total.item() == pytest.approx(
        mse, rel=1e-14
    )


def test_errors_of_the_terms():
    loss = combined_loss(prediction(), ZERO, BATCH, LossConfig(force=0.5, hessian=0.5))
    assert loss.errors == pytest.approx({"energy": math.sqrt(12.5), "force": 1.0, "hessian": 1.0})


def test_a_term_of_weight_zero_is_not_needed():
    only_energies = Prediction(prediction().energies)
    loss = combined_loss(only_energies, Prediction(ZERO.energies), BATCH, LossConfig(force=0, hessian=0))
    assert set(loss.errors) == {"energy"}
    assert LossConfig(force=0, hessian=0).derivatives == 0
    assert LossConfig(force=0.08, hessian=0).derivatives == 1
    assert LossConfig(force=0.08, hessian=0.02).derivatives == 2
    assert LossConfig(force=0.08, hessian=0.02, probes=ProbeConfig()).derivatives == 1


def test_a_term_that_the_model_does_not_give():
    with pytest.raises(TrainingError, match="do not give"):
        combined_loss(Prediction(prediction().energies), ZERO, BATCH, LossConfig(force=1, hessian=0))


def test_wrong_shape_is_no_broadcast():
    column = Prediction(prediction().energies[:, None])
    with pytest.raises(TrainingError, match=r"\(2, 1\)"):
        combined_loss(column, ZERO, BATCH, LossConfig(force=0, hessian=0))


def test_gradient_is_that_of_the_root_mean_square():
    energies = prediction().energies.requires_grad_()
    combined_loss(Prediction(energies), ZERO, BATCH, LossConfig(force=0, hessian=0)).total.backward()
    expected = torch.tensor([3.0, -4.0], dtype=torch.float64) / (2 * math.sqrt(12.5))
    torch.testing.assert_close(energies.grad, expected)


def test_gradient_at_zero_error_is_zero():
    energies = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    combined_loss(Prediction(energies), ZERO, BATCH, LossConfig(force=0, hessian=0)).total.backward()
    assert energies.grad.tolist() == [0.0, 0.0]


def test_products_of_unequal_molecules():
    hessians = torch.arange(45, dtype=torch.float64)
    probes = torch.randn(3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    products = hessian_products(hessians, BATCH, probes)
    first, second = hessians[:9].view(3, 3), hessians[9:].view(6, 6)
    for k in range(2):
        torch.testing.assert_close(products[:1, :, k].flatten(), first @ probes[:1, :, k].flatten())
        torch.testing.assert_close(products[1:, :, k].flatten(), second @ probes[1:, :, k].flatten())


@pytest.mark.parametrize("kind", ["rademacher", "gaussian", "one-hot"])
def test_probes_are_isotropic_within_a_molecule(kind):
    config = ProbeConfig(count=20_000, kind=kind)
    probes = draw_probes(BATCH, config, torch.Generator().manual_seed(1)).flatten(0, 1)
    for block in (probes[:3], probes[3:]):
        second_moment = (block @ block.T / config.count).numpy()
        # standard error of an entry: at most sqrt(3 N / 20000) = 0.02
        np.testing.assert_allclose(second_moment, np.eye(len(block)), atol=0.08)


@pytest.mark.parametrize("kind", ["rademacher", "gaussian", "one-hot"])
def test_products_estimate_the_hessian_error(kind):
    generator = torch.Generator().manual_seed(2)
    error = torch.randn(45, dtype=torch.float64, generator=generator)
    weights = LossConfig(force=0, hessian=1, probes=ProbeConfig(count=50_000, kind=kind))
    probes = draw_probes(BATCH, weights.probes, generator)
    predicted = Prediction(ZERO.energies, products=hessian_products(error, BATCH, probes))
    reference = Prediction(ZERO.energies, products=torch.zeros_like(probes))
    exact = float((error**2).mean().sqrt())
    loss = combined_loss(predicted, reference, BATCH, weights)
    assert loss.errors["hessian"] == pytest.approx(exact, rel=0.02)


def test_probes_follow_the_generator():
    config = ProbeConfig(count=2)
    first, again = (draw_probes(BATCH, config, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert set(first.unique().tolist()) == {-1.0, 1.0}
