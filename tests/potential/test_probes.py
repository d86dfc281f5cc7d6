"""Random probes."""

import pytest
import torch

from hessbench.potential.probes import draw_probes
from tests.molecules import ragged_batch


@pytest.mark.parametrize("kind", ["rademacher", "gaussian", "rows"])
def test_mean_outer_product_is_one(kind: str) -> None:
    batch = ragged_batch().slice(0, 2)
    probes = draw_probes(batch, 9000, kind, torch.Generator().manual_seed(0))
    for index in range(2):
        block = probes[batch.offsets[index] : batch.offsets[index + 1]].flatten(0, 1)
        mean = block @ block.T / 9000
        assert float((mean - torch.eye(len(block))).abs().max()) < 0.08


def test_mean_outer_product_of_a_few_rows_is_one() -> None:
    """Rows of one draw differ, so draws are repeated; each alone must have the mean one, too."""
    batch, generator = ragged_batch().slice(0, 1), torch.Generator().manual_seed(0)
    draws = torch.stack([draw_probes(batch, 2, "rows", generator).view(9, 2) for _ in range(4000)])
    mean = torch.einsum("dik,djk->kij", draws, draws) / 4000
    assert float((mean - torch.eye(9)).abs().max()) < 0.25
    assert not (draws[:, :, 0] * draws[:, :, 1]).any()


def test_same_generator_same_probes() -> None:
    batch = ragged_batch()
    draws = [draw_probes(batch, 3, "gaussian", torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_rows_cover_a_molecule_before_it_repeats() -> None:
    batch = ragged_batch(torch.float32)
    probes = draw_probes(batch, 9, "rows", torch.Generator().manual_seed(0))
    assert probes.dtype == torch.float32
    for index, count in enumerate(batch.counts.tolist()):
        part = probes[batch.offsets[index] : batch.offsets[index + 1]].reshape(3 * count, 9)
        assert ((part != 0).sum(0) == 1).all()
        assert part.max().item() == pytest.approx((3 * count) ** 0.5)
        assert ((part != 0).sum(1) <= -(-9 // (3 * count))).all()
