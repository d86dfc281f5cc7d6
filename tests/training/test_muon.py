import pytest
import torch

from hessbench.training.muon import Muon, orthogonalize


@pytest.mark.parametrize("shape", [(12, 20), (20, 12), (16, 16)])
def test_singular_values_become_near_one(shape):
    matrix = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
    result = orthogonalize(matrix)
    values = torch.linalg.svdvals(result)
    assert values.min() > 0.6
    assert values.max() < 1.3
    # same singular vectors: U^T X V is diagonal
    inner = u.T @ result @ vh.T
    torch.testing.assert_close(inner, torch.diag(inner.diagonal()), atol=1e-10, rtol=0)


def test_same_updates_as_torch():
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(24, 16, generator=generator)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    optimizers = [
        Muon([ours], 0.01, momentum=0.9, weight_decay=0.1),
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
