import math

import pytest
import torch

from hessbench.errors import TrainingError
from hessbench.potential import Batch, Prediction
from hessbench.potential.probes import hessian_products
from hessbench.training.loss import draw, term_errors, weighted_sum, with_products
from hessbench.training.settings import LossConfig
from tests.training.synthetic import loss_of

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


def total(loss: LossConfig, predicted: Prediction, form="rmse") -> torch.Tensor:
    """Eq. 6 of a batch whose reference values are all zero."""
    return weighted_sum(term_errors(loss.terms, predicted, ZERO, BATCH), loss, form)


@pytest.mark.parametrize(
    ("weights", "rmse", "mse"),
    [
        ((1, 0, 0), math.sqrt(12.5), 12.5),
        ((1, 0.08, 0), math.sqrt(12.5) + 0.08, 12.5 + 0.08),
        ((1, 0.08, 0.02), math.sqrt(12.5) + 0.08 + 0.02, 12.5 + 0.08 + 0.02),
        ((0.5, 0, 3), 0.5 * math.sqrt(12.5) + 3, 0.5 * 12.5 + 3),
        ((0, 2, 0), 2.0, 2.0),
    ],
)
def test_closed_form_of_equations_3_to_6(weights, rmse, mse):
    loss = loss_of(*weights)
    assert total(loss, prediction()).item() == pytest.approx(rmse, rel=1e-14)
    assert total(loss, prediction(), "mse").item() == pytest.approx(mse, rel=1e-14)


def test_errors_of_the_terms():
    errors = term_errors(loss_of(1, 0.5, 0.5).terms, prediction(), ZERO, BATCH)
    assert {key: float(error) for key, error in errors.items()} == pytest.approx(
        {"energy": math.sqrt(12.5), "force": 1.0, "hessian": 1.0}
    )


def test_errors_of_several_models_are_those_of_each():
    one = prediction()
    several = Prediction(
        *(torch.stack([k * item for k in (1, 2, -3)]) for item in (one.energies, one.forces))
    )
    errors = term_errors(loss_of(1, 1).terms, several, ZERO, BATCH)
    torch.testing.assert_close(errors["energy"], math.sqrt(12.5) * torch.tensor([1.0, 2, 3]).double())
    torch.testing.assert_close(errors["force"], torch.tensor([1.0, 2, 3]).double())


def test_what_is_not_in_the_loss_is_not_needed():
    assert total(loss_of(), Prediction(prediction().energies)).item() == pytest.approx(math.sqrt(12.5))
    assert [loss_of(*weights).derivatives for weights in ((1,), (1, 0.1), (1, 0, 0.1))] == [0, 1, 2]
    assert loss_of(1, 0.08, 0.02, estimator="rows", count=1).derivatives == 1
    assert loss_of(0, 0, 0.02, estimator="rows", count=1).derivatives == 0


def test_a_term_that_the_model_does_not_give():
    with pytest.raises(TrainingError, match="needs the force"):
        total(loss_of(1, 1), Prediction(prediction().energies))


def test_wrong_shape_is_no_broadcast():
    with pytest.raises(TrainingError, match=r"\(2, 1\)"):
        total(loss_of(), Prediction(prediction().energies[:, None]))


def test_gradient_is_that_of_the_root_mean_square():
    energies = prediction().energies.requires_grad_()
    total(loss_of(), Prediction(energies)).backward()
    expected = torch.tensor([3.0, -4.0], dtype=torch.float64) / (2 * math.sqrt(12.5))
    torch.testing.assert_close(energies.grad, expected)


def test_gradient_at_zero_error_is_zero():
    energies = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    total(loss_of(), Prediction(energies)).backward()
    assert energies.grad.tolist() == [0.0, 0.0]


def test_products_of_unequal_molecules():
    hessians = torch.arange(45, dtype=torch.float64)
    probes = torch.randn(3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    products = hessian_products(hessians, BATCH, probes)
    first, second = hessians[:9].view(3, 3), hessians[9:].view(6, 6)
    for k in range(2):
        torch.testing.assert_close(products[:1, :, k].flatten(), first @ probes[:1, :, k].flatten())
        torch.testing.assert_close(products[1:, :, k].flatten(), second @ probes[1:, :, k].flatten())


@pytest.mark.parametrize("estimator", ["rademacher", "gaussian", "rows"])
def test_products_estimate_the_hessian_error(estimator):
    generator = torch.Generator().manual_seed(2)
    error = torch.randn(45, dtype=torch.float64, generator=generator)
    loss = loss_of(0, 0, 1, estimator=estimator, count=20_000)
    probes = draw(loss, BATCH, generator)
    predicted = Prediction(ZERO.energies, products=hessian_products(error, BATCH, probes))
    found = term_errors(loss.terms, predicted, with_products(ZERO, BATCH, probes), BATCH)["hessian"]
    assert float(found) == pytest.approx(float((error**2).mean().sqrt()), rel=0.02)


def test_an_exact_loss_draws_nothing():
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    assert draw(loss_of(1, 1, 1), BATCH, generator) is None
    assert torch.equal(generator.get_state(), before)
