import numpy as np
import pytest
import torch

from hessbench.training.muon import BEST, JORDAN, SMALLEST, Muon, orthogonalize


@pytest.mark.parametrize(("polynomials", "low", "high"), [(BEST, 0.5, 1.5), (JORDAN, 0.6, 1.3)])
@pytest.mark.parametrize("shape", [(12, 20), (20, 12), (16, 16), (3, 12, 20)])
def test_singular_values_become_near_one(shape, polynomials, low, high):
    matrix = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    result = orthogonalize(matrix, polynomials)
    values = torch.linalg.svdvals(result)
    assert values.min() > low
    assert values.max() < high
    # same singular vectors: U^T X V is diagonal
    inner = u.mT @ result @ vh.mT
    torch.testing.assert_close(inner, torch.diag_embed(inner.diagonal(dim1=-2, dim2=-1)), atol=1e-10, rtol=0)


def test_no_odd_quintic_polynomial_is_nearer_to_one():
    # Chebyshev: three coefficients are best when the error is as large at four points, signs in turn
    low, high = SMALLEST, 1.0
    for a, b, c in BEST:
        x = np.linspace(low, high, 100_001)
        error = a * x + b * x**3 + c * x**5 - 1
        turning = 1 + np.flatnonzero(np.diff(np.sign(np.diff(error))))
        extremes = error[[0, *turning, -1]]
        most = abs(extremes).max()
        np.testing.assert_allclose(extremes, most * np.array([-1, 1, -1, 1]), rtol=2e-3)
        low, high = 1 - most, 1 + most


def test_same_updates_as_torch():
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(24, 16, generator=generator)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizers = [
        Muon([ours], 0.01, momentum=0.9, weight_decay=0.1, polynomials=JORDAN),
        torch.optim.Muon([theirs], 0.01, momentum=0.9, weight_decay=0.1),
    ]
    for _ in range(5):
        gradient = torch.randn(start.shape, generator=generator)
        for parameter, optimizer in zip((ours, theirs), optimizers, strict=True):
            parameter.grad = gradient.clone()
            optimizer.step()
    # torch iterates in bfloat16, 3 digits
    moved = (ours - start).norm()
    assert (ours - theirs).norm() < 0.02 * moved


def test_parameter_without_gradient_stays():
    parameter = torch.nn.Parameter(torch.ones(3, 3))
    Muon([parameter], 0.1, weight_decay=0.1).step()
    assert torch.equal(parameter, torch.ones(3, 3))
