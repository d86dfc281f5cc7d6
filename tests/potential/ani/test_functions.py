"""The kernel's symmetry functions against the closed forms in torch, in float64."""

from dataclasses import replace

import pytest
import torch

from hessbench.potential.ani.architecture import Cutoff
from hessbench.potential.ani.native.build import build
from hessbench.potential.ani.terms import (
    angle_terms,
    constants_of,
    cutoff_terms,
    radial_terms,
    shell_terms,
)
from tests.molecules import ragged_batch, small_model


@pytest.mark.parametrize("cutoff", ["cosine", "smooth"])
@pytest.mark.parametrize("zeta", [32.0, 2.0, 3.0, 14.1, 1.5])
@pytest.mark.parametrize("order", [0, 1, 2])
def test_tables_hold_the_closed_forms(cutoff: Cutoff, zeta: float, order: int) -> None:
    model, batch = small_model(cutoff=cutoff), ragged_batch()
    functions = replace(model.architecture.symmetry_functions, zeta=zeta)
    model.architecture = replace(model.architecture, symmetry_functions=functions)
    geometry = build(model, batch, order)
    tables, constants = geometry.tables, constants_of(functions)
    r, c = torch.from_numpy(tables.r), torch.from_numpy(tables.c)
    first, second = torch.from_numpy(tables.triples[:, :2]).T
    assert len(c) > 100
    vectors = torch.from_numpy(geometry.neighbors.vectors)
    u = vectors / vectors.norm(dim=1, keepdim=True)
    near = torch.zeros(len(r), dtype=torch.bool)
    near[first], near[second] = True, True

    def equal(found: object, expected: torch.Tensor) -> None:
        torch.testing.assert_close(torch.as_tensor(found), expected, rtol=1e-12, atol=1e-13)

    equal(r, vectors.norm(dim=1))
    equal(tables.u, u)
    equal(c, (u[first] * u[second]).sum(1))
    equal(tables.radial, torch.stack(radial_terms(constants, r, order)))
    cutoffs = torch.stack(cutoff_terms(cutoff, constants.angular_cutoff, r))
    equal(torch.from_numpy(tables.cutoffs)[:, near], cutoffs[:, near])
    equal(tables.shells, shell_terms(constants, r[first], r[second], order))
    equal(tables.angles, angle_terms(constants, c, order))
    if order:
        turning = (u[second] - c.unsqueeze(1) * u[first]) / r[first].unsqueeze(1)
        equal(tables.turning[:, 0], turning)


def test_tables_in_single_precision() -> None:
    model, batch = small_model().float(), ragged_batch()
    double = build(small_model(), batch, 2)
    single = build(model, batch.to(dtype=torch.float32), 2)
    for name in ("radial", "shells", "angles"):
        exact = torch.from_numpy(getattr(double.tables, name))
        found = torch.from_numpy(getattr(single.tables, name))
        assert found.dtype == torch.float32
        assert (found.double() - exact).abs().max() < 1e-5 * exact.abs().max()
