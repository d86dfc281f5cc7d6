"""Muon: momentum whose update of a matrix is orthogonalized, in the dtype of the parameters."""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

Polynomials = tuple[tuple[float, float, float], ...]
"""Coefficients a, b, c of a x + b x^3 + c x^5, applied one after the other."""
SMALLEST = 0.005
"""Singular values from here to 1, the norm of a matrix, are moved near 1; smaller ones grow 103 times."""
BEST: Polynomials = (
    (8.2987, -24.4305, 18.0903),
    (3.9152, -2.9211, 0.5592),
    (3.1746, -2.3804, 0.4978),
)
"""Of all odd quintic polynomials each is nearest to 1 on the interval that those before it leave, the first
on [`SMALLEST`, 1]: Amsel, Persson, Musco and Gower, The Polar Express, arXiv:2505.16932 (2025)."""
JORDAN: Polynomials = ((3.4445, -4.7750, 2.0315),) * 5
"""Of K. Jordan, https://kellerjordan.github.io/posts/muon/ (2024): values from 0.002 on are moved to 0.7 to
1.2, smaller ones grow 485 times."""


def orthogonalize(matrix: Tensor, polynomials: Polynomials = BEST) -> Tensor:
    """Move singular values of matrices (..., m, n) near 1, all but the smallest, keeping their vectors."""
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    x = x.reshape(-1, *x.shape[-2:])
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=1e-7)
    for a, b, c in polynomials:
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).reshape(matrix.shape)


class Muon(torch.optim.Optimizer):
    """Muon for the hidden matrices of a network (Jordan et al. 2024).

    With the polynomials `JORDAN` it gives the updates of `torch.optim.Muon` (its default `adjust_lr_fn`),
    which iterates in bfloat16: on a CPU without bfloat16 instructions that takes 35 times as long, so here
    the iteration is in the dtype of the parameters. `BEST` takes three fifths of the time (docs/training.md).

    Parameters
    ----------
    parameters
        Matrices, or stacks of matrices (..., m, n), each orthogonalized by itself.
    lr
        Learning rate; a matrix with more rows than columns takes sqrt(rows / columns) of it.
    momentum
        Of the running mean of the gradient, with Nesterov's look-ahead.
    weight_decay
        Decoupled.
    polynomials
        Of singular values, see `orthogonalize`.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        polynomials: Polynomials = BEST,
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.polynomials = polynomials

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Update the matrices that have a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["mean"] = torch.zeros_like(parameter)
                mean = state["mean"].lerp_(parameter.grad, 1 - group["momentum"])
                update = orthogonalize(parameter.grad.lerp(mean, group["momentum"]), self.polynomials)
                rows, columns = parameter.shape[-2:]
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.add_(update, alpha=-group["lr"] * math.sqrt(max(1.0, rows / columns)))
