"""Random probes."""

import pytest
import torch

from hessbench.potential.probes import draw_probes
from tests.molecules import ragged_batch


@pytest.mark.parametrize("kind", ["rademacher", "gaussian", "one-hot"])
def test_mean_outer_product_is_one(kind: str) -> None:
    batch = ragged_batch().slice(0, 1)
    probes = draw_probes(batch, 9000, kind, torch.Generator().manual_seed(0)).view(9, -1)
    mean = probes @ probes.T / 9000
    assert float((mean - torch.eye(9)).abs().max()) < 0.06


def test_same_generator_same_probes() -> None:
    batch = ragged_batch()
    draws = [draw_probes(batch, 3, "gaussian", torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_one_hot_covers_a_molecule_before_it_repeats() -> None:
    batch = ragged_batch(torch.float32)
    probes = draw_probes(batch, 9, "one-hot", torch.Generator().manual_seed(0))
    assert probes.dtype == torch.float32
    for index, count in enumerate(batch.counts.tolist()):
        part = probes[batch.offsets[index] : batch.offsets[index + 1]].reshape(3 * count, 9)
        assert ((part != 0).sum(0) == 1).all()
        assert part.max().item() == pytest.approx((3 * count) ** 0.5)
        assert ((part != 0).sum(1) <= -(-9 // (3 * count))).all()
